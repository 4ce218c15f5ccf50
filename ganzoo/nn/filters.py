"""Finite impulse response filters: how they are made, and how their arguments are read."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import InvalidValueError

LONG = 8  # taps from which a filter stays one-dimensional by itself
Factor = int | Sequence[int]
Padding = int | Sequence[int]


def fir_filter(
    taps: float | Sequence[float] | Sequence[Sequence[float]] | Tensor | None,
    *,
    separable: bool | None = None,
    normalize: bool = True,
    flip: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """A filter as the resampling operators take it and as checkpoints store it, in float32.

    Args:
        taps: One line of weights, or rows of them; None leaves pixels as they are.
        separable: Keep a line as ``[taps]``, applied along both axes, instead of making the square ``[taps, taps]`` of it.
            None does so from 8 taps on.
        normalize: Make the sum of the taps 1.
        flip: Reverse the taps along every axis.
        gain: By which the filter multiplies a constant image; a line gets its square root, since it is applied twice.

    Returns:
        ``[taps]`` or ``[taps along y, taps along x]``.

    Raises:
        InvalidValueError: taps of more than two dimensions, or none of them; ``separable`` for taps of two dimensions.
    """
    f = torch.as_tensor(1.0 if taps is None else taps, dtype=torch.float32)
    f = f[None] if f.ndim == 0 else f
    if f.ndim > 2 or f.numel() == 0:
        raise InvalidValueError(
            f"A filter of shape {list(f.shape)} cannot be used.", hint="Give one line of taps, or rows of them."
        )
    if separable and f.ndim == 2:
        raise InvalidValueError("Taps of two dimensions were to be kept as one line.", hint="Give one line of taps.")
    if f.ndim == 1 and not (len(f) >= LONG if separable is None else separable):
        f = torch.outer(f, f)
    if normalize:
        f = f / f.sum()
    if flip:
        f = f.flip(list(range(f.ndim)))
    return f.mul(gain ** (f.ndim / 2))


def factors(value: Factor, name: str) -> tuple[int, int]:
    """``value`` as factors along x and y.

    Raises:
        InvalidValueError: anything but one or two whole numbers of at least 1.
    """
    pair = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(pair) != 2 or any(not isinstance(n, int) or n < 1 for n in pair):
        raise InvalidValueError(
            f"'{name}' is {value!r}.", hint="Give a whole number of at least 1, or one for x and one for y."
        )
    return pair[0], pair[1]


def paddings(value: Padding) -> tuple[int, int, int, int]:
    """``value`` as pixels at the left, right, top and bottom; negative ones crop.

    Raises:
        InvalidValueError: anything but one, two (x, y) or four whole numbers.
    """
    given = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(given) == 2:
        given = (given[0], given[0], given[1], given[1])
    if len(given) != 4 or any(not isinstance(n, int) for n in given):
        raise InvalidValueError(
            f"'padding' is {value!r}.", hint="Give a whole number, two (x and y), or four (left, right, top, bottom)."
        )
    return given[0], given[1], given[2], given[3]


def filter_size(f: Tensor | None) -> tuple[int, int]:
    """Taps along x and along y; one for no filter."""
    return (1, 1) if f is None else (f.shape[-1], f.shape[0])


def checked_filter(f: Tensor | None, x: Tensor, *, gain: float = 1.0, flip: bool = False) -> Tensor:
    """``f`` in the dtype of images ``x``, such that it is convolved; a single tap for None.

    Raises:
        InvalidValueError: images or taps of the wrong shape.
    """
    if x.ndim != 4:
        raise InvalidValueError(f"Images have the shape {list(x.shape)}.", hint="Give [N, C, H, W].")
    f = x.new_ones(1, dtype=torch.float32) if f is None else f
    if f.ndim not in (1, 2) or f.numel() == 0:
        raise InvalidValueError(f"A filter has the shape {list(f.shape)}.", hint="Give one line of taps, or rows of them.")
    f = f.flip(list(range(f.ndim))) if flip else f
    return f.mul(gain ** (f.ndim / 2)).to(x.dtype)


def framed(x: Tensor, padding: tuple[int, int, int, int]) -> Tensor:
    """``x [..., H, W]`` with zeros at the left, right, top and bottom; negative numbers crop, the zeros opposite too."""
    left, right = _within(x.shape[-1], *padding[:2])
    top, bottom = _within(x.shape[-2], *padding[2:])
    around = (left, right, top, bottom)
    return F.pad(x, around) if any(around) else x


def _within(size: int, before: int, after: int) -> tuple[int, int]:
    """The same with no more cropped from a side than there is."""
    whole = size + before + after
    before = min(max(before, -size), whole)
    return before, whole - before - size
