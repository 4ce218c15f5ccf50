"""Layouts that rename, turn round or leave out tensors of ours."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.building import skeleton
from ganzoo.nn import fir_filter
from ganzoo_stylegan.entries import Entry
from ganzoo_stylegan.stylegan2.layers import UNUSED_FILTER
from ganzoo_stylegan.stylegan2.layouts import AVERAGE, SharedNames, with_average
from ganzoo_stylegan.stylegan2.plans import FIRST_SIZE, LARGEST, block_sizes
from ganzoo_stylegan.stylegan2.shapes import Shapes

FILTER = "resample_filter"
MOST_LAYERS = 64  # of a mapping network that anybody would have
_CONVOLUTION = ("weight", "bias", FILTER)
_IMAGE = ("weight", "bias", "affine.weight", "affine.bias")
_SYNTHESIS = {
    "conv0": (*_IMAGE, "noise_const", "noise_strength", FILTER),
    "conv1": (*_IMAGE, "noise_const", "noise_strength", FILTER),
    "torgb": _IMAGE,
    "skip": _CONVOLUTION,
}
_CRITICAL = {"fromrgb": _CONVOLUTION, "conv0": _CONVOLUTION, "conv1": _CONVOLUTION, "skip": _CONVOLUTION}
_END = {"fromrgb": _CONVOLUTION, "conv": _CONVOLUTION, "fc": ("weight", "bias"), "out": ("weight", "bias")}


class RenamedReader(SharedNames):
    """A subclass says where each of our tensors is kept; a filter or an average that is kept nowhere is made."""

    @abstractmethod
    def image_size(self, shapes: Shapes) -> int:
        """Pixels a side that the keys speak of; 0 where they are none of this layout."""

    @abstractmethod
    def entry(self, name: str, image_size: int) -> Entry | None:
        """Where our tensor ``name`` is kept; None where files do not have it."""

    @abstractmethod
    def possible(self, sizes: list[int]) -> Iterator[str]:
        """The names that our network may have."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Told from the shapes that these tensors will have as ours."""
        size = self.image_size(shapes)
        if not FIRST_SIZE <= size <= LARGEST:
            return None
        ours: dict[str, tuple[int, ...]] = {}
        for name in self.possible(block_sizes(size)):
            entry = self.entry(name, size)
            if entry is not None and entry.key in shapes:
                try:
                    ours[name] = tuple(entry.read(torch.empty(shapes[entry.key], device="meta")).shape)
                except (RuntimeError, IndexError):  # of a shape that no such tensor has
                    return None
        return super().config(ours)

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Every key of the file, and our name."""
        found = ((self.entry(name, config["image_size"]), name) for name in self.names(config))
        return {entry.key: name for entry, name in found if entry is not None}

    def convert(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Our tensors from theirs, and what files do not have."""
        converted: dict[str, Tensor] = {}
        absent: list[str] = []
        for name in self.names(config):
            entry = self.entry(name, config["image_size"])
            if entry is None:
                absent.append(name)
            else:
                converted[name] = entry.read(state[entry.key])
        known = next((tensor for name, tensor in converted.items() if name.endswith(FILTER)), None)
        taps = fir_filter(config["resample_filter"]) if known is None else known
        shapes = skeleton(self.network, config).shapes
        usual = fir_filter(UNUSED_FILTER)
        made = {name: (taps if tuple(taps.shape) == shapes[name] else usual).clone() for name in absent}
        complete = {**converted, **made}
        return with_average(complete, config) if AVERAGE in complete else complete

    def export(self, state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Their tensors from ours."""
        found = ((self.entry(name, config["image_size"]), tensor) for name, tensor in state.items())
        return {entry.key: entry.write(tensor) for entry, tensor in found if entry is not None}


def generator_names(sizes: list[int]) -> Iterator[str]:
    """Every name that a generator of these resolutions may have."""
    yield from (AVERAGE, *_mapping_names(), "synthesis.b4.const")
    for size in sizes:
        yield f"synthesis.b{size}.{FILTER}"
        yield from (f"synthesis.b{size}.{layer}.{tensor}" for layer, held in _SYNTHESIS.items() for tensor in held)


def discriminator_names(sizes: list[int]) -> Iterator[str]:
    """Every name that a discriminator of these resolutions may have."""
    yield from _mapping_names()
    for size in sizes:
        yield f"b{size}.{FILTER}"
        layers = _END if size == FIRST_SIZE else _CRITICAL
        yield from (f"b{size}.{layer}.{tensor}" for layer, held in layers.items() for tensor in held)


def _mapping_names() -> Iterator[str]:
    for layer in ("embed", *(f"fc{i}" for i in range(MOST_LAYERS))):
        yield from (f"mapping.{layer}.weight", f"mapping.{layer}.bias")
