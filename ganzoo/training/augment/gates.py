"""Which images of a batch an augmentation is applied to."""

from collections.abc import Callable

import torch
from torch import Tensor

from ganzoo.training.draws import Draws

# Parameters are few and stay on the CPU in double precision, where looking at them does not wait for the device.
HOST = torch.empty(0, dtype=torch.float64)


def chosen(n: int, p: float, draws: Draws) -> Tensor:
    """Bool ``[n]`` on the CPU: each True with probability ``p``. Nothing is drawn where it is certain."""
    if p >= 1:
        return torch.ones(n, dtype=torch.bool)
    if p <= 0:
        return torch.zeros(n, dtype=torch.bool)
    return draws.uniform(n, like=HOST) < p


def changed_where(mask: Tensor, images: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """``images`` with ``change`` applied to those of ``mask``; the others stay as they are, bit by bit, and cost nothing.

    Args:
        mask: Bool ``[N]`` on the CPU.
        images: ``[N, C, H, W]``.
        change: From the images chosen ``[M, C, H, W]`` and their indices, int64 ``[M]`` on the CPU, to the same shape.
    """
    if not mask.any():
        return images
    index = mask.nonzero()[:, 0]
    if len(index) == len(images):
        return change(images, index)
    there = index.to(images.device)
    return images.index_copy(0, there, change(images.index_select(0, there), index))
