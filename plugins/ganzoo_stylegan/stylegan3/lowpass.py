"""The low-pass filters of StyleGAN3 (Karras et al. 2021, appendix C): windowed by Kaiser, separable or radially symmetric."""

import math

import torch
from torch import Tensor

POINTS = 512  # of the integral; filters need it up to 2 pi cutoff over rate times their length, far below


def lowpass(taps: int, cutoff: float, width: float, rate: float, *, radial: bool = False) -> Tensor:
    """A filter of finite length that passes frequencies up to ``cutoff``.

    Args:
        taps: Its length.
        cutoff: Where it has half of its gain, in cycles per unit.
        width: From the end of the pass band to the beginning of the stop band, around ``cutoff``, in the same unit.
        rate: Samples per unit.
        radial: Rotationally symmetric, from the jinc function, instead of separable, from the sinc.

    Returns:
        ``[taps]``, or ``[taps, taps]`` for a radial one; float32, of sum 1.
    """
    places = (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / rate
    window = torch.kaiser_window(taps, periodic=False, beta=kaiser_beta(taps, width / (rate / 2)), dtype=torch.float64)
    if radial:
        ideal = _jinc(torch.hypot(places[:, None], places[None]), cutoff)
        window = torch.outer(window, window)
    else:
        ideal = torch.sinc(2 * cutoff * places)
    f = ideal * window
    return (f / f.sum()).float()


def kaiser_beta(taps: int, width: float) -> float:
    """The shape of the window with which a filter of that length has a transition that narrow (Kaiser 1974).

    Args:
        taps: Length of the filter.
        width: Of the transition, over half the sampling rate.
    """
    attenuation = 2.285 * (taps - 1) * math.pi * width + 7.95  # decibels in the stop band
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    if attenuation > 21:
        return 0.5842 * math.pow(attenuation - 21, 0.4) + 0.07886 * (attenuation - 21)
    return 0.0


def _jinc(radius: Tensor, cutoff: float) -> Tensor:
    """``J1(2 pi cutoff r) / (pi r)``, which is ``cutoff`` times a pass band in the shape of a disc; its limit where r is 0."""
    away = torch.where(radius > 0, radius, 1.0)
    return torch.where(radius > 0, bessel_j1(2 * math.pi * cutoff * away) / (math.pi * away), cutoff)


def bessel_j1(x: Tensor) -> Tensor:
    """The Bessel function of the first kind and order one, from Bessel's integral; exact to rounding up to 400.

    PyTorch's own is wrong in the seventh digit.
    """
    angles = (torch.arange(POINTS, dtype=x.dtype) + 0.5) * (math.pi / POINTS)
    # The integrand is periodic and smooth: equally spaced points are exact as soon as there are more than its oscillations.
    return torch.cos(angles - x[..., None] * angles.sin()).mean(-1)
