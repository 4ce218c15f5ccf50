"""Filters designed anew do what they are for, and are those of the textbook formulas."""

import math

import numpy as np
import pytest
import torch

from ganzoo_stylegan.stylegan3.lowpass import bessel_j1, kaiser_beta, lowpass

CASES = [(12, 2.0, 12.0, 32.0), (24, 4.0, 10.0, 64.0), (7, 3.0, 5.0, 20.0), (16, 8.0, 9.0, 64.0), (6, 1.0, 0.5, 16.0)]


def series(x: np.ndarray) -> np.ndarray:
    """The Bessel function by its power series, which is good for arguments that are not large."""
    terms = [(-1) ** k / (math.factorial(k) * math.factorial(k + 1)) * (x / 2) ** (2 * k + 1) for k in range(60)]
    return np.sum(terms, axis=0)


def test_the_bessel_function_is_that_of_the_tables() -> None:
    """To all digits; PyTorch's has seven."""
    x = torch.tensor([0.0, 0.5, 3.0, 12.0, 60.0], dtype=torch.float64)
    tabulated = [0.0, 0.24226845767487387, 0.33905895852593654, -0.2234471044906276, 0.046598383758166224]
    assert torch.allclose(bessel_j1(x), torch.tensor(tabulated, dtype=torch.float64), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("taps", "cutoff", "width", "rate"), CASES)
@pytest.mark.parametrize("radial", [False, True])
def test_the_formulas(taps: int, cutoff: float, width: float, rate: float, radial: bool) -> None:
    place = (np.arange(taps) - (taps - 1) / 2) / rate
    window = np.kaiser(taps, kaiser_beta(taps, 2 * width / rate))
    if radial:
        radius = np.hypot(place[:, None], place)
        with np.errstate(invalid="ignore", divide="ignore"):
            ideal = np.where(radius > 0, series(2 * math.pi * cutoff * radius) / (math.pi * radius), cutoff)
        f = ideal * np.outer(window, window)
    else:
        f = np.sinc(2 * cutoff * place) * window
    made = lowpass(taps, cutoff, width, rate, radial=radial)
    assert made.dtype == torch.float32
    assert np.allclose(made.numpy(), f / f.sum(), atol=1e-7)


def test_kaisers_three_ranges() -> None:
    """Attenuations of about 15, 40 and 60 decibels: no window, the curved formula, the straight one."""
    for taps, width, wanted in ((5, 0.25, 0.0), (12, 0.4, 3.35), (30, 0.25, 5.64)):
        attenuation = 2.285 * (taps - 1) * math.pi * width + 7.95
        assert kaiser_beta(taps, width) == pytest.approx(wanted, abs=0.02), attenuation


def test_what_passes_and_what_does_not() -> None:
    f = lowpass(24, 4.0, 10.0, 64.0).double()
    place = (torch.arange(24) - 11.5) / 64

    def gain(frequency: float) -> float:
        return float((f * torch.cos(2 * math.pi * frequency * place)).sum())

    assert gain(0) == pytest.approx(1, abs=1e-6)
    assert gain(4) == pytest.approx(0.5, abs=0.03)
    assert all(abs(gain(frequency)) < 0.01 for frequency in (12, 16, 24, 31))


def test_radial_filters_look_the_same_from_everywhere() -> None:
    """A wave of one frequency is passed alike whatever its direction; a separable filter favours the axes."""
    place = (torch.arange(12) - 5.5) / 32
    gains = {}
    for radial in (True, False):
        f = lowpass(12, 4.0, 6.0, 32.0, radial=radial).double()
        f = f if radial else torch.outer(f, f)
        found = []
        for angle in (0.0, 0.3, math.pi / 4):
            phase = place[:, None] * math.sin(angle) + place * math.cos(angle)
            found.append(float((f * torch.cos(2 * math.pi * 5 * phase)).sum()))
        gains[radial] = max(found) - min(found)
    assert gains[True] < 0.2 * gains[False]
