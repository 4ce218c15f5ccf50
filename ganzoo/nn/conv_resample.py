"""Convolution with a change of resolution (Karras et al. 2020b, appendix B)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.nn.filters import Padding, factors, framed
from ganzoo.nn.fir_blocks import BLOCK
from ganzoo.nn.folding import convolve
from ganzoo.nn.upfirdn import resampling_padding, upfirdn2d

MANY_PIXELS = 1024  # from which an image is worth a weight in another order


def conv2d_resample(
    x: Tensor,
    w: Tensor,
    f: Tensor | None = None,
    *,
    up: int = 1,
    down: int = 1,
    padding: Padding = 0,
    groups: int = 1,
    flip_weight: bool = True,
    flip_filter: bool = False,
) -> Tensor:
    """Up-samples with the filter ``f``, convolves with ``w`` and down-samples with ``f``.

    Args:
        x: ``[N, in, H, W]``.
        w: ``[out, in / groups, height, width]``.
        f: A filter as `upfirdn2d` takes it; None does not filter.
        up: Factor along both axes.
        down: Likewise.
        padding: In pixels of the up-sampled image, besides what the filter needs; as `upfirdn2d` takes it.
        groups: Of the convolution.
        flip_weight: True correlates, as `torch.nn.functional.conv2d` does; False convolves.
        flip_filter: True correlates with the filter; False convolves.

    Returns:
        ``[N, out, H * up / down, W * up / down]`` where ``padding`` is half of what the weight needs.

    Raises:
        InvalidValueError: as of `upfirdn2d`.
    """
    (up, _), (down, _) = factors(up, "up"), factors(down, "down")
    pads = resampling_padding(f, padding, up=up if up > 1 else None, down=down if down > 1 else None)
    pointwise = w.shape[2:] == (1, 1)
    if pointwise and up == 1 and down > 1:  # fewer pixels are convolved when the filter comes first
        return _convolved(upfirdn2d(x, f, down=down, padding=pads, flip_filter=flip_filter), w, groups)
    if pointwise and up > 1 and down == 1:
        return upfirdn2d(_convolved(x, w, groups), f, up=up, padding=pads, gain=up**2, flip_filter=flip_filter)
    x = _in_the_library_s_order(x, w)
    if up > 1:
        y = _up_convolved(x, w.flip(2, 3) if flip_weight else w, up, groups)
        height, width = w.shape[2:]
        pads = (pads[0] - width + 1, pads[1] - width + up, pads[2] - height + 1, pads[3] - height + up)
        y = upfirdn2d(y, f, padding=pads, gain=up**2, flip_filter=flip_filter)
        return upfirdn2d(y, f, down=down, flip_filter=flip_filter) if down > 1 else y
    w = w if flip_weight else w.flip(2, 3)
    if down > 1:
        return F.conv2d(upfirdn2d(x, f, padding=pads, flip_filter=flip_filter), w, stride=down, groups=groups)
    if pads[0] != pads[1] or pads[2] != pads[3] or min(pads) < 0:
        x, pads = framed(x, pads), (0, 0, 0, 0)
    return _convolved(x, w, groups, (pads[2], pads[0]))


def _up_convolved(x: Tensor, w: Tensor, up: int, groups: int) -> Tensor:
    """The full convolution of the up-sampled image, without its last ``up - 1`` lines of zeros."""
    outputs, inputs = w.shape[0] // groups, w.shape[1]
    w = w.view(groups, outputs, *w.shape[1:]).transpose(1, 2).reshape(groups * inputs, outputs, *w.shape[2:])
    return F.conv_transpose2d(x, w, stride=up, groups=groups)


def _in_the_library_s_order(x: Tensor, w: Tensor) -> Tensor:
    """``x`` with its channels innermost in memory where that is faster: on a CPU, unless bringing ``w`` there costs more."""
    worth = x.shape[2] * x.shape[3] >= MANY_PIXELS or w.is_contiguous(memory_format=torch.channels_last)
    wide = min(x.shape[1], w.shape[0]) >= BLOCK and w.shape[2:] != (1, 1)
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" and worth and wide else x


def _convolved(x: Tensor, w: Tensor, groups: int, padding: tuple[int, int] = (0, 0)) -> Tensor:
    return convolve(x, w, padding=padding) if groups == 1 else F.conv2d(x, w, padding=padding, groups=groups)
