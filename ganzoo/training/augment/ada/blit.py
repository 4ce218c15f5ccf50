"""Pixel blitting (Karras et al. 2020a, appendix B): images rearranged in whole pixels, without interpolation."""

import torch
from torch import Tensor

from ganzoo.training.augment.ada.reflection import reflected
from ganzoo.training.augment.gates import HOST, changed_where, chosen
from ganzoo.training.draws import Draws

SHIFT = 0.125  # largest translation, as a share of the side


def blit(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Mirroring, quarter turns and translation in whole pixels, each drawn with probability ``p``; the border is reflected.

    Mirrored with probability 1/2, turned by 0 to 3 quarters, moved by up to 1/8 of each side. An image that is not square is
    turned about its centre, to the nearest pixel, and what it misses is reflected.
    """
    n, _, height, width = images.shape
    mirrored = chosen(n, p, draws) & (draws.integers(2, n, like=HOST) == 1)
    turns = torch.where(chosen(n, p, draws), draws.integers(4, n, like=HOST), 0)
    moved = chosen(n, p, draws)
    right, down = (torch.where(moved, _shift(draws.uniform(n, like=HOST), side), 0) for side in (width, height))

    def rearrange(x: Tensor, index: Tensor) -> Tensor:
        return rearranged(x, mirrored[index], turns[index], right[index], down[index])

    return changed_where(mirrored | (turns != 0) | (right != 0) | (down != 0), images, rearrange)


def rearranged(images: Tensor, mirrored: Tensor, turns: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Images ``[N, C, H, W]`` mirrored, then turned counter-clockwise, then moved.

    Args:
        images: ``[N, C, H, W]``.
        mirrored: Bool ``[N]``: left to right.
        turns: int64 ``[N]``: quarter turns, 0 to 3.
        right: int64 ``[N]``: pixels.
        down: int64 ``[N]``: pixels.
    """
    _, channels, height, width = images.shape
    mirrored, turns, right, down = (t.to(images.device)[:, None, None] for t in (mirrored, turns, right, down))
    # Twice the distance from the centre is whole whether a side is even or odd.
    x = 2 * (torch.arange(width, device=images.device) - right) - (width - 1)
    y = 2 * (torch.arange(height, device=images.device)[:, None] - down) - (height - 1)
    cosine, sine = 1 - turns.remainder(2) - (turns == 2) * 2, turns.remainder(2) * (2 - turns)
    x, y = cosine * x - sine * y, sine * x + cosine * y
    x = torch.where(mirrored, -x, x)
    columns = reflected((x + (width - 1)).div(2, rounding_mode="floor"), width)
    rows = reflected((y + (height - 1)).div(2, rounding_mode="floor"), height)
    index = (rows * width + columns).flatten(1)[:, None].expand(-1, channels, -1)
    return images.flatten(2).gather(2, index).view_as(images)


def _shift(uniform: Tensor, side: int) -> Tensor:
    """Whole pixels, int64 ``[N]``, from numbers in [0, 1)."""
    return ((2 * uniform - 1) * SHIFT * side).round().long()
