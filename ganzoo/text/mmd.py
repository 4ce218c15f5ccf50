"""The maximum mean discrepancy: how far apart two sets of points are as distributions (Gretton et al. 2012)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError


def rbf_kernel(x: Tensor, y: Tensor, bandwidths: Sequence[float]) -> Tensor:
    """``sum_s exp(-|x_i - y_j|^2 / (2 s^2))`` of all pairs, ``[N, M]``, over all bandwidths ``s``.

    Distances come from differences: squares of norms would lose near points that lie far from zero, in single precision.

    Args:
        x: Points ``[N, D]``. Anything narrower than single precision is widened to it.
        y: Points ``[M, D]``.
        bandwidths: Standard deviations, in the unit of the points.

    Raises:
        InvalidValueError: no points of one dimension, or a bandwidth that is not above 0.
    """
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1]:
        raise InvalidValueError(f"Two sets of points are [N, D] and [M, D], not {list(x.shape)} and {list(y.shape)}.")
    if not bandwidths or not all(0 < each < math.inf for each in bandwidths):
        raise InvalidValueError(f"Bandwidths are numbers above 0, at least one, not {list(bandwidths)}.")
    wide = torch.promote_types(torch.promote_types(x.dtype, y.dtype), torch.float32)
    distances = torch.cdist(x.to(wide), y.to(wide), compute_mode="donot_use_mm_for_euclid_dist")
    squared = distances.square()
    return torch.stack([torch.exp(squared / (-2 * each**2)) for each in bandwidths]).sum(0)


def mmd2(x: Tensor, y: Tensor, bandwidths: Sequence[float], *, unbiased: bool = False) -> Tensor:
    """The squared maximum mean discrepancy of two sets of points, a scalar with its graph.

    Biased (Gretton et al. 2012, eq. 5), it is the distance of the two sets themselves: never negative, and 0 for equal sets.
    Unbiased (eq. 3), it is on average that of the distributions they were drawn from, and so as often negative as positive
    where these are one. It is summed over the bandwidths, of which each has its own discrepancy.

    Args:
        x: Points ``[N, D]``.
        y: Points ``[M, D]``.
        bandwidths: Of the kernel, see `rbf_kernel`.
        unbiased: Which of the two.

    Raises:
        InvalidValueError: as for `rbf_kernel`, or too few points: 1 of each, 2 for the unbiased one.
    """
    if min(len(x), len(y)) < 1 + unbiased:
        raise InvalidValueError(f"{len(x)} and {len(y)} points are too few: at least {1 + unbiased} of each are needed.")
    inner = _within(x, bandwidths, unbiased) + _within(y, bandwidths, unbiased)
    return inner - 2 * rbf_kernel(x, y, bandwidths).mean()


def _within(x: Tensor, bandwidths: Sequence[float], unbiased: bool) -> Tensor:
    """Mean kernel of pairs out of one set; of different points where unbiased."""
    kernel = rbf_kernel(x, x, bandwidths)
    if not unbiased:
        return kernel.mean()
    return (kernel.sum() - kernel.diagonal().sum()) / (len(x) * (len(x) - 1))
