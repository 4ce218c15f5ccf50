"""Image-space filtering (Karras et al. 2020a, appendix B): four octave bands amplified by random factors."""

from functools import cache

import torch
from torch import Tensor

from ganzoo.training.augment.ada.reflection import filter_matrix, separably
from ganzoo.training.augment.ada.wavelets import octave_bands
from ganzoo.training.augment.gates import HOST, changed_where, chosen
from ganzoo.training.draws import Draws

GAIN = 1.0  # standard deviation of the binary logarithm of an amplification
POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # of the bands in a natural image, whose spectrum falls as 1/f


def bands(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Each of four frequency bands amplified by ``2 ** N(0, 1)`` with probability ``p``.

    After each amplification all four are scaled so that an image with the expected spectrum keeps its power. Beyond its border
    an image is reflected.
    """
    n = len(images)
    gains, mask = _drawn(n, draws, p)
    return changed_where(mask, images, lambda x, index: amplified(x, gains[index]))


def amplified(images: Tensor, gains: Tensor) -> Tensor:
    """``images [N, C, H, W]`` filtered along both axes, the bands, from low to high, multiplied by ``gains [N, 4]``."""
    gains = gains.to(images.dtype).to(images.device)
    rows, columns = (
        torch.einsum("nb,bij->nij", gains, _matrices(side).to(images.dtype).to(images.device)) for side in images.shape[2:]
    )
    return separably(rows[:, None], images, columns[:, None])


def _drawn(n: int, draws: Draws, p: float) -> tuple[Tensor, Tensor]:
    """Gains ``[N, 4]`` and whether they change anything, ``[N]``."""
    gains, mask = torch.ones(n, len(POWER), dtype=torch.float64), torch.zeros(n, dtype=torch.bool)
    for band in range(len(POWER)):
        factors = torch.ones(n, len(POWER), dtype=torch.float64)
        factors[:, band] = torch.exp2(GAIN * draws.normal(n, like=HOST))
        gate = chosen(n, p, draws)
        gains = torch.where(gate[:, None], gains * unit_power(factors), gains)
        mask = mask | gate
    return gains, mask


def unit_power(factors: Tensor) -> Tensor:
    """``factors [N, 4]`` scaled so that the expected power of a natural image stays what it is."""
    return factors / (factors.square() @ torch.tensor(POWER, dtype=factors.dtype)).sqrt()[:, None]


@cache
def _matrices(size: int) -> Tensor:
    """The bands' filters with reflection, ``[4, size, size]`` in double precision."""
    filters = octave_bands()
    starts = torch.arange(size) - filters.shape[1] // 2
    return torch.stack([filter_matrix(taps.expand(size, -1), starts, size) for taps in filters])
