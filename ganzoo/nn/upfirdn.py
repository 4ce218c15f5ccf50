"""Up-sampling, filtering and down-sampling of images with FIR filters."""

import torch
from torch import Tensor

from ganzoo.nn.channelwise import shrunk, stretch, stretched
from ganzoo.nn.filters import Factor, Padding, checked_filter, factors, filter_size, framed, paddings
from ganzoo.nn.fir_blocks import BLOCK, TurningFilter, Way, axes, rows


def upfirdn2d(
    x: Tensor,
    f: Tensor | None,
    *,
    up: Factor = 1,
    down: Factor = 1,
    padding: Padding = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """Up-samples, pads, filters and down-samples each channel.

    Every pixel is followed by ``up - 1`` zeros along each axis; the result is padded with zeros (or cropped), convolved with
    the filter where it fits, and every ``down``-th pixel is kept, the first one always.

    Args:
        x: ``[N, C, H, W]``.
        f: ``[taps]``, applied along both axes, or ``[taps along y, taps along x]``; None is a filter of the single tap 1.
        up: Factor along both axes, or one for x and one for y.
        down: Likewise.
        padding: In pixels of the up-sampled image: a number, one for x and one for y, or left, right, top, bottom. Negative
            numbers crop.
        flip_filter: False convolves, which turns the filter round; True correlates.
        gain: Multiplies the result.

    Returns:
        ``[N, C, (H * up + top + bottom - taps) // down + 1, likewise]``.

    Raises:
        InvalidValueError: an argument of the wrong shape, or an image smaller than the filter.
    """
    up_x, up_y = factors(up, "up")
    down_x, down_y = factors(down, "down")
    left, right, top, bottom = paddings(padding)
    f = checked_filter(f, x, gain=gain, flip=flip_filter)
    horizontal, vertical = (up_x, down_x, left, right), (up_y, down_y, top, bottom)
    taps_y, taps_x = filter_size(f)[::-1]
    rows(x.shape[2], taps_y, vertical), rows(x.shape[3], taps_x, horizontal)  # say what does not fit
    if x.device.type != "cpu":
        return _by_channel(x, f, horizontal, vertical)
    if x.shape[1] >= BLOCK:  # channels that fill vector registers
        return _by_channel(x.contiguous(memory_format=torch.channels_last), f, horizontal, vertical)
    return _by_block(x, f, horizontal, vertical)


def _by_block(x: Tensor, f: Tensor, horizontal: Way, vertical: Way) -> Tensor:
    """`upfirdn2d` on a CPU."""
    planes = x.reshape(-1, *x.shape[2:])
    height, width = planes.shape[1:]
    if f.ndim == 1 and horizontal[0] > horizontal[1]:  # transpose where there are fewer pixels
        y = TurningFilter(f, *axes(f, width, height, vertical, horizontal))(planes.mT)
    else:
        y = TurningFilter(f, *axes(f, height, width, horizontal, vertical))(planes).mT
    return y.reshape(*x.shape[:2], *y.shape[1:])


def _by_channel(x: Tensor, f: Tensor, horizontal: Way, vertical: Way) -> Tensor:
    """`upfirdn2d` with a convolution of each channel."""
    (up_x, down_x, left, right), (up_y, down_y, top, bottom) = horizontal, vertical
    if up_x == up_y == 1:
        around = min(top, bottom), min(left, right)
        around = (0, 0) if min(around) < 0 else around
        x = framed(x, (left - around[1], right - around[1], top - around[0], bottom - around[0]))
        return shrunk(x, f, down_x, down_y, around)
    height, width = x.shape[2:]
    taps_x, taps_y = filter_size(f)
    across = stretch(width, taps_x, up_x, left, 0, width * up_x + left + right - taps_x + 1)
    along = stretch(height, taps_y, up_y, top, 0, height * up_y + top + bottom - taps_y + 1)
    y = stretched(x[:, :, along.first : along.last, across.first : across.last], f, across, along)
    return y[:, :, ::down_y, ::down_x]


def filter2d(x: Tensor, f: Tensor | None, *, padding: Padding = 0, flip_filter: bool = False, gain: float = 1.0) -> Tensor:
    """`upfirdn2d` at the same size: ``padding`` is what is added to the padding that keeps it."""
    left, right, top, bottom = paddings(padding)
    taps_x, taps_y = filter_size(f)
    around = (left + taps_x // 2, right + (taps_x - 1) // 2, top + taps_y // 2, bottom + (taps_y - 1) // 2)
    return upfirdn2d(x, f, padding=around, flip_filter=flip_filter, gain=gain)


def upsample2d(
    x: Tensor, f: Tensor | None, *, up: Factor = 2, padding: Padding = 0, flip_filter: bool = False, gain: float = 1.0
) -> Tensor:
    """`upfirdn2d` to ``up`` times the size, a constant image keeping its value; ``padding`` as in `filter2d`."""
    around = resampling_padding(f, padding, up=up)
    scale = factors(up, "up")
    return upfirdn2d(x, f, up=up, padding=around, flip_filter=flip_filter, gain=gain * scale[0] * scale[1])


def downsample2d(
    x: Tensor, f: Tensor | None, *, down: Factor = 2, padding: Padding = 0, flip_filter: bool = False, gain: float = 1.0
) -> Tensor:
    """`upfirdn2d` to a ``down``-th of the size; ``padding`` as in `filter2d`."""
    return upfirdn2d(x, f, down=down, padding=resampling_padding(f, padding, down=down), flip_filter=flip_filter, gain=gain)


def resampling_padding(
    f: Tensor | None, padding: Padding, *, up: Factor | None = None, down: Factor | None = None
) -> tuple[int, int, int, int]:
    """``padding``, and besides what filtering with ``f`` needs so that an image gets exactly ``up / down`` times its size.

    What up-sampling needs and what down-sampling needs are added where both are given.
    """
    pads = list(paddings(padding))
    for axis, taps in enumerate(filter_size(f)):
        if up is not None:
            factor = factors(up, "up")[axis]
            pads[2 * axis] += (taps + factor - 1) // 2
            pads[2 * axis + 1] += (taps - factor) // 2
        if down is not None:
            factor = factors(down, "down")[axis]
            pads[2 * axis] += (taps - factor + 1) // 2
            pads[2 * axis + 1] += (taps - factor) // 2
    return pads[0], pads[1], pads[2], pads[3]
