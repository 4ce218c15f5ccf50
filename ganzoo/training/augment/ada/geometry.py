"""General geometric transformations (Karras et al. 2020a, appendix B): resampled between orthogonal low-pass filters."""

import math
from functools import cache

import torch
from torch import Tensor

from ganzoo.training.augment.ada.composition import composed
from ganzoo.training.augment.ada.lookup import bilinear
from ganzoo.training.augment.ada.reflection import filter_matrix, reflected, separably
from ganzoo.training.augment.ada.wavelets import SYM6
from ganzoo.training.augment.gates import HOST, changed_where
from ganzoo.training.draws import Draws

SCALE = 0.2  # standard deviation of the binary logarithm of a scale
SHIFT = 0.125  # standard deviation of a translation, as a share of the side

# Doubling delays by the filter's first moment; a lookup that forgets it would turn about a point beside the centre.
DELAY = sum(k * tap for k, tap in enumerate(SYM6)) / sum(SYM6)
FIRST = 5  # tap that stands over the pixel itself
BEFORE, AFTER = FIRST, len(SYM6) - 1 - FIRST  # taps on either side of it
MARGIN = len(SYM6) // 2  # samples of doubled resolution kept beyond each border


def geometry(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Scaling, rotation, anisotropic scaling, rotation and translation, drawn with probability ``p``.

    Both scales are ``2 ** N(0, 0.2²)``, angles are uniform, and one of the two rotations happens with probability ``p``
    (``1 - sqrt(1 - p)`` each); the translation is ``N(0, 0.125²)`` of each side. Beyond its border an image is reflected.
    """
    n, _, height, width = images.shape
    matrices, mask = _drawn(n, width, height, draws, p)
    return changed_where(mask, images, lambda x, index: transformed(x, matrices[index]))


def transformed(images: Tensor, matrices: Tensor) -> Tensor:
    """``images [N, C, H, W]`` moved by ``matrices [N, 3, 3]``.

    The matrices act on pixel positions ``(x, y, 1)`` relative to the centre, x to the right and y down. The image is doubled in
    resolution, looked up bilinearly and halved again with the time-reversed filter, which undoes the doubling exactly; beyond
    its border it is reflected, without a limit (the paper pads by what the batch needs, at most the image's own size).
    """
    height, width = images.shape[2:]
    inverse = torch.linalg.inv(matrices).to(images.dtype).to(images.device)
    x = _positions(width).to(images.dtype).to(images.device)
    y = _positions(height).to(images.dtype).to(images.device)[:, None]
    source_x = inverse[:, 0, 0, None, None] * x + inverse[:, 0, 1, None, None] * y + inverse[:, 0, 2, None, None]
    source_y = inverse[:, 1, 0, None, None] * x + inverse[:, 1, 1, None, None] * y + inverse[:, 1, 2, None, None]
    (up_y, down_y), (up_x, down_x) = (
        tuple(m.to(images.dtype).to(images.device) for m in _resampling(s)) for s in (height, width)
    )
    doubled = separably(up_y, images, up_x)
    moved = bilinear(doubled, _samples(source_x, width), _samples(source_y, height))
    return separably(down_y, moved, down_x)


def _drawn(n: int, width: int, height: int, draws: Draws, p: float) -> tuple[Tensor, Tensor]:
    """Matrices ``[N, 3, 3]`` in the order of the paper, and whether they change anything, ``[N]``."""
    p_rotation = 1 - math.sqrt(1 - min(p, 1))
    isotropic, anisotropic = (torch.exp2(SCALE * draws.normal(n, like=HOST)) for _ in range(2))
    before, after = (rotate((2 * draws.uniform(n, like=HOST) - 1) * math.pi) for _ in range(2))
    right, down = (SHIFT * side * draws.normal(n, like=HOST) for side in (width, height))
    factors = [
        (p, stretch(isotropic, isotropic)),
        (p_rotation, before),
        (p, stretch(anisotropic, 1 / anisotropic)),
        (p_rotation, after),
        (p, translate(right, down)),
    ]
    return composed(factors, draws)


def stretch(x: Tensor, y: Tensor) -> Tensor:
    """``[N, 3, 3]`` that scale by ``x`` and ``y``, each ``[N]``."""
    return torch.diag_embed(torch.stack((x, y, torch.ones_like(x)), -1))


def rotate(angle: Tensor) -> Tensor:
    """``[N, 3, 3]`` that turn counter-clockwise, as one sees an image, by ``angle [N]`` in radians."""
    cosine, sine = angle.cos(), angle.sin()
    matrices = torch.eye(3, dtype=angle.dtype).repeat(len(angle), 1, 1)
    matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 0], matrices[:, 1, 1] = cosine, sine, -sine, cosine
    return matrices


def translate(x: Tensor, y: Tensor) -> Tensor:
    """``[N, 3, 3]`` that move by ``x`` to the right and ``y`` down, each ``[N]`` in pixels."""
    matrices = torch.eye(3, dtype=x.dtype).repeat(len(x), 1, 1)
    matrices[:, 0, 2], matrices[:, 1, 2] = x, y
    return matrices


@cache
def _resampling(size: int) -> tuple[Tensor, Tensor]:
    """Doubling, ``[2 size + 2 MARGIN, size]``, and halving, ``[size, 2 size + 10]``; double precision."""
    taps = torch.tensor(SYM6, dtype=torch.float64) * math.sqrt(2)
    samples = torch.arange(-MARGIN, 2 * size + MARGIN)
    # Sample t is the sum over pixels n of x[n] * taps[t + FIRST - 2n]: every second tap, the last one first.
    newest = (samples + FIRST).div(2, rounding_mode="floor")
    phase = (samples + FIRST).remainder(2)
    by_phase = torch.stack((taps[0::2].flip(0), taps[1::2].flip(0)))
    doubling = filter_matrix(by_phase[phase], newest - (len(SYM6) // 2 - 1), size)
    halving = torch.zeros(size, 2 * size + BEFORE + AFTER - 1, dtype=torch.float64)
    for k, tap in enumerate(taps):
        halving[torch.arange(size), 2 * torch.arange(size) + k] = tap / 2
    return doubling, halving


@cache
def _positions(size: int) -> Tensor:
    """Where the samples that are halved stand, in pixels from the centre; ``[2 size + 10]`` in double precision."""
    samples = torch.arange(-BEFORE, 2 * size + AFTER - 1, dtype=torch.float64)
    return (samples + FIRST - DELAY) / 2 - (size - 1) / 2


def _samples(positions: Tensor, size: int) -> Tensor:
    """From positions in pixels from the centre to indices into the doubled samples, reflected where there are none."""
    pixels = positions + (size - 1) / 2
    index = 2 * pixels + (DELAY - FIRST + MARGIN)
    inside = (index >= 0) & (index <= 2 * size + 2 * MARGIN - 1)
    return torch.where(inside, index, 2 * reflected(pixels, size) + (DELAY - FIRST + MARGIN))
