"""Precision, recall, density and coverage: sets as unions of balls around their points.

Precision and recall: Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric", sec. 2. Density and coverage: Naeem et
al. 2020, "Reliable Fidelity and Diversity Metrics", sec. 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.metrics.distances import by_rows, radii
from ganzoo.metrics.features import FeatureBatch
from ganzoo.metrics.sets import Sets

PRECISION_K = 3  # of the paper's experiments
DENSITY_K = 5  # likewise


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1]: generated samples that lie among the reference ones, and reference ones that generated ones reach."""

    precision: float
    recall: float


@dataclass(frozen=True)
class DensityCoverage:
    """How many reference balls a generated sample lies in, over ``k``; and the share of reference balls that hold one."""

    density: float
    coverage: float


def precision_recall(generated: Tensor, reference: Tensor, k: int = PRECISION_K) -> PrecisionRecall:
    """Improved precision and recall of features ``[N, D]`` against ``[M, D]``.

    Each point is the centre of a ball that reaches its ``k``-th nearest neighbour in its own set (eq. 1). Precision is the
    share of generated points inside any reference ball, recall the share of reference points inside any generated ball (eq. 2).
    Both depend on ``N``, ``M`` and ``k``: compare only figures of equal counts.

    Raises:
        InvalidValueError: ``k`` below 1, or a set that has not more than ``k`` points.
    """
    return _precision_recall(FeatureBatch(generated), FeatureBatch(reference), k)


def density_coverage(generated: Tensor, reference: Tensor, k: int = DENSITY_K) -> DensityCoverage:
    """Density and coverage of features ``[N, D]`` against ``[M, D]`` (eq. 4 and 5 of Naeem et al. 2020).

    Only reference points have balls, which reach their ``k``-th nearest neighbour, so outliers among generated points count for
    nothing. Density is the number of (ball, generated point) pairs over ``k N``; it may exceed 1. Coverage is in [0, 1].

    Raises:
        InvalidValueError: ``k`` below 1, no generated point, or not more than ``k`` reference points.
    """
    return _density_coverage(FeatureBatch(generated), FeatureBatch(reference), k)


def precision_recall_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``pr``."""
    found = _precision_recall(sets.generated, sets.reference, PRECISION_K)
    return {"precision": found.precision, "recall": found.recall}


def density_coverage_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``dc``."""
    found = _density_coverage(sets.generated, sets.reference, DENSITY_K)
    return {"density": found.density, "coverage": found.coverage}


def _precision_recall(generated: FeatureBatch, reference: FeatureBatch, k: int) -> PrecisionRecall:
    _check(k, generated, reference)
    precise = torch.zeros(len(generated), dtype=torch.bool)
    recalled = torch.zeros(len(reference), dtype=torch.bool)
    made, real = _radii(generated, k), _radii(reference, k)
    start = 0
    for chunk in by_rows(generated.features, reference.features):
        part = slice(start, start + len(chunk))
        precise[part] = (chunk <= real).any(1)
        recalled |= (chunk <= made[part, None]).any(0)
        start += len(chunk)
    return PrecisionRecall(precision=float(precise.double().mean()), recall=float(recalled.double().mean()))


def _density_coverage(generated: FeatureBatch, reference: FeatureBatch, k: int) -> DensityCoverage:
    _check(k, reference)
    if not len(generated):
        raise InvalidValueError("There is no generated sample to measure.")
    real = _radii(reference, k)
    held = torch.zeros(len(reference), dtype=torch.int64)
    for chunk in by_rows(generated.features, reference.features):
        held += (chunk <= real).sum(0)
    return DensityCoverage(density=float(held.sum()) / (k * len(generated)), coverage=float((held > 0).double().mean()))


def _radii(batch: FeatureBatch, k: int) -> Tensor:
    return batch.once(("radii", k), lambda points: radii(points, k))


def _check(k: int, *sets: FeatureBatch) -> None:
    if k < 1 or min(len(points) for points in sets) <= k:
        counts = " and ".join(str(len(points)) for points in sets)
        raise InvalidValueError(
            f"Sets of {counts} samples have no neighbour number {k}.", hint=f"Use more than {k} samples on both sides."
        )
