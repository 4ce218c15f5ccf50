"""The figures of the toy problems: modes captured, samples of high quality, balance (Lin et al. 2018, "PacGAN", sec. 4.1)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics import Sets
from ganzoo_toys.points import MixtureDataset

REACH = 3.0  # standard deviations around a mode in which a sample is of high quality
SAMPLES = 2500  # the papers' number of samples


@dataclass(frozen=True)
class ModeCoverage:
    """How a set of points covers the modes of a mixture of Gaussians.

    Attributes:
        modes: Modes with at least one sample within three standard deviations of their centre.
        high_quality: Share of the samples within three standard deviations of the nearest mode; of the mixture itself it is
            ``1 - exp(-9/2)`` = 0.989 in the plane.
        reverse_kl: ``sum_i q_i log(q_i K)`` in nats, where ``q_i`` is the share of all samples, however far away, whose nearest
            mode is ``i`` and ``K`` the number of modes; 0 when all are served alike, ``log K`` when only one is.
        counts: Samples of high quality of each mode, int64 ``[K]``.
    """

    modes: int
    high_quality: float
    reverse_kl: float
    counts: Tensor


def mode_coverage(points: Tensor, centres: Tensor, sigma: float) -> ModeCoverage:
    """The figures of ``points [N, D]`` against equally likely modes at ``centres [K, D]`` of standard deviation ``sigma``.

    The protocol of VEEGAN (Srivastava et al. 2017, sec. 4.1) and PacGAN has N = 2,500. One stray sample near a mode is enough
    to capture it: read `modes` together with the other two figures.

    Raises:
        InvalidValueError: no points or centres, different dimensions, a ``sigma`` that is not above 0.
        DataError: points that are not finite.
    """
    fits = points.dim() == centres.dim() == 2 and points.shape[1] == centres.shape[1]
    if not fits or not len(points) or not len(centres):
        raise InvalidValueError(f"Points {list(points.shape)} and centres {list(centres.shape)} must be [N, D] and [K, D].")
    if not sigma > 0:
        raise InvalidValueError(f"The standard deviation of the modes must be above 0, not {sigma}.")
    if not bool(points.isfinite().all()):
        raise DataError("There are points that are not finite.", hint="The generator has diverged, or its weights are damaged.")
    # Not through inner products, which lose the digits that three small standard deviations are made of.
    distances = torch.cdist(points.double(), centres.double(), compute_mode="donot_use_mm_for_euclid_dist")
    distance, nearest = distances.min(dim=1)
    good = distance <= REACH * sigma
    counts = torch.bincount(nearest[good], minlength=len(centres))
    share = torch.bincount(nearest, minlength=len(centres)).double() / len(points)
    return ModeCoverage(
        modes=int((counts > 0).sum()),
        high_quality=float(good.double().mean()),
        reverse_kl=float(torch.special.xlogy(share, share * len(centres)).sum()),
        counts=counts,
    )


def gaussian_modes(sets: Sets) -> Mapping[str, float]:
    """The metric ``gaussian-modes`` of generated points, where the real data are a mixture whose modes are known.

    Raises:
        DataError: other data.
    """
    if not isinstance(sets.data, MixtureDataset):
        raise DataError(
            f"The metric 'gaussian-modes' needs data whose modes are known, not {sets.data.name}.",
            hint="Use --data gaussians-8 or --data gaussians-25.",
        )
    found = mode_coverage(torch.cat(list(sets.examples)), sets.data.centres, sets.data.sigma)
    return {
        "gaussian-modes": float(found.modes),
        "high-quality": found.high_quality,
        "reverse-kl": found.reverse_kl,
    }
