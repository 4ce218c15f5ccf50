"""Blurred images for the discriminator of a young StyleGAN3-R (Karras et al. 2021, appendix F)."""

import math

import torch
from torch import Tensor

from ganzoo.nn import filter2d
from ganzoo.training import Draws

SIGMA = 10.0  # pixels, where there is all of it


def blur(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Images ``[N, C, H, W]``, all of them convolved with a bell of width ``10 p`` pixels, reaching three times as far.

    Unlike other augmentations it is not a matter of chance: ``p`` is how much of it there is, so that a schedule fades it out.
    Outside of the images there is black in the middle of the range, zero.

    Args:
        images: In [-1, 1].
        draws: Not used.
        p: In [0, 1].
    """
    sigma = SIGMA * p
    reach = math.floor(3 * sigma)
    if not reach:
        return images
    places = torch.arange(-reach, reach + 1, dtype=torch.float64)
    bell = torch.exp2(-((places / sigma) ** 2))
    return filter2d(images, (bell / bell.sum()).to(images))
