"""Checkpoints of pytorch_GAN_zoo's StyleGAN: ``{config, netG, netD, avgG}``, or one generator alone.

The generator is StyleGAN's with these differences. There is no blur, and no layer shows 4x4 pixels. A layer has one weight for
its noise, the same for all channels. All weights are scaled with He's constant and its gain, those of styles and images, too,
and so are all biases. Scales of a style are stored as they are used. The program truncates all layers, by half unless it was
told otherwise, and does so while it trains as well; how far is a setting beside the networks. So are an activation behind the
last layer, which two of its losses bring, and how far a resolution that was being trained is blended in.

The discriminator is that of its progressive GAN, which takes the mean of pixels after the activation: no network here does.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo_stylegan.entries import Entry, scaled
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Generator
from ganzoo_stylegan.stylegan1.ports import (
    AVERAGE,
    MOST_LAYERS,
    STYLE_GAIN,
    PortReader,
    Shapes,
    numbered,
    raised,
    widths_of,
)
from ganzoo_stylegan.stylegan1.sizes import FIRST_SIZE
from ganzoo_stylegan.stylegan1.synthesis import FUSED_SIZE

_CONST = "baseScale0"
_MEAN = "mean_w"
_KERNEL = 9  # pixels
_ENDS = ("weight", "bias")
# What no shape tells and the program always does.
_ALWAYS: Mapping[str, Any] = {"mapping_lr": 0.01, "noise": "spatial", "norm_eps": 1e-8, "equalised": True}


class GanZooGenerator(PortReader):
    """``GNet`` of its StyleGAN: ``netG`` and ``avgG``."""

    network = StyleGAN1Generator

    def pick(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Under the names of today's program, which puts ``module.`` before the weights and biases of all layers."""
        if _CONST not in state:
            return state
        renamed = {_spelled(key): tensor for key, tensor in state.items()}
        return renamed if len(renamed) == len(state) else state

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but an activation behind the last layer."""
        above = numbered(shapes, "scaleLayers.{}.0.module.weight")
        const, dense = shapes.get(_CONST), shapes.get("mapping.FC.0.module.weight")
        image = shapes.get("toRGBLayers.0.module.weight")
        if not above or const is None or dense is None or image is None:
            return None
        return {
            "image_size": FIRST_SIZE << len(above),
            "channels": image[0],
            "z_dim": dense[1],
            "w_dim": const[1],
            "mapping_layers": sum(f"mapping.FC.{i}.module.weight" in shapes for i in range(MOST_LAYERS)),
            "mapping_width": const[1],
            "widths": [const[1], *(shape[0] for shape in above)],
            "fused_up": False,
            "blur": None,
            "truncation_cutoff": None,
            "style_mixing": 0.0,
            **_ALWAYS,
        }

    def entries(self, config: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """In the order of the layers."""
        widths, w_dim = widths_of(config), config["w_dim"]
        for i in range(config["mapping_layers"]):
            yield from _ends(f"mapping.fc{i}", f"mapping.FC.{i}", config["mapping_width"] if i else config["z_dim"])
        yield AVERAGE, Entry(_MEAN, lambda t: t.flatten(), lambda t: t[None])
        yield "synthesis.layers.0.conv.const", Entry(_CONST)
        for i in range(2 * len(widths)):
            before, width = widths[max(i - 1, 0) // 2], widths[i // 2]
            conv, noise, style = _places(i)
            if i:
                yield from _ends(f"synthesis.layers.{i}.conv", conv, _KERNEL * before)
            yield f"synthesis.layers.{i}.styled.noise_weight", _noise(noise, width)
            yield from _style(f"synthesis.layers.{i}.styled.style", style, w_dim)
        for i, width in enumerate(widths[1:]):
            ours, theirs = f"synthesis.to_image.{i + 1}", f"toRGBLayers.{i}.module"
            yield f"{ours}.weight", scaled(f"{theirs}.weight", STYLE_GAIN)
            yield f"{ours}.bias", scaled(f"{theirs}.bias", _he(width))

    def export(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Theirs from ours, without the layer that shows 4x4 pixels.

        Raises:
            ConfigError: the network is another function than any of theirs.
        """
        _check(state, config)
        # Theirs has no bias there: it is part of the constant.
        bias = state["synthesis.layers.0.conv.bias"]
        return {**super().export(state, config), _CONST: state["synthesis.layers.0.conv.const"] + bias[:, None, None]}


def _spelled(key: str) -> str:
    """``key`` as today's program has it."""
    layer, dot, end = key.rpartition(".")
    return f"{layer}.module.{end}" if dot and end in _ENDS and layer.rpartition(".")[2] != "module" else key


def _places(i: int) -> tuple[str, str, str]:
    """Where layer ``i`` has its convolution (the first one has none), the weight of its noise, and its style."""
    stage, j = i // 2 - 1, i % 2
    if stage < 0:
        return "conv0", f"noiseMod0{j}", f"adain0{j}"
    return f"scaleLayers.{stage}.{2 * j}", f"noiseModulators.{stage}.{j}", f"scaleLayers.{stage}.{2 * j + 1}"


def _ends(ours: str, theirs: str, inputs: int) -> Iterator[tuple[str, Entry]]:
    """Weight and bias of a layer with so many inputs; the bias is scaled as the weight is."""
    yield f"{ours}.weight", Entry(f"{theirs}.module.weight")
    yield f"{ours}.bias", scaled(f"{theirs}.module.bias", _he(inputs))


def _style(ours: str, theirs: str, inputs: int) -> Iterator[tuple[str, Entry]]:
    """The affine map of ``w`` to scales, which are not added to 1 there, and shifts."""
    key, he = f"{theirs}.styleModulator.module", _he(inputs)
    yield f"{ours}.weight", scaled(f"{key}.weight", STYLE_GAIN)
    yield f"{ours}.bias", Entry(f"{key}.bias", lambda t: raised(t * he, -1), lambda t: raised(t, 1) / he)


def _noise(theirs: str, width: int) -> Entry:
    """One number for all channels."""
    return Entry(f"{theirs}.module.weight", lambda t: t.flatten().repeat(width), lambda t: t[:1].reshape(1, 1, 1, 1))


def _he(inputs: int) -> float:
    """The constant of He's initialisation."""
    return math.sqrt(2 / inputs)


def _check(state: Mapping[str, Tensor], config: Mapping[str, Any]) -> None:
    """Raises an error that names what the program cannot do and no shape would show."""
    fused = config["image_size"] >= FUSED_SIZE if config["fused_up"] is None else config["fused_up"]
    other = ["fused_up"] * bool(fused) + [name for name, value in _ALWAYS.items() if config[name] != value]
    if other:
        raise ConfigError(f"no network there has {', '.join(f'{name}={config[name]!r}' for name in other)}")
    uneven = [name for name, t in state.items() if name.endswith(".styled.noise_weight") and bool((t != t[:1]).any())]
    if uneven:
        raise ConfigError(f"a layer there has one weight for its noise, and in '{uneven[0]}' channels differ")
