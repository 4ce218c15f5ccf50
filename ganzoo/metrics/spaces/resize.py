"""Scaling images for a network; always with antialiasing, without which figures measure the resizer (Parmar et al. 2022)."""

from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import DataError


def resize(images: Tensor, size: tuple[int, int], mode: str = "bicubic") -> Tensor:
    """Images ``[N, C, H, W]`` in [-1, 1] scaled to ``size``, height and width, in [-1, 1]."""
    if images.shape[-2:] == size:
        return images
    return F.interpolate(images, size=size, mode=mode, antialias=True, align_corners=False).clamp(-1, 1)


def as_rgb(images: Tensor, name: str) -> Tensor:
    """Grey or colour images ``[N, 1 | 3, H, W]`` with three channels.

    Raises:
        DataError: no such images; ``name`` is the feature space.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3):
        raise DataError(
            f"The feature space '{name}' needs images [N, 1 | 3, H, W], not {list(images.shape)}.", hint="For points use raw."
        )
    return images.expand(-1, 3, -1, -1)
