"""Differentiable augmentations by name, for real and generated images alike (Zhao et al. 2020, DiffAugment).

Applied to both sides, they do not leak into what the generator makes, as long as they can be told apart from what real images
do.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.training.names import unknown

Augmentation = Callable[[Tensor, torch.Generator], Tensor]
SHIFT = 1 / 8  # share of the image's side, Zhao et al. 2020, sec. 4
CUTOUT = 1 / 2


def translation(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each image moved by up to 1/8 of its side, in whole pixels; the border repeats itself (the paper fills with zeros)."""
    n, _, height, width = images.shape
    reach_y, reach_x = round(height * SHIFT), round(width * SHIFT)
    padded = F.pad(images, (reach_x, reach_x, reach_y, reach_y), mode="replicate")
    top = _integers(2 * reach_y + 1, n, rng, images.device)
    left = _integers(2 * reach_x + 1, n, rng, images.device)
    rows = top[:, None] + torch.arange(height, device=images.device)
    columns = left[:, None] + torch.arange(width, device=images.device)
    which = torch.arange(n, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(images: Tensor, rng: torch.Generator) -> Tensor:
    """A square of half the side set to 0 (mid-grey) in each image, centred anywhere in it."""
    n, _, height, width = images.shape
    inside_y = _stripe(height, _integers(height, n, rng, images.device))
    inside_x = _stripe(width, _integers(width, n, rng, images.device))
    hole = inside_y[:, :, None] & inside_x[:, None, :]
    return images.masked_fill(hole[:, None], 0.0)


def color(images: Tensor, rng: torch.Generator) -> Tensor:
    """Brightness shifted by up to 0.5, saturation times 0 … 2, contrast times 0.5 … 1.5, each drawn for each image."""
    brightness, saturation, contrast = (
        torch.rand(len(images), 1, 1, 1, generator=rng).to(images.device, images.dtype) for _ in range(3)
    )
    x = images + (brightness - 0.5)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (saturation * 2)
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


AUGMENTATIONS: dict[str, Augmentation] = {"color": color, "cutout": cutout, "translation": translation}


def augmentations(names: Sequence[str]) -> Augmentation:
    """All of ``names`` in that order as one; none of them is the identity.

    Raises:
        ConfigError: a name that does not exist; the message has the closest ones.
    """
    for name in names:
        if name not in AUGMENTATIONS:
            raise unknown("augmentation", name, list(AUGMENTATIONS))
    chosen = [AUGMENTATIONS[name] for name in names]

    def apply(images: Tensor, rng: torch.Generator) -> Tensor:
        for augmentation in chosen:
            images = augmentation(images, rng)
        return images

    return apply


def _integers(limit: int, n: int, rng: torch.Generator, device: torch.device) -> Tensor:
    """Drawn on the CPU, so that a run is the same whatever the device."""
    return torch.randint(limit, (n,), generator=rng).to(device)


def _stripe(size: int, centre: Tensor) -> Tensor:
    """``[N, size]``: which rows (or columns) are within the square around ``centre [N]``."""
    length = round(size * CUTOUT)
    offset = torch.arange(size, device=centre.device) - (centre[:, None] - length // 2)
    return (offset >= 0) & (offset < length)
