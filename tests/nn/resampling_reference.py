"""Resampling and its relatives written out from their definitions, in double precision, without a thought of speed."""

import math

import torch
from torch import Tensor


def zero_stuffed(x: Tensor, up_x: int, up_y: int) -> Tensor:
    n, c, h, w = x.shape
    y = x.new_zeros(n, c, h * up_y, w * up_x)
    y[:, :, ::up_y, ::up_x] = x
    return y


def padded(x: Tensor, left: int, right: int, top: int, bottom: int) -> Tensor:
    n, c, h, w = x.shape
    canvas = x.new_zeros(n, c, h + abs(top) + abs(bottom) + max(top, 0), w + abs(left) + abs(right) + max(left, 0))
    canvas[:, :, max(top, 0) : max(top, 0) + h, max(left, 0) : max(left, 0) + w] = x
    first_row, first_column = max(-top, 0), max(-left, 0)
    return canvas[:, :, first_row : first_row + h + top + bottom, first_column : first_column + w + left + right]


def correlated(x: Tensor, f: Tensor) -> Tensor:
    rows, columns = f.shape
    height, width = x.shape[2] - rows + 1, x.shape[3] - columns + 1
    return sum(f[i, j] * x[:, :, i : i + height, j : j + width] for i in range(rows) for j in range(columns))


def upfirdn(
    x: Tensor,
    f: Tensor | None,
    up: tuple[int, int] = (1, 1),
    down: tuple[int, int] = (1, 1),
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    flip: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """Pairs are x and y."""
    f = torch.ones(1, 1, dtype=x.dtype) if f is None else f.to(x.dtype)
    f = torch.outer(f, f) if f.ndim == 1 else f
    y = correlated(padded(zero_stuffed(x, *up), *pads), f if flip else f.flip(0, 1))
    return gain * y[:, :, :: down[1], :: down[0]]


def convolved(x: Tensor, w: Tensor, stride: int = 1, groups: int = 1, flip: bool = True) -> Tensor:
    """Each output channel from the input channels of its group; ``flip`` correlates."""
    w = w if flip else w.flip(2, 3)
    outputs, inputs = w.shape[0] // groups, w.shape[1]
    made = []
    for o in range(w.shape[0]):
        first = o // outputs * inputs
        made.append(sum(correlated(x[:, first + i : first + i + 1], w[o, i]) for i in range(inputs)))
    return torch.cat(made, 1)[:, :, ::stride, ::stride]


def conv_resampled(
    x: Tensor,
    w: Tensor,
    f: Tensor | None,
    up: int = 1,
    down: int = 1,
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    groups: int = 1,
    flip_weight: bool = True,
    flip_filter: bool = False,
) -> Tensor:
    """Up-sampling, convolution and down-sampling one after the other; padding centres the filters."""
    taps = (1, 1) if f is None else (f.shape[-1], f.shape[0])
    pads = list(pads)
    for axis, count in enumerate(taps):
        if up > 1:
            pads[2 * axis] += (count + up - 1) // 2
            pads[2 * axis + 1] += (count - up) // 2
        if down > 1:
            pads[2 * axis] += (count - down + 1) // 2
            pads[2 * axis + 1] += (count - down) // 2
    y = upfirdn(x, f if up > 1 else None, (up, up), pads=tuple(pads), flip=flip_filter, gain=up**2)
    y = convolved(y, w, groups=groups, flip=flip_weight)
    return upfirdn(y, f, down=(down, down), flip=flip_filter) if down > 1 else y


def modulated(x: Tensor, weight: Tensor, styles: Tensor, demodulate: bool, input_gain: Tensor, **resampling: object) -> Tensor:
    """Sample by sample, with weights as the equations have them."""
    made = []
    for image, style, gain in zip(x, styles, input_gain, strict=True):
        w = weight * style[None, :, None, None]
        if demodulate:
            w = w / (w.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        made.append(conv_resampled(image[None], w * gain[None, :, None, None], **resampling))
    return torch.cat(made)


def leaky(x: Tensor, slope: float, gain: float, clamp: float | None) -> Tensor:
    y = gain * torch.where(x < 0, slope * x, x)
    return y if clamp is None else y.clip(-clamp, clamp)


def filtered_lrelu(
    x: Tensor,
    fu: Tensor | None,
    fd: Tensor | None,
    b: Tensor | None,
    up: tuple[int, int] = (1, 1),
    down: tuple[int, int] = (1, 1),
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    gain: float = math.sqrt(2),
    slope: float = 0.2,
    clamp: float | None = None,
    flip: bool = False,
) -> Tensor:
    x = x if b is None else x + b[None, :, None, None]
    y = upfirdn(x, fu, up, pads=pads, flip=flip, gain=up[0] * up[1])
    return upfirdn(leaky(y, slope, gain, clamp), fd, down=down, flip=flip)
