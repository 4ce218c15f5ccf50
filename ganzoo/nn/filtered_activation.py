"""The leaky ReLU of StyleGAN3, which makes no aliases (Karras et al. 2021, sec. 3.1, figure 4b)."""

import math
from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.nn.biased_activation import bias_act, check_clamp
from ganzoo.nn.filters import Factor, Padding, checked_filter, factors, paddings
from ganzoo.nn.fir_blocks import TurningFilter, Way, axes
from ganzoo.nn.recording import recorded
from ganzoo.nn.upfirdn import upfirdn2d

WORKSPACE = 2**19  # up-sampled pixels worked on at a time where no gradient is needed: what stays in a core's cache


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
    planes = x.reshape(-1, *x.shape[2:])
    biases = None if b is None else b.to(x.dtype).expand(x.shape[0], -1).reshape(-1, 1, 1)
    activation = _Activation(fu, fd, (planes.shape[1], planes.shape[2]), ups, downs, pads, gain, slope, clamp)
    y = activation.apart(planes, biases)
    return y.reshape(*x.shape[:2], *y.shape[1:])


class _Activation:
    """`filtered_lrelu` of planes ``[B, H, W]`` on a CPU. In between they are transposed: that takes fewest transpositions."""

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
        horizontal: tuple[Way, Way] = (ups[0], 1, pads[0], pads[1]), (1, downs[0], 0, 0)
        vertical: tuple[Way, Way] = (ups[1], 1, pads[2], pads[3]), (1, downs[1], 0, 0)
        fd = fd.T if fd.ndim == 2 else fd
        x_up, y_up = axes(fu, *size, horizontal[0], vertical[0])
        y_down, x_down = axes(fd, x_up.outputs, y_up.outputs, vertical[1], horizontal[1])
        # What the second filter needs is computed, not padded: results that it multiplies by zero.
        x_up, y_up = replace(x_up, outputs=x_down.length), replace(y_up, outputs=y_down.length)
        self.pixels = x_up.outputs * y_up.outputs
        # A positive gain may as well come before the leaky ReLU.
        self.early, self.late = (gain, 1.0) if gain > 0 else (1.0, gain)
        self.up = TurningFilter(fu * self.early ** (1 / (3 - fu.ndim)), x_up, y_up)
        self.down = TurningFilter(fd, y_down.padded(), x_down.padded())
        self.shape = x_down.outputs, y_down.outputs
        self.slope, self.clamp = slope, clamp

    def apart(self, x: Tensor, b: Tensor | None) -> Tensor:
        """All planes; a few at a time where no gradient is needed, so that what lies between the filters stays in cache."""
        some = max(1, WORKSPACE // self.pixels)
        kept = recorded(x, b, self.up.passes[0].weight, self.down.passes[0].weight)
        if kept or len(x) <= some:
            return self(x, b, kept)
        width, height = self.shape
        y = x.new_empty(len(x), height, width)
        for i in range(0, len(x), some):
            y[i : i + some] = self(x[i : i + some], None if b is None else b[i : i + some], kept)
        return y

    def __call__(self, x: Tensor, b: Tensor | None, kept: bool) -> Tensor:
        y = self.up(x if b is None else x + b)
        if kept or self.late != 1:
            y = bias_act(y, act="lrelu", alpha=self.slope, gain=self.late, clamp=self.clamp)
        else:
            y = F.leaky_relu(y, self.slope, inplace=True)
            y = y if self.clamp is None else y.clamp_(-self.clamp, self.clamp)
        return self.down(y)
