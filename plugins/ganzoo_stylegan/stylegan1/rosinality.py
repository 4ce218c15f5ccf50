"""Checkpoints of rosinality's style-based-gan-pytorch: ``{generator, discriminator, g_running, …}``, or one network alone.

The generator is StyleGAN's with these differences. Biases of up-sampling layers are added before the blur. Both layers of a
resolution get the same noise. All weights are scaled with He's constant and its gain, those of styles, noise and images, too;
the mapping network has its lower learning rate in the optimiser. Fused layers average the four kernels that the authors add up.
A file has layers for 1024 pixels, however far the training came: what was never trained is left out.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo_stylegan.entries import Entry, scaled
from ganzoo_stylegan.stylegan1.layouts import taps
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Generator
from ganzoo_stylegan.stylegan1.ports import (
    MOST_LAYERS,
    MOST_STAGES,
    STYLE_GAIN,
    TORCH_EPS,
    PortReader,
    Shapes,
    numbered,
    raised,
    widths_of,
)
from ganzoo_stylegan.stylegan1.sizes import FIRST_SIZE
from ganzoo_stylegan.stylegan1.synthesis import FUSED_SIZE

_G = "generator."
_STAGE = re.compile(r"((?:generator\.)?(?:progression|to_rgb|from_rgb))\.(\d{1,2})\.(.+)")
_ZERO = ("noise1.weight_orig", "noise2.weight_orig", "conv2.conv.bias")  # until a resolution is trained
_COPIES = 4  # kernels that a fused layer lays on top of each other, shifted by a pixel


class RosinalityGenerator(PortReader):
    """``StyledGenerator``: ``generator`` and ``g_running``."""

    network = StyleGAN1Generator

    def pick(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Without the resolutions that were never trained."""
        trained = [is_trained(state, f"{_G}progression.{i}", _ZERO) for i in range(MOST_STAGES)]
        if not any(trained):
            return state
        return renumbered(state, 0, MOST_STAGES - trained[::-1].index(True))

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything."""
        widths = [shape[0] for shape in numbered(shapes, f"{_G}progression.{{}}.conv2.conv.weight_orig")]
        style = shapes.get(f"{_G}progression.0.adain1.style.linear.weight_orig")
        image, dense = shapes.get(f"{_G}to_rgb.0.conv.weight_orig"), shapes.get("style.1.linear.weight_orig")
        if not widths or style is None or image is None or dense is None:
            return None
        fused = [f"{_G}progression.{i}.conv1.0.weight" in shapes for i in range(1, len(widths))]
        kernel = shapes.get(f"{_G}progression.1.conv1.{1 if fused[:1] == [True] else 2}.weight")
        return {
            "image_size": FIRST_SIZE << (len(widths) - 1),
            "channels": image[0],
            "z_dim": dense[1],
            "w_dim": style[1],
            "mapping_layers": sum(f"style.{2 * i + 1}.linear.weight_orig" in shapes for i in range(MOST_LAYERS)),
            "mapping_width": dense[0],
            "mapping_lr": 1.0,
            "widths": widths,
            "fused_up": _which(fused),
            "blur": taps(kernel, len(widths) > 1),
            "blurred_bias": True,
            "noise": "shared",
            "norm_eps": TORCH_EPS,
            "truncation_cutoff": None,
        }

    def entries(self, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """In the order of the layers."""
        for i in range(config["mapping_layers"]):
            yield from ends(f"mapping.fc{i}", f"style.{2 * i + 1}.linear")
        for i, width in enumerate(widths_of(config)):
            theirs = f"{_G}progression.{i}"
            yield from self._first(i, theirs, config)
            yield from ends(f"synthesis.layers.{2 * i + 1}.conv", f"{theirs}.conv2.conv")
            for j in (0, 1):
                yield from _styled(f"synthesis.layers.{2 * i + j}.styled", theirs, j + 1, width)
            yield from ends(f"synthesis.to_image.{i}", f"{_G}to_rgb.{i}.conv", STYLE_GAIN)

    def constants(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Every filter is there twice, the second time turned by 180 degrees, which changes nothing."""
        return {
            f"{_G}progression.{i}.conv1.{1 if _fused(config, i) else 2}.weight_flip": turned_filter(config, width)
            for i, width in enumerate(widths_of(config))
            if i and config["blur"] is not None
        }

    def _first(self, i: int, theirs: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """What a resolution begins with."""
        ours = f"synthesis.layers.{2 * i}.conv"
        if i == 0:
            yield f"{ours}.const", Entry(f"{theirs}.conv1.input")
            return
        if _fused(config, i):
            yield f"{ours}.weight", Entry(f"{theirs}.conv1.0.weight", _joined, _parted)
            yield f"{ours}.bias", Entry(f"{theirs}.conv1.0.bias")
        else:
            yield from ends(ours, f"{theirs}.conv1.1.conv")
        if config["blur"] is not None:
            yield f"{ours}.blur.kernel", Entry(f"{theirs}.conv1.{1 if _fused(config, i) else 2}.weight")

    def export(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Theirs from ours. Only as far as the network goes: their program wants layers up to 1024 pixels."""
        made = super().export(state, config)
        # Theirs has no bias there: it is part of the constant.
        bias = state["synthesis.layers.0.conv.bias"]
        return {**made, f"{_G}progression.0.conv1.input": state["synthesis.layers.0.conv.const"] + bias[:, None, None]}


def _styled(ours: str, theirs: str, number: int, width: int) -> Iterator[tuple[str, Entry]]:
    """Noise and style of one layer."""
    strength = math.sqrt(2 / width)
    yield (
        f"{ours}.noise_weight",
        Entry(
            f"{theirs}.noise{number}.weight_orig", lambda t: t.flatten() * strength, lambda t: t[None, :, None, None] / strength
        ),
    )
    style = f"{theirs}.adain{number}.style.linear"
    yield f"{ours}.style.weight", scaled(f"{style}.weight_orig", STYLE_GAIN)
    yield f"{ours}.style.bias", Entry(f"{style}.bias", lambda t: raised(t, -1), lambda t: raised(t, 1))


def _joined(weight: Tensor) -> Tensor:
    return (weight.transpose(0, 1).contiguous() if weight.dim() > 1 else weight) / _COPIES


def _parted(weight: Tensor) -> Tensor:
    return weight.transpose(0, 1) * _COPIES


def _fused(config: Mapping[str, Any], i: int) -> bool:
    """Whether resolution ``i`` begins with a fused layer."""
    fused = config["fused_up"]
    return FIRST_SIZE << i >= FUSED_SIZE if fused is None else bool(fused)


def _which(fused: list[bool]) -> bool | None:
    """The argument for which the resolutions above the first one are fused or not in this way."""
    usual = [FIRST_SIZE << i >= FUSED_SIZE for i in range(1, len(fused) + 1)]
    return None if fused == usual else all(fused)


# --- what both networks' readers share ---------------------------------------------------------------------------------


def ends(ours: str, theirs: str, factor: float = 1.0) -> Iterator[tuple[str, Entry]]:
    """Weight and bias of a layer whose weight, in the file, is to be multiplied by a factor."""
    yield f"{ours}.weight", Entry(f"{theirs}.weight_orig") if factor == 1 else scaled(f"{theirs}.weight_orig", factor)
    yield f"{ours}.bias", Entry(f"{theirs}.bias")


def turned_filter(config: Mapping[str, Any], width: int) -> Tensor:
    """The filter of so many channels, turned by 180 degrees."""
    line = torch.tensor(config["blur"], dtype=torch.float32)
    return (torch.outer(line, line) / line.sum() ** 2).flip(0, 1).repeat(width, 1, 1, 1)


def is_trained(state: Mapping[str, Tensor], prefix: str, zeros: Iterable[str]) -> bool:
    """Whether anything of a resolution differs from what it was made with."""
    return any(bool(state[key].any()) for key in (f"{prefix}.{end}" for end in zeros) if key in state)


def renumbered(state: Mapping[str, Tensor], first: int, end: int) -> Mapping[str, Tensor]:
    """The state with the resolutions from ``first`` to before ``end``, counted from 0 again."""
    kept: dict[str, Tensor] = {}
    for key, tensor in state.items():
        found = _STAGE.fullmatch(key)
        if found is None:
            kept[key] = tensor
        elif first <= int(found[2]) < end:
            kept[f"{found[1]}.{int(found[2]) - first}.{found[3]}"] = tensor
    return kept
