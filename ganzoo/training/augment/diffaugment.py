"""Differentiable augmentations for real and generated images alike (Zhao et al. 2020, "Differentiable augmentation").

Applied to both sides with ``p = 1``, they do not leak into what the generator makes, as long as it can be told from augmented
images what the real ones are like.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.training.augment.gates import changed_where, chosen
from ganzoo.training.draws import Draws

SHIFT = 1 / 8  # share of the image's side, Zhao et al. 2020, sec. 4
CUTOUT = 1 / 2


def translation(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Each image moved by up to 1/8 of its side, in whole pixels; the border repeats itself.

    The paper fills with zeros, which is mid-grey here: a frame that only augmented images have. Repeating the border keeps the
    pictures' own colours there.
    """
    n, _, height, width = images.shape
    mask = chosen(n, p, draws)
    reach_y, reach_x = round(height * SHIFT), round(width * SHIFT)
    top = draws.integers(2 * reach_y + 1, n, like=images)
    left = draws.integers(2 * reach_x + 1, n, like=images)

    def move(x: Tensor, index: Tensor) -> Tensor:
        padded = F.pad(x, (reach_x, reach_x, reach_y, reach_y), mode="replicate").permute(0, 2, 3, 1)
        index = index.to(x.device)
        rows = top[index, None] + torch.arange(height, device=x.device)
        columns = left[index, None] + torch.arange(width, device=x.device)
        which = torch.arange(len(x), device=x.device)[:, None, None]
        return padded[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    return changed_where(mask, images, move)


def cutout(images: Tensor, draws: Draws, p: float) -> Tensor:
    """A square of half the side set to 0 (mid-grey) in each image, centred anywhere in it."""
    n, _, height, width = images.shape
    mask = chosen(n, p, draws)
    inside_y = _stripe(height, draws.integers(height, n, like=images))
    inside_x = _stripe(width, draws.integers(width, n, like=images))
    hole = inside_y[:, :, None] & inside_x[:, None, :] & mask.to(images.device)[:, None, None]
    return images.masked_fill(hole[:, None], 0.0)


def color(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Brightness shifted by up to 0.5, saturation times 0 … 2, contrast times 0.5 … 1.5, each drawn for each image."""
    n = len(images)
    mask = chosen(n, p, draws)
    brightness, saturation, contrast = (draws.uniform(n, 1, 1, 1, like=images) for _ in range(3))

    def tint(x: Tensor, index: Tensor) -> Tensor:
        index = index.to(x.device)
        x = x + (brightness[index] - 0.5)
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * (saturation[index] * 2)
        mean = x.mean((1, 2, 3), keepdim=True)
        return mean + (x - mean) * (contrast[index] + 0.5)

    return changed_where(mask, images, tint)


def _stripe(size: int, centre: Tensor) -> Tensor:
    """``[N, size]``: which rows (or columns) are within the square around ``centre [N]``."""
    length = round(size * CUTOUT)
    offset = torch.arange(size, device=centre.device) - (centre[:, None] - length // 2)
    return (offset >= 0) & (offset < length)
