"""Bilinear sampling that can be differentiated twice by the images."""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F


def bilinear(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """``images [N, C, H, W]`` at the pixel positions ``x, y [N, H', W']``, clamped to the border: ``[N, C, H', W']``."""
    if not _differentiable_twice(images.device.type):
        return gathered(images, x, y)
    height, width = images.shape[2:]
    grid = torch.stack((x * (2 / max(width - 1, 1)) - 1, y * (2 / max(height - 1, 1)) - 1), -1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=True)


def gathered(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The same by plain indexing, for versions of torch whose own sampling has no second derivative."""
    n, channels, height, width = images.shape
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    right, bottom = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    flat = images.flatten(2)

    def at(column: Tensor, row: Tensor) -> Tensor:
        index = (row * width + column).long().view(n, 1, -1).expand(-1, channels, -1)
        return flat.gather(2, index).view(n, channels, *x.shape[1:])

    dx, dy = (x - left)[:, None], (y - top)[:, None]
    above = torch.lerp(at(left, top), at(right, top), dx)
    below = torch.lerp(at(left, bottom), at(right, bottom), dx)
    return torch.lerp(above, below, dy)


@cache
def _differentiable_twice(device: str) -> bool:
    """Whether ``grid_sample`` of this torch is, on such a device: tried out, since it depends on both."""
    with torch.inference_mode(False), torch.enable_grad():
        images = torch.ones(1, 1, 2, 2, device=device, requires_grad=True)
        grid = torch.zeros(1, 1, 1, 2, device=device)
        sampled = F.grid_sample(images, grid, align_corners=True).square().sum()
        try:
            (gradient,) = torch.autograd.grad(sampled, images, create_graph=True)
            torch.autograd.grad(gradient.sum(), images)
        except (RuntimeError, NotImplementedError):
            return False
    return True
