"""Orthogonal wavelet low-pass filters and what the paper builds of them (Daubechies 1992, tables 6.1 and 6.3)."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

# The least asymmetric filter with six vanishing moments.
SYM6: tuple[float, ...] = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
_ROOT3 = math.sqrt(3)
# With two vanishing moments, in closed form.
SYM2: tuple[float, ...] = tuple(x / (4 * math.sqrt(2)) for x in (1 - _ROOT3, 3 - _ROOT3, 3 + _ROOT3, 1 + _ROOT3))


def octave_bands() -> Tensor:
    """Symmetric filters ``[4, 43]`` (double precision) of the bands [0, π/8], [π/8, π/4], [π/4, π/2] and [π/2, π].

    With ``L(z) = H(z) H(1/z) / 2`` of sym2 and ``U(z) = L(-z)``, which sum to 1, the bands are ``L(z) L(z²) L(z⁴)``,
    ``L(z) L(z²) U(z⁴)``, ``L(z) U(z²)`` and ``U(z)`` (Karras et al. 2020a, appendix B); so they sum to 1 too.
    """
    taps = torch.tensor(SYM2, dtype=torch.float64)
    low = _product(taps, taps.flip(0)) / 2
    alternating = (-1.0) ** (torch.arange(len(low)) - len(low) // 2)
    high = low * alternating
    bands = [high]
    below = low
    for spacing in (2, 4):
        bands.insert(0, _product(below, _spaced(high, spacing)))
        below = _product(below, _spaced(low, spacing))
    bands.insert(0, below)
    longest = len(below)
    return torch.stack([F.pad(band, ((longest - len(band)) // 2,) * 2) for band in bands])


def _product(a: Tensor, b: Tensor) -> Tensor:
    """The filter that applies both."""
    return F.conv1d(a[None, None], b.flip(0)[None, None], padding=len(b) - 1)[0, 0]


def _spaced(taps: Tensor, spacing: int) -> Tensor:
    """The filter of ``z`` to the power ``spacing``."""
    spaced = taps.new_zeros((len(taps) - 1) * spacing + 1)
    spaced[::spacing] = taps
    return spaced
