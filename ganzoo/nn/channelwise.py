"""Up-sampling and down-sampling of feature maps, channel by channel.

Filtering an image with zeros between its pixels is a transposed convolution, and filtering it for every second result is a
convolution with a stride. With the channels innermost in memory, where each vector register holds a pixel of many channels,
the convolution library computes both at the speed of memory, and no product with a zero.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from ganzoo.nn.filters import framed


@dataclass(frozen=True)
class Stretch:
    """How some results of an up-sampled and filtered line come from its pixels.

    Attributes:
        up: Factor of the up-sampling.
        first: Number of the first pixel that matters.
        last: Number of the first one after it that does not.
        before: How many results of the full transposed convolution of these pixels come before those that are wanted; negative:
            how many zeros are missing there.
        after: Likewise, how many come after them.
    """

    up: int
    first: int
    last: int
    before: int
    after: int

    def taken(self, taps: int) -> tuple[int, int, tuple[int, int]]:
        """Padding and output padding of the transposed convolution with so many taps, and what remains to be cut off."""
        full = (self.last - self.first - 1) * self.up + taps
        surplus = self.before - self.after
        if 0 <= self.before < taps and 0 < surplus < self.up and full > 2 * self.before:
            return self.before, surplus, (0, 0)
        both = min(self.before, self.after, taps - 1)
        both = both if both > 0 and full > 2 * both else 0
        return both, 0, (both - self.before, both - self.after)


def stretch(size: int, taps: int, up: int, padding: int, start: int, stop: int) -> Stretch:
    """Results ``start`` to ``stop`` of a line of ``size`` pixels with ``padding`` zeros (or pixels fewer) in front.

    Result ``r`` is the sum over pixels ``i`` of ``x[i] * f[r + taps - 1 - padding - i * up]``.
    """
    low, high = start + taps - 1 - padding, stop + taps - 1 - padding  # among the results of the full transposed convolution
    first = min(max((low - taps) // up + 1, 0), size - 1)
    last = max(min((high - 1) // up + 1, size), first + 1)
    full = (last - first - 1) * up + taps
    return Stretch(up, first, last, low - first * up, full - (high - first * up))


def stretched(x: Tensor, f: Tensor, horizontal: Stretch, vertical: Stretch) -> Tensor:
    """Up-samples and filters.

    Args:
        x: ``[N, C, H, W]``: the pixels that matter.
        f: ``[taps]``, along both axes, or ``[taps along y, taps along x]``; convolves.
        horizontal: What to make of lines.
        vertical: What to make of columns.
    """
    if f.ndim == 1:
        x = _transposed(x, f[:, None], Stretch(1, 0, x.shape[3], 0, 0), vertical)
        return _transposed(x, f[None], horizontal, Stretch(1, 0, x.shape[2], 0, 0))
    return _transposed(x, f, horizontal, vertical)


def _transposed(x: Tensor, f: Tensor, horizontal: Stretch, vertical: Stretch) -> Tensor:
    channels = x.shape[1]
    kernel = f.expand(channels, 1, *f.shape)
    (pad_x, more_x, rest_x), (pad_y, more_y, rest_y) = horizontal.taken(f.shape[1]), vertical.taken(f.shape[0])
    y = F.conv_transpose2d(
        x,
        kernel,
        stride=(vertical.up, horizontal.up),
        padding=(pad_y, pad_x),
        output_padding=(more_y, more_x),
        groups=channels,
    )
    return framed(y, (*rest_x, *rest_y))


def shrunk(x: Tensor, f: Tensor, down_x: int, down_y: int, padding: tuple[int, int] = (0, 0)) -> Tensor:
    """Filters where the filter fits and keeps every ``down``-th result.

    Args:
        x: ``[N, C, H, W]``.
        f: As for `stretched`.
        down_x: Factor along lines.
        down_y: Factor along columns.
        padding: Zeros above and below, and at both sides.
    """
    channels = x.shape[1]
    if f.ndim == 1:
        row, column = f.flip(0).expand(channels, 1, 1, -1), f.flip(0)[:, None].expand(channels, 1, -1, 1)
        x = F.conv2d(x, row, stride=(1, down_x), padding=(0, padding[1]), groups=channels)
        return F.conv2d(x, column, stride=(down_y, 1), padding=(padding[0], 0), groups=channels)
    kernel = f.flip(0, 1).expand(channels, 1, *f.shape)
    return F.conv2d(x, kernel, stride=(down_y, down_x), padding=padding, groups=channels)
