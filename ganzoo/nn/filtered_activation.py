"""The leaky ReLU of StyleGAN3, which makes no aliases (Karras et al. 2021, sec. 3.1, figure 4b)."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.nn.biased_activation import bias_act, check_clamp
from ganzoo.nn.channelwise import Stretch, shrunk, stretch, stretched
from ganzoo.nn.filters import Factor, Padding, checked_filter, factors, paddings
from ganzoo.nn.fir_blocks import rows
from ganzoo.nn.recording import recorded
from ganzoo.nn.upfirdn import upfirdn2d

# Where nothing is recorded, so many channels of so many up-sampled pixels in all are worked on at a time: what stays in cache.
CHANNELS, WORKSPACE = 32, 2**20


def filtered_lrelu(
    x: Tensor,
    fu: Tensor | None = None,
    fd: Tensor | None = None,
    b: Tensor | None = None,
    *,
    up: Factor = 1,
    down: Factor = 1,
    padding: Padding = 0,
    gain: float = math.sqrt(2),
    slope: float = 0.2,
    clamp: float | None = None,
    flip_filter: bool = False,
) -> Tensor:
    """Adds a bias, up-samples, applies a leaky ReLU and down-samples.

    Args:
        x: ``[N, C, H, W]``.
        fu: Filter of the up-sampling, as `upfirdn2d` takes it; None is a single tap.
        fd: Filter of the down-sampling.
        b: ``[C]``; None adds nothing.
        up: Factor of the up-sampling; the filtered values are multiplied by its square.
        down: Factor of the down-sampling.
        padding: Of the up-sampled image, for both filters together; as `upfirdn2d` takes it.
        gain: Multiplies the leaky ReLU's result.
        slope: Of the leaky ReLU below zero.
        clamp: Keeps the activation, with its gain, in ``[-clamp, clamp]``; None does not limit it.
        flip_filter: True correlates with both filters; False convolves.

    Returns:
        ``[N, C, (H * up + top + bottom - taps of fu - taps of fd + 1) // down + 1, likewise]``.

    Raises:
        InvalidValueError: as of `upfirdn2d` and `bias_act`.
    """
    ups, downs, pads = factors(up, "up"), factors(down, "down"), paddings(padding)
    if fu is fd is None and ups == downs == (1, 1) and not any(pads):
        return bias_act(x, b, act="lrelu", alpha=slope, gain=gain, clamp=clamp)
    if x.device.type != "cpu":
        y = upfirdn2d(bias_act(x, b), fu, up=ups, padding=pads, gain=ups[0] * ups[1], flip_filter=flip_filter)
        y = bias_act(y, act="lrelu", alpha=slope, gain=gain, clamp=clamp)
        return upfirdn2d(y, fd, down=downs, flip_filter=flip_filter)
    if x.ndim != 4 or (b is not None and b.shape != x.shape[1:2]):
        given = list(x.shape), None if b is None else list(b.shape)
        raise InvalidValueError(f"Images and biases have the shapes {given}.", hint="Give [N, C, H, W] and [C].")
    check_clamp(clamp)
    fu = checked_filter(fu, x, gain=ups[0] * ups[1], flip=flip_filter)
    fd = checked_filter(fd, x, flip=flip_filter)
    activation = _Activation(fu, fd, (x.shape[2], x.shape[3]), ups, downs, pads, gain, slope, clamp)
    return activation(x, None if b is None else b.to(x.dtype))


class _Activation:
    """`filtered_lrelu` of feature maps with the channels innermost in memory, but for the bias.

    Args:
        fu: Filter of the up-sampling, convolves.
        fd: Filter of the down-sampling, likewise.
        size: Rows and columns of the feature maps.
        ups: Factors along x and y.
        downs: Likewise.
        pads: As for `filtered_lrelu`, and so are the others.
        gain: Of the leaky ReLU.
        slope: Of the leaky ReLU.
        clamp: Of the leaky ReLU.

    Raises:
        InvalidValueError: fewer pixels than taps.
    """

    def __init__(
        self,
        fu: Tensor,
        fd: Tensor,
        size: tuple[int, int],
        ups: tuple[int, int],
        downs: tuple[int, int],
        pads: tuple[int, int, int, int],
        gain: float,
        slope: float,
        clamp: float | None,
    ) -> None:
        self.size, self.ups, self.downs, self.pads = size, ups, downs, pads
        across = rows(size[1], fu.shape[-1], (ups[0], 1, pads[0], pads[1]))
        along = rows(size[0], fu.shape[0], (ups[1], 1, pads[2], pads[3]))
        self.height, self.width = (
            rows(up.outputs, taps, (1, down, 0, 0)).outputs
            for up, taps, down in ((along, fd.shape[0], downs[1]), (across, fd.shape[-1], downs[0]))
        )
        # A positive gain may as well come before the leaky ReLU.
        early, self.late = (gain, 1.0) if gain > 0 else (1.0, gain)
        self.fu, self.fd = fu * early ** (1 / (3 - fu.ndim)), fd
        self.slope, self.clamp = slope, clamp
        self.lines = self._lines(0, self.width, 0)

    def __call__(self, x: Tensor, b: Tensor | None) -> Tensor:
        """All of ``x [N, C, H, W]``; a part at a time where nothing is recorded, so that it stays in the cache."""
        if recorded(x, b, self.fu, self.fd):
            return self._rows(x.contiguous(memory_format=torch.channels_last), b, 0, self.height)
        y = x.new_empty(x.shape[0], self.height, self.width, x.shape[1]).permute(0, 3, 1, 2)
        for image, channels, start, stop in self._parts(x.shape[0], x.shape[1]):
            bias = None if b is None else b[channels]
            y[image, channels, start:stop] = self._rows(x[image, channels], bias, start, stop)
        return y

    def _parts(self, count: int, channels: int) -> Iterator[tuple[slice, slice, int, int]]:
        """Images, channels, and first and last row of the results that are worked on at a time."""
        lines = max(1, WORKSPACE // (CHANNELS * self.size[1] * self.ups[0]) // self.downs[1])
        step = -(-self.height // -(-self.height // lines))  # parts of about the same size
        for n in range(count):
            for first in range(0, channels, CHANNELS):
                for start in range(0, self.height, step):
                    yield slice(n, n + 1), slice(first, first + CHANNELS), start, min(start + step, self.height)

    def _rows(self, x: Tensor, b: Tensor | None, start: int, stop: int) -> Tensor:
        """Rows ``start`` to ``stop`` of the result."""
        columns = self._lines(start, stop, 1)
        x = x[:, :, columns.first : columns.last, self.lines.first : self.lines.last]
        x = x.contiguous(memory_format=torch.channels_last) if b is None else x + b[:, None, None]
        y = stretched(x, self.fu, self.lines, columns)
        y = bias_act(y, act="lrelu", alpha=self.slope, gain=self.late, clamp=self.clamp, inplace=True)
        return shrunk(y, self.fd, *self.downs)

    def _lines(self, start: int, stop: int, axis: int) -> Stretch:
        """What is needed for results ``start`` to ``stop`` along x (0) or y (1)."""
        taps, behind = self.fu.shape[axis - 1], self.fd.shape[axis - 1]
        down = self.downs[axis]
        return stretch(self.size[1 - axis], taps, self.ups[axis], self.pads[2 * axis], start * down, (stop - 1) * down + behind)
