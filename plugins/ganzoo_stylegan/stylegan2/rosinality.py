"""The checkpoints of rosinality's StyleGAN2: ``{g_ema, latent_avg}``, or ``{g, d, g_ema, g_optim, d_optim, args, ada_aug_p}``.

Its layers are numbered instead of named after resolutions, weights have a leading dimension of 1, filters are kept where they
are used and are multiplied by 4 where they up-sample. The mean of ``w`` is no part of the networks: converted files keep it
beside them, and for others it is computed from the mapping network.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from ganzoo_stylegan.entries import Change, Entry
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.layouts import AVERAGE
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.renamed import FILTER, RenamedReader, discriminator_names, generator_names
from ganzoo_stylegan.stylegan2.shapes import Shapes, discriminator_config, generator_config

_MEAN = "latent_avg"
MOST_BLOCKS = 16  # that anybody would have
UP_GAIN = 4.0  # of filters that up-sample by 2 along both axes
_MAPPED = re.compile(r"mapping\.fc(\d+)\.(weight|bias)")
_SYNTHESIS = re.compile(r"synthesis\.b(\d+)\.(?:(conv0|conv1|torgb)\.)?(.+)")
_CRITIC = re.compile(r"b(\d+)\.(fromrgb|conv0|conv1|skip|conv|fc|out)\.(.+)")
Kept = tuple[str, *tuple[Change, ...]]  # a key's ending, and how the tensor is read and written
_LEADING: tuple[Change, Change] = (lambda t: t[0], lambda t: t[None])
_SCALED: tuple[Change, Change] = (lambda t: t / UP_GAIN, lambda t: t * UP_GAIN)
_STYLED: dict[str, Kept] = {
    "weight": ("conv.weight", *_LEADING),
    "affine.weight": ("conv.modulation.weight",),
    "affine.bias": ("conv.modulation.bias",),
}
_LAYER: dict[str, Kept] = {
    **_STYLED,
    "bias": ("activate.bias",),
    "noise_strength": ("noise.weight", lambda t: t[0], lambda t: t[None]),
}
_IMAGE: dict[str, Kept] = {**_STYLED, "bias": ("bias", lambda t: t[0, :, 0, 0], lambda t: t[None, :, None, None])}
_BLOCK = {
    "conv0.weight": "conv1.0.weight",
    "conv0.bias": "conv1.1.bias",
    f"conv1.{FILTER}": "conv2.0.kernel",
    "conv1.weight": "conv2.1.weight",
    "conv1.bias": "conv2.2.bias",
    f"skip.{FILTER}": "skip.0.kernel",
    "skip.weight": "skip.1.weight",
}
_ENDS = {
    "fromrgb.weight": "convs.0.0.weight",
    "fromrgb.bias": "convs.0.1.bias",
    "conv.weight": "final_conv.0.weight",
    "conv.bias": "final_conv.1.bias",
    "fc.weight": "final_linear.0.weight",
    "fc.bias": "final_linear.0.bias",
    "out.weight": "final_linear.1.weight",
    "out.bias": "final_linear.1.bias",
}


class RosinalityGenerator(RenamedReader):
    """``Generator``: ``g`` and ``g_ema``."""

    network = StyleGAN2Generator
    beside = frozenset({_MEAN})

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """See `generator_config`."""
        return generator_config(shapes)

    def image_size(self, shapes: Shapes) -> int:
        """Told from how many layers there are to the image."""
        count = _count(shapes, "to_rgbs.{}.bias")
        return 4 << count if "input.input" in shapes and "to_rgb1.bias" in shapes else 0

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """With weights that are divided by the root of their number of inputs."""
        config = super().config(shapes)
        return None if config is None else {**config, "equalised": True}

    def possible(self, sizes: list[int]) -> Iterator[str]:
        """Those of every generator."""
        return generator_names(sizes)

    def optional(self, config: Mapping[str, Any]) -> dict[str, float]:
        """The mean of ``w``."""
        return {_MEAN: 0}

    def export(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """As for the other network, without the mean of ``w``: it is no tensor of theirs."""
        return {key: tensor for key, tensor in super().export(state, config).items() if key != _MEAN}

    def entry(self, name: str, image_size: int) -> Entry | None:
        """Layers are numbered from the smallest resolution on."""
        if name == AVERAGE:
            return Entry(_MEAN, _one_row)
        if name == "synthesis.b4.const":
            return Entry("input.input", *_LEADING)
        if found := _MAPPED.fullmatch(name):
            return Entry(f"style.{int(found[1]) + 1}.{found[2]}")
        found = _SYNTHESIS.fullmatch(name)
        return None if found is None else _synthesis_entry(int(found[1]), found[2], found[3])


class RosinalityDiscriminator(RenamedReader):
    """``Discriminator``: ``d``."""

    network = StyleGAN2Discriminator

    def told(self, shapes: Shapes) -> dict[str, Any] | None:
        """See `discriminator_config`."""
        return discriminator_config(shapes)

    def image_size(self, shapes: Shapes) -> int:
        """Told from how many blocks there are."""
        return 4 << _count(shapes, "convs.{}.conv1.0.weight", first=1) if "convs.0.0.weight" in shapes else 0

    def possible(self, sizes: list[int]) -> Iterator[str]:
        """Those of every discriminator."""
        return discriminator_names(sizes)

    def entry(self, name: str, image_size: int) -> Entry | None:
        """Blocks are numbered from the image on."""
        found = _CRITIC.fullmatch(name)
        if found is None:
            return None
        size, tensor = int(found[1]), f"{found[2]}.{found[3]}"
        if size in (4, image_size) and tensor in _ENDS:
            return Entry(_ENDS[tensor])
        if size == 4 or tensor not in _BLOCK:
            return None
        return Entry(f"convs.{int(math.log2(image_size // size)) + 1}.{_BLOCK[tensor]}")


def _one_row(mean: Tensor) -> Tensor:
    """The mean of ``w``, which some programs keep once for each layer; a lone number stands for one that is not there."""
    return mean.flatten(0, -2).mean(0) if mean.dim() > 1 else mean


def _synthesis_entry(size: int, layer: str | None, tensor: str) -> Entry | None:
    """Where a tensor of the block of ``size`` is kept; ``layer`` is None for the block's own."""
    block = int(math.log2(size)) - 3  # -1 at 4x4
    number = 2 * block + (layer == "conv1")
    if layer is None:
        return Entry(f"to_rgbs.{block}.upsample.kernel", *_SCALED) if tensor == FILTER and block >= 0 else None
    if tensor == "noise_const":
        return Entry(f"noises.noise_{number + 1}", lambda t: t[0, 0], lambda t: t[None, None])
    if layer == "torgb":
        return _named("to_rgb1" if block < 0 else f"to_rgbs.{block}", tensor, _IMAGE)
    if tensor == FILTER:
        return Entry(f"convs.{number}.conv.blur.kernel", *_SCALED) if layer == "conv0" else None
    return _named("conv1" if block < 0 else f"convs.{number}", tensor, _LAYER)


def _named(prefix: str, tensor: str, names: Mapping[str, Kept]) -> Entry | None:
    if tensor not in names:
        return None
    key, *changes = names[tensor]
    return Entry(f"{prefix}.{key}", *changes)


def _count(shapes: Shapes, pattern: str, first: int = 0) -> int:
    """How many numbers in sequence there are."""
    count = 0
    while pattern.format(first + count) in shapes and count < MOST_BLOCKS:
        count += 1
    return count
