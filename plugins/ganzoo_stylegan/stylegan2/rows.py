"""Images that can be had some rows at a time, so that layers one after the other work on a part while it is in the cache.

A styled layer made of such images is one itself. All rows at once are the usual way; where nothing is recorded and the feature
maps are large, a few at a time save most of the memory, and with it the time that the system takes to give it out again.
"""

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

LARGE = 2**22  # numbers from which feature maps are made in parts
PART = 2**21  # numbers of a part


class Rows(Protocol):
    """Feature maps of some images."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """``[N, C, H, W]``."""
        ...

    def rows(self, start: int, stop: int) -> Tensor:
        """``[N, C, stop - start, W]``, where ``0 <= start < stop <= H``; to be read only."""
        ...


class Whole:
    """`Rows` of feature maps that are there already, ``x [N, C, H, W]``."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """``[N, C, H, W]``."""
        count, channels, height, width = self.x.shape
        return count, channels, height, width

    def rows(self, start: int, stop: int) -> Tensor:
        """A part of them."""
        return self.x if (start, stop) == (0, self.x.shape[2]) else self.x[:, :, start:stop]


def reaching(source: Rows, start: int, stop: int) -> tuple[Tensor, int, int]:
    """Rows ``start`` to ``stop`` as far as there are any, and how many there are not, above and below."""
    height = source.shape[2]
    first, last = max(start, 0), min(stop, height)
    return source.rows(first, last), first - start, stop - last


def padded_convolution(
    x: Tensor, kernel: Tensor, bias: Tensor | None, padding: tuple[int, int, int, int], groups: int = 1
) -> Tensor:
    """A convolution of ``x`` with zeros at the left, right, top and bottom; negative numbers crop."""
    left, right, top, bottom = padding
    if left == right >= 0 and top == bottom >= 0:
        return F.conv2d(x, kernel, bias, padding=(top, left), groups=groups)
    return F.conv2d(F.pad(x, padding), kernel, bias, groups=groups)


def whole(layer: Rows) -> Tensor:
    """All rows."""
    return layer.rows(0, layer.shape[2])


def large(count: int, channels: int, size: int, weight: Tensor) -> bool:
    """Whether feature maps ``[count, channels, size, size]`` on a CPU are better made in parts, given the layers' weight.

    A part is of one image, and every part reads the weight anew: that should be the smaller of the two.
    """
    image = channels * size**2
    return weight.device.type == "cpu" and count * image >= LARGE and weight.numel() <= image


def parts(channels: int, size: int) -> list[tuple[int, int]]:
    """First and last rows of the parts of a feature map ``[channels, size, size]``."""
    step = size if channels * size**2 < LARGE else max(1, PART // (channels * size))
    return [(start, min(start + step, size)) for start in range(0, size, step)]
