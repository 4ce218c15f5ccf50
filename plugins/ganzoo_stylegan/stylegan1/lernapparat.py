"""The files of lernapparat's port of StyleGAN: ``….for_g_all.pt`` and ``….for_d_basic.pt``, made from the authors' pickles.

Weights are the authors' own, axes in PyTorch's order. Layers that show or see smaller images, the noise and the mean of ``w``
were left behind. The port normalises with PyTorch's epsilon, which is a thousand times the authors'.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo_stylegan.entries import Entry
from ganzoo_stylegan.stylegan1.layouts import taps
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Discriminator, StyleGAN1Generator
from ganzoo_stylegan.stylegan1.ports import AVERAGE, MOST_LAYERS, TORCH_EPS, PortReader, Shapes, blur_entry, widths_of
from ganzoo_stylegan.stylegan1.sizes import FIRST_SIZE, stages

_MEAN = "truncation.avg_latent"
_HALVING = "conv1_down.downscale.blur.kernel"  # the mean of two by two pixels
_BLOCKS = "g_synthesis.blocks."


class LernapparatGenerator(PortReader):
    """``nn.Sequential`` of ``g_mapping`` and ``g_synthesis``, maybe with ``truncation`` between them."""

    network = StyleGAN1Generator

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the mapping's multiplier."""
        widths = _widths(shapes, f"{_BLOCKS}4x4.conv.weight", f"{_BLOCKS}{{0}}x{{0}}.conv1.weight", 0)
        style = shapes.get(f"{_BLOCKS}4x4.epi1.style_mod.lin.weight")
        image, dense = shapes.get("g_synthesis.torgb.weight"), shapes.get("g_mapping.dense0.weight")
        if not widths or style is None or image is None or dense is None:
            return None
        return {
            "image_size": FIRST_SIZE << (len(widths) - 1),
            "channels": image[0],
            "z_dim": dense[1],
            "w_dim": style[1],
            "mapping_layers": sum(f"g_mapping.dense{i}.weight" in shapes for i in range(MOST_LAYERS)),
            "mapping_width": dense[0],
            "widths": widths,
            "blur": taps(shapes.get(f"{_BLOCKS}8x8.conv0_up.intermediate.kernel"), len(widths) > 1),
            "noise": "spatial" if f"{_BLOCKS}4x4.epi1.top_epi.noise.weight" in shapes else "none",
            "growing": False,
            "norm_eps": TORCH_EPS,
        }

    def optional(self, config: Mapping[str, Any]) -> dict[str, float]:
        """The mean of ``w``, which the published file lacks."""
        return {**super().optional(config), _MEAN: 0}

    def entries(self, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """In the order of the layers."""
        yield AVERAGE, Entry(_MEAN, lambda t: t.flatten() if t.dim() else t)
        for i in range(config["mapping_layers"]):
            yield from _ends(f"mapping.fc{i}", f"g_mapping.dense{i}")
        for i in range(2 * stages(config["image_size"])):
            yield from _layer(i, config)
        yield from _ends("synthesis.to_image.0", "g_synthesis.torgb")

    def export(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """As the published file: without the mean of ``w``, which its program would refuse."""
        return {key: tensor for key, tensor in super().export(state, config).items() if key != _MEAN}


class LernapparatDiscriminator(PortReader):
    """``D_basic`` of the same author."""

    network = StyleGAN1Discriminator

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the size of a group."""
        widths = _widths(shapes, "4x4.conv.weight", "{0}x{0}.conv0.weight", 0)
        image, dense = shapes.get("fromrgb.weight"), shapes.get("4x4.dense0.weight")
        if not widths or image is None or dense is None:
            return None
        more = shapes["4x4.conv.weight"][1] - widths[0]
        return {
            "image_size": FIRST_SIZE << (len(widths) - 1),
            "channels": image[1],
            "widths": widths,
            "dense_width": dense[0],
            "blur": taps(shapes.get("8x8.blur.kernel"), len(widths) > 1),
            "std_group": 4 if more else 0,
            "std_channels": max(1, more),
            "growing": False,
        }

    def entries(self, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """From the image inwards."""
        yield from _ends("from_image.0", "fromrgb")
        for i, size in enumerate(_inner_sizes(config)):
            yield from _ends(f"stages.{i}.conv", f"{size}x{size}.conv0")
            yield from _ends(f"stages.{i}.down", f"{size}x{size}.conv1_down")
            if config["blur"] is not None:
                width = widths_of(config)[-1 - i]
                yield f"stages.{i}.down.blur.kernel", blur_entry(f"{size}x{size}.blur.kernel", width)
        for ours, theirs in (("conv", "conv"), ("dense", "dense0"), ("scores", "dense1")):
            yield from _ends(ours, f"4x4.{theirs}")

    def constants(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """The filters that halve the size."""
        return {f"{size}x{size}.{_HALVING}": torch.full((1, 1, 2, 2), 0.25) for size in _inner_sizes(config)}


def _layer(i: int, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """The tensors of layer ``i`` and of what follows it."""
    size = FIRST_SIZE << i // 2
    ours, theirs = f"synthesis.layers.{i}", f"{_BLOCKS}{size}x{size}"
    if i == 0:
        yield f"{ours}.conv.const", Entry(f"{theirs}.const")
        yield f"{ours}.conv.bias", Entry(f"{theirs}.bias")
    else:
        yield from _ends(f"{ours}.conv", f"{theirs}.{'conv' if i == 1 else ('conv0_up', 'conv1')[i % 2]}")
    if i and not i % 2 and config["blur"] is not None:
        yield f"{ours}.conv.blur.kernel", blur_entry(f"{theirs}.conv0_up.intermediate.kernel", widths_of(config)[i // 2])
    behind = f"{theirs}.epi{1 + i % 2}"
    if config["noise"] != "none":
        yield f"{ours}.styled.noise_weight", Entry(f"{behind}.top_epi.noise.weight")
    yield from _ends(f"{ours}.styled.style", f"{behind}.style_mod.lin")


def _ends(ours: str, theirs: str) -> Iterator[tuple[str, Entry]]:
    return ((f"{ours}.{end}", Entry(f"{theirs}.{end}")) for end in ("weight", "bias"))


def _widths(shapes: Shapes, first: str, rest: str, axis: int) -> list[int]:
    """Channels at each resolution that has a convolution, 4x4 first; none where the first one is missing."""
    keys = [first, *(rest.format(2 * FIRST_SIZE << i) for i in range(20))]
    count = next((i for i, key in enumerate(keys) if key not in shapes), len(keys))
    return [shapes[key][axis] for key in keys[:count]]


def _inner_sizes(config: Mapping[str, Any]) -> list[int]:
    """From the image down to 8x8 pixels."""
    return [config["image_size"] >> i for i in range(stages(config["image_size"]) - 1)]
