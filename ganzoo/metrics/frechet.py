"""The Fréchet distance of two Gaussians (Dowson and Landau 1982; as a metric of generators: Heusel et al. 2017, sec. 3).

``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``. With any factors ``C = F F^T`` the trace of the root is the sum of the singular
values of ``F1^T F2``: no root of a matrix that need not be symmetric, and singular covariances are nothing special.

In numpy, whose routines for symmetric matrices take half the time of torch's on the CPU.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.errors import DataError
from ganzoo.metrics.features import FeatureBatch
from ganzoo.metrics.sets import Sets

Array = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
_NEARLY_SINGULAR = 1e-5  # ratio of standard deviations
_SMALL = 256  # rows up to which singular values cost nothing
_DOUBT = 1e-7  # of the distance: when more than that is in doubt, it is computed the slow way
_NOISE = 32 * _EPS  # of the largest eigenvalue: what each eigenvalue is uncertain by


def frechet_distance(mean_1: Tensor, covariance_1: Tensor, mean_2: Tensor, covariance_2: Tensor) -> float:
    """Squared Fréchet distance of ``N(mean_1, covariance_1)`` and ``N(mean_2, covariance_2)``, in float64.

    Args:
        mean_1: ``[D]``.
        covariance_1: ``[D, D]``, symmetric, positive semidefinite.
        mean_2: ``[D]``.
        covariance_2: ``[D, D]``.

    Raises:
        DataError: a value that is not finite.
    """
    return _distance((_numbers(mean_1), _factor(covariance_1)), (_numbers(mean_2), _factor(covariance_2)))


def frechet_from_features(generated: Tensor, reference: Tensor) -> float:
    """Squared Fréchet distance of Gaussians fitted to features ``[N, D]`` and ``[M, D]`` (unbiased covariances), in float64.

    Raises:
        DataError: fewer than two rows, or a value that is not finite.
    """
    return _distance(_moments(generated), _moments(reference))


def frechet_from_batches(generated: FeatureBatch, reference: FeatureBatch) -> float:
    """As `frechet_from_features`; the statistics of either set are computed once and kept with it."""
    return _distance(generated.once("moments", _moments), reference.once("moments", _moments))


def frechet(sets: Sets) -> Mapping[str, float]:
    """The metric ``fid``. What it is called in papers holds for Inception's features only; the figure has the general name."""
    return {"frechet-distance": frechet_from_batches(sets.generated, sets.reference)}


def _moments(features: Tensor) -> tuple[Array, Array]:
    """Mean ``[D]`` and a factor ``F [D, R]`` of the covariance, ``R`` the smaller of ``D`` and ``N - 1``."""
    count = len(features)
    if count < 2:
        raise DataError(f"A covariance needs at least 2 samples; there are {count}.")
    rows = _numbers(features)
    mean = rows.mean(0)
    if not np.isfinite(mean).all():
        raise DataError("The features contain values that are not finite.", hint="The images they come from are broken.")
    centred = (rows - mean) / (count - 1) ** 0.5
    return mean, (_triangle(centred) if count > centred.shape[1] else _without_null(centred).T)


def _triangle(centred: Array) -> Array:
    """``F [D, D]`` with ``F F^T = A^T A`` for ``A [N, D]``: by Cholesky, or by QR where the covariance is nearly singular.

    Cholesky's way is faster; but squaring ``A`` loses half of the digits that small eigenvalues have.
    """
    lower = _cholesky(centred.T @ centred)
    if lower is not None and lower.diagonal().min() >= _NEARLY_SINGULAR * lower.diagonal().max():
        return lower
    upper: Any = np.linalg.qr(centred, mode="r")
    found: Array = upper.T
    return found


def _cholesky(matrix: Array) -> Array | None:
    try:
        lower: Any = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None  # not positive definite
    found: Array = lower
    return found


def _without_null(centred: Array) -> Array:
    """``N - 1`` rows with the same ``A^T A``: reflected such that the sum of all rows, which is zero, is the last one."""
    normal = np.full(len(centred), len(centred) ** -0.5)
    normal[-1] -= 1
    reflected: Array = centred - np.outer(normal * (2 / (normal @ normal)), normal @ centred)
    return reflected[:-1]


def _factor(covariance: Tensor) -> Array:
    """``F`` with ``F F^T`` = ``covariance``; eigenvalues that are rounding errors of zero count as zero."""
    matrix = _numbers(covariance)
    if not np.isfinite(matrix).all():
        raise DataError("The covariance contains values that are not finite.")
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    kept = values > np.abs(values).max() * len(values) * _EPS
    factor: Array = vectors[:, kept] * np.sqrt(values[kept])
    return factor


def _distance(one: tuple[Array, Array], two: tuple[Array, Array]) -> float:
    (mean_1, factor_1), (mean_2, factor_2) = one, two
    apart = np.square(mean_1 - mean_2).sum() + np.square(factor_1).sum() + np.square(factor_2).sum()
    product: Array = factor_1.T @ factor_2
    if not product.size:
        return float(apart)
    if min(product.shape) > _SMALL:
        root, doubt = _fast_sum(product)
        if 2 * doubt <= _DOUBT * (apart - 2 * root):
            return float(apart - 2 * root)
    distance = apart - 2 * np.linalg.svd(product, compute_uv=False).sum()
    return max(0.0, float(distance))  # equal inputs may give a rounding error below zero


def _fast_sum(product: Array) -> tuple[float, float]:
    """The sum of the singular values as roots of eigenvalues, four times as fast, and how much of it is in doubt.

    An eigenvalue is right to some rounding errors of the largest; the root of one near zero therefore has few right digits.
    """
    square = product @ product.T if len(product) <= product.shape[1] else product.T @ product
    values = np.linalg.eigvalsh(square).clip(min=0)
    noise = _NOISE * values[-1]
    roots = np.sqrt(values)
    doubt = np.minimum(np.sqrt(noise), noise / (2 * np.maximum(roots, np.finfo(np.float64).tiny)))
    return float(roots.sum()), float(doubt.sum())


def _numbers(tensor: Tensor) -> Array:
    numbers: Any = tensor.detach().cpu().double().numpy()
    found: Array = numbers
    return found
