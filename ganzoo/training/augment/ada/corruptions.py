"""Image-space corruptions (Karras et al. 2020a, appendix B): noise, and a square that is missing."""

import torch
from torch import Tensor

from ganzoo.training.augment.gates import HOST, changed_where, chosen
from ganzoo.training.draws import Draws

NOISE = 0.1  # standard deviation of the half-normal that the noise's own standard deviation is drawn from
SIDE = 0.5  # of the square, as a share of the image's sides


def noise(images: Tensor, draws: Draws, p: float) -> Tensor:
    """With probability ``p``, independent normal noise on every value, of standard deviation ``|N(0, 0.1²)|``."""
    n = len(images)
    mask = chosen(n, p, draws)
    deviation = (NOISE * draws.normal(n, 1, 1, 1, like=images)).abs()
    pattern = draws.normal(n, *images.shape[1:], like=images)

    def add(x: Tensor, index: Tensor) -> Tensor:
        index = index.to(x.device)
        return x + deviation[index] * pattern[index]

    return changed_where(mask, images, add)


def cutout(images: Tensor, draws: Draws, p: float) -> Tensor:
    """With probability ``p``, a rectangle of half of each side is set to 0 (mid-grey), centred anywhere in the image."""
    n, _, height, width = images.shape
    mask = chosen(n, p, draws)
    columns, rows = (_inside(side, draws.uniform(n, like=HOST)) for side in (width, height))
    hole = rows[:, :, None] & columns[:, None, :] & mask[:, None, None]
    return images.masked_fill(hole[:, None].to(images.device), 0.0)


def _inside(size: int, centre: Tensor) -> Tensor:
    """``[N, size]``: the pixels from ``round((centre - 1/4) size)`` up to before ``round((centre + 1/4) size)``."""
    pixels = torch.arange(size)
    low = ((centre - SIDE / 2) * size).round()[:, None]
    high = ((centre + SIDE / 2) * size).round()[:, None]
    return (pixels >= low) & (pixels < high)
