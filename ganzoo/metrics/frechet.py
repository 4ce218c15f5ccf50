"""The Fréchet distance of two Gaussians (Dowson and Landau 1982; as a metric of generators: Heusel et al. 2017, sec. 3)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ganzoo.errors import DataError


def frechet_distance(mean_1: Tensor, covariance_1: Tensor, mean_2: Tensor, covariance_2: Tensor) -> float:
    """Squared Fréchet distance of ``N(mean_1, covariance_1)`` and ``N(mean_2, covariance_2)``, in float64.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``. With any factors ``C = F F^T`` the trace of the root is the sum of the
    singular values of ``F1^T F2``: no root of a matrix that need not be symmetric, and singular covariances are nothing
    special.

    Args:
        mean_1: ``[D]``.
        covariance_1: ``[D, D]``, symmetric, positive semidefinite.
        mean_2: ``[D]``.
        covariance_2: ``[D, D]``.

    Raises:
        DataError: a value that is not finite.
    """
    return _distance(mean_1.double(), _factor(covariance_1), mean_2.double(), _factor(covariance_2))


def frechet_from_features(generated: Tensor, reference: Tensor) -> float:
    """Squared Fréchet distance of Gaussians fitted to features ``[N, D]`` and ``[M, D]`` (unbiased covariances), in float64.

    Raises:
        DataError: fewer than two rows, or a value that is not finite.
    """
    return _distance(*_moments(generated), *_moments(reference))


def frechet(generated: Tensor, reference: Tensor) -> Mapping[str, float]:
    """The metric ``frechet-distance`` of features ``[N, D]`` and ``[M, D]``."""
    return {"frechet-distance": frechet_from_features(generated, reference)}


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean ``[D]`` and a factor ``F [D, R]`` of the covariance."""
    if len(features) < 2:
        raise DataError(f"A covariance needs at least 2 samples; there are {len(features)}.")
    rows = features.double()
    mean = rows.mean(0)
    centred = (rows - mean) / (len(rows) - 1) ** 0.5
    if not centred.isfinite().all():
        raise DataError("The features contain values that are not finite.", hint="The images they come from are broken.")
    # The triangular factor keeps the products small when there are more samples than features; C = A^T A = R^T R.
    factor = torch.linalg.qr(centred, mode="r").R if len(centred) > centred.shape[1] else centred
    return mean, factor.T


def _factor(covariance: Tensor) -> Tensor:
    """``F`` with ``F F^T`` = ``covariance``; eigenvalues that are rounding errors of zero count as zero."""
    matrix = covariance.double()
    if not matrix.isfinite().all():
        raise DataError("The covariance contains values that are not finite.")
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    smallest = values.abs().max() * len(values) * torch.finfo(torch.float64).eps
    factor: Tensor = vectors * torch.where(values > smallest, values, 0.0).sqrt()
    return factor


def _distance(mean_1: Tensor, factor_1: Tensor, mean_2: Tensor, factor_2: Tensor) -> float:
    root = torch.linalg.svdvals(factor_1.T @ factor_2).sum()
    spread = factor_1.square().sum() + factor_2.square().sum()
    distance = (mean_1 - mean_2).square().sum() + spread - 2 * root
    return max(0.0, float(distance))  # equal inputs may give a rounding error below zero
