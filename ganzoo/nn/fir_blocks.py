"""FIR filters of images of few channels, as dense convolutions of blocks of pixels.

Filtering a line is a product with a banded matrix whose rows repeat, shifted. Cut into blocks, a line becomes a short image
whose channels are the pixels of a block, and the banded matrix becomes the weight of an ordinary convolution of few taps. It
computes some products with zeros, but leaves out the zeros that up-sampling puts in and the results that down-sampling throws
away, and runs at the speed of the convolution library. Filtering each of a few channels by itself reaches a small part of that;
of many it is faster, see `ganzoo.nn.channelwise`.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.nn.filters import framed

BLOCK = 16  # results of a block, or its pixels if they are more: the floats of a wide vector register
Way = tuple[int, int, int, int]  # what to do along an axis: up, down, and the padding at both ends
STILL: Way = (1, 1, 0, 0)


@dataclass(frozen=True)
class Axis:
    """Resampling along one axis: result ``m`` is the sum over pixels ``i`` of ``x[i] * f[m * down - i * up + origin]``.

    Args:
        size: Pixels.
        outputs: Results.
        taps: Of the filter.
        up: Factor of the up-sampling.
        down: Factor of the down-sampling.
        start: Zeros that the first result needs in front of the line; negative: pixels to leave out.
        phase: Zeros, fewer than ``up``, that the up-sampled line has in front besides.
        results: How many results a block has; ``results * down`` is a multiple of ``up``.
    """

    size: int
    outputs: int
    taps: int
    up: int
    down: int
    start: int
    phase: int
    results: int

    @property
    def origin(self) -> int:
        """Index of the tap that the first result gives to the first pixel."""
        return self.taps - 1 - self.phase

    @property
    def step(self) -> int:
        """Pixels from one block to the next."""
        return self.results * self.down // self.up

    @property
    def spans(self) -> int:
        """Of how many times ``step`` pixels the results of a block are made."""
        window = ((self.results - 1) * self.down + self.origin) // self.up + 1
        return -(-window // self.step)

    @property
    def blocks(self) -> int:
        """Blocks of the line."""
        return -(-self.outputs // self.results)

    @property
    def length(self) -> int:
        """Pixels of the line with all the zeros that its blocks need."""
        return (self.blocks - 1 + self.spans) * self.step

    @property
    def padding(self) -> tuple[int, int]:
        """What makes the line that long."""
        return self.start, self.length - self.start - self.size

    def padded(self) -> "Axis":
        """The same of a line that is already that long."""
        return replace(self, size=self.length, start=0)


def rows(size: int, taps: int, way: Way) -> Axis:
    """The axis along which lines follow each other, in the smallest blocks.

    Raises:
        InvalidValueError: fewer pixels than taps.
    """
    up, down, before, after = way
    padded = size * up + before + after
    if padded < taps:
        raise InvalidValueError(
            f"{size} pixels, up-sampled {up} times and padded by {before} and {after}, are fewer than the filter's {taps} taps."
        )
    outputs = (padded - taps) // down + 1
    return Axis(size, outputs, taps, up, down, before // up, before % up, up)


def columns(size: int, taps: int, way: Way) -> Axis:
    """The axis along which the pixels of a line follow each other, in blocks that fill vector registers."""
    axis = rows(size, taps, way)
    return replace(axis, results=BLOCK if axis.up == axis.down == 1 else axis.up * BLOCK // 2)


class BlockFilter:
    """Filters planes ``[B, H, W]`` by ``f [taps along H, taps along W]``; what it needs for that is made once.

    The result ``[B, outputs of across, outputs of along]`` can be a part of a larger tensor.
    """

    def __init__(self, f: Tensor, along: Axis, across: Axis) -> None:
        self.along, self.across = along, across
        index = _indices(across, f.device)[:, :, None, None], _indices(along, f.device)
        weight = F.pad(f, (0, 1, 0, 1))[index]
        weight = weight.view(*weight.shape[:3], along.spans, along.step)
        self.weight = weight.permute(0, 2, 4, 1, 3).flatten(0, 1)  # [results, pixels of a block, rows, blocks]

    def __call__(self, x: Tensor) -> Tensor:
        """``[B, H, W]`` to ``[B, outputs of across, outputs of along]``."""
        along, across = self.along, self.across
        x = framed(x, (*along.padding, *across.padding)).contiguous()
        lines = (1, -1) if across.taps == across.up == across.down == 1 else (-1, across.length)
        y = F.conv2d(
            x.view(*lines, along.length // along.step, along.step).permute(0, 3, 1, 2), self.weight, stride=(across.step, 1)
        )
        y = y.permute(0, 2, 3, 1)
        y = y.reshape(*y.shape[:3], across.results, along.results).transpose(2, 3)
        return y.reshape(x.shape[0], -1, along.blocks * along.results)[:, : across.outputs, : along.outputs]


class TurningFilter:
    """Filters planes ``[B, H, W]`` and transposes them: ``[B, outputs of along, outputs of across]``.

    Args:
        f: ``[taps]`` or ``[taps along H, taps along W]``; convolves.
        along: The axis W, in `columns`.
        across: The axis H: in `columns` too for a line of taps, else in `rows`.
    """

    def __init__(self, f: Tensor, along: Axis, across: Axis) -> None:
        if f.ndim == 2:
            self.passes = [BlockFilter(f, along, across)]
            return
        # The first pass brings the zeros for the second one.
        waiting = Axis(across.size, across.length, 1, 1, 1, across.start, 0, 1)
        following = Axis(along.outputs, along.outputs, 1, 1, 1, 0, 0, 1)
        self.passes = [BlockFilter(f[None], along, waiting), BlockFilter(f[None], across.padded(), following)]

    def __call__(self, x: Tensor) -> Tensor:
        """``[B, H, W]`` to ``[B, outputs of along, outputs of across]``."""
        x = self.passes[0](x).mT
        return x if len(self.passes) == 1 else self.passes[1](x)


def axes(f: Tensor, height: int, width: int, along: Way, across: Way) -> tuple[Axis, Axis]:
    """The axes W and H of a `TurningFilter`."""
    across_axis = rows(height, f.shape[0], across) if f.ndim == 2 else columns(height, f.shape[0], across)
    return columns(width, f.shape[-1], along), across_axis


def _indices(axis: Axis, device: torch.device) -> Tensor:
    """Which tap each result of a block gives to each pixel, ``[results, pixels]``; the one after the last is none."""
    make = _made_indices if torch.compiler.is_compiling() else _kept_indices
    return make(axis.results, axis.spans * axis.step, axis.taps, axis.up, axis.down, axis.origin, device)


def _made_indices(results: int, pixels: int, taps: int, up: int, down: int, origin: int, device: torch.device) -> Tensor:
    index = torch.arange(results, device=device)[:, None] * down - torch.arange(pixels, device=device) * up + origin
    return torch.where((index >= 0) & (index < taps), index, taps)


@lru_cache(maxsize=512)
def _kept_indices(results: int, pixels: int, taps: int, up: int, down: int, origin: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # kept for calls that differentiate, too
        return _made_indices(results, pixels, taps, up, down, origin, device)
