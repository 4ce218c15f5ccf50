"""The data sets: 8 Gaussians on a ring, 25 on a grid, and a swiss roll. Drawn anew from a fixed seed; nothing is downloaded.

Every split has the same number of points. ``train`` and ``test`` are independent draws of the same distribution.
"""

import math

import torch
from torch import Tensor

from ganzoo.data import VectorDataset
from ganzoo.errors import DataError

POINTS = 100_000  # of every split, as many as PacGAN's experiments draw
SEED = 1701
SPLITS = ("train", "test")
RING_RADIUS, RING_SIGMA = 2.0, 0.02  # Metz et al. 2017; VEEGAN and PacGAN have the same ring at half the scale
GRID_SPACING, GRID_SIGMA = 2.0, 0.05  # VEEGAN; PacGAN, sec. 4.1
ROLL_NOISE, ROLL_SCALE = 0.25, 7.5  # the swiss roll of Gulrajani et al. 2017, fig. 3
LICENCE = "CC0-1.0"


class MixtureDataset(VectorDataset):
    """Points of a mixture of round Gaussians of equal weight; the labels are the modes.

    Args:
        centres: float32 ``[K, D]``.
        sigma: Standard deviation of each Gaussian in each direction.
        name: How results cite it.
        points: How many, dealt to the modes in turn.
        seed: Of the draw.
    """

    def __init__(self, centres: Tensor, sigma: float, name: str, *, points: int, seed: int) -> None:
        rng = torch.Generator("cpu").manual_seed(seed)
        labels = torch.arange(points) % len(centres)
        noise = torch.randn(points, centres.shape[1], generator=rng, dtype=torch.float32)
        names = tuple(f"mode {i}" for i in range(len(centres)))
        super().__init__(centres[labels] + sigma * noise, name, labels=labels, class_names=names, licence=LICENCE)
        self.centres, self.sigma = centres, sigma


def gaussians_8(*, split: str = "train") -> MixtureDataset:
    """Eight modes evenly on a ring of radius 2, sigma 0.02 (Metz et al. 2017, Unrolled GAN, sec. 3.1).

    Raises:
        DataError: no such split.
    """
    angles = torch.arange(8) * (2 * math.pi / 8)
    centres = RING_RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)
    return _mixture(centres, RING_SIGMA, "gaussians-8", split)


def gaussians_25(*, split: str = "train") -> MixtureDataset:
    """25 modes on the grid {-4, -2, 0, 2, 4} x {-4, -2, 0, 2, 4}, sigma 0.05 (Srivastava et al. 2017; Lin et al. 2018).

    Raises:
        DataError: no such split.
    """
    steps = GRID_SPACING * torch.arange(-2, 3, dtype=torch.float32)
    return _mixture(torch.cartesian_prod(steps, steps), GRID_SIGMA, "gaussians-25", split)


def swiss_roll(*, split: str = "train") -> VectorDataset:
    """A spiral in the plane: ``t (cos t, sin t)`` with ``t`` uniform in [1.5 pi, 4.5 pi], noise 0.25, over 7.5.

    Raises:
        DataError: no such split.
    """
    rng = torch.Generator("cpu").manual_seed(_seed(split, "swiss-roll"))
    t = 1.5 * math.pi * (1 + 2 * torch.rand(POINTS, generator=rng, dtype=torch.float32))
    spiral = torch.stack([t * t.cos(), t * t.sin()], dim=1)
    noise = torch.randn(POINTS, 2, generator=rng, dtype=torch.float32)
    return VectorDataset((spiral + ROLL_NOISE * noise) / ROLL_SCALE, f"swiss-roll/{split}", licence=LICENCE)


def _mixture(centres: Tensor, sigma: float, name: str, split: str) -> MixtureDataset:
    return MixtureDataset(centres, sigma, f"{name}/{split}", points=POINTS, seed=_seed(split, name))


def _seed(split: str, name: str) -> int:
    if split not in SPLITS:
        raise DataError(f"{name} has no split '{split}'.", hint=f"Use {' or '.join(SPLITS)}.")
    return SEED + SPLITS.index(split)
