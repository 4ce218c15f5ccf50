"""Images continued beyond their border by reflection about the border pixels' centres."""

import torch
from torch import Tensor


def reflected(positions: Tensor, size: int) -> Tensor:
    """``positions`` (whole or fractional pixels, any shape) folded into ``[0, size - 1]``, however far outside."""
    last = size - 1
    if last == 0:
        return torch.zeros_like(positions)
    folded = positions.remainder(2 * last)
    return torch.minimum(folded, 2 * last - folded)


def filter_matrix(taps: Tensor, starts: Tensor, size: int) -> Tensor:
    """A one-dimensional filter with reflection at both ends, as a matrix.

    Args:
        taps: ``[R, K]``: the weights of each result.
        starts: int64 ``[R]``: the pixel that the first weight belongs to, possibly outside the image.
        size: Pixels of the image along this axis.

    Returns:
        ``[R, size]``.
    """
    pixels = reflected(starts[:, None] + torch.arange(taps.shape[1]), size)
    return taps.new_zeros(len(starts), size).scatter_add(1, pixels, taps)


def separably(rows: Tensor, images: Tensor, columns: Tensor) -> Tensor:
    """``images [N, C, H, W]`` filtered along both axes by ``rows [(N, 1,) H', H]`` and ``columns [(N, 1,) W', W]``."""
    return rows @ images @ columns.mT
