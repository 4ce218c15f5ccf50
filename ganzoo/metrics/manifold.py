"""Precision and recall by nearest neighbours (Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric", sec. 2)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError

_CHUNK = 1024  # rows of the distance matrix held at once


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1]: generated samples that lie among the reference ones, and reference ones that generated ones reach."""

    precision: float
    recall: float


def precision_recall(generated: Tensor, reference: Tensor, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall of features ``[N, D]`` against ``[M, D]``.

    Each point is the centre of a ball that reaches its ``k``-th nearest neighbour in its own set (eq. 1). Precision is the
    share of generated points inside any reference ball, recall the share of reference points inside any generated ball (eq. 2).
    Both depend on ``N``, ``M`` and ``k``: compare only figures of equal counts.

    Raises:
        InvalidValueError: ``k`` below 1, or a set that has not more than ``k`` points.
    """
    if k < 1 or min(len(generated), len(reference)) <= k:
        raise InvalidValueError(f"Sets of {len(generated)} and {len(reference)} samples have no neighbour number {k}.")
    a, b = generated.double(), reference.double()
    return PrecisionRecall(precision=_covered(a, b, _radii(b, k)), recall=_covered(b, a, _radii(a, k)))


def precision_recall_metric(generated: Tensor, reference: Tensor) -> Mapping[str, float]:
    """The metric ``precision-recall`` of features ``[N, D]`` and ``[M, D]``, with k = 3."""
    both = precision_recall(generated, reference)
    return {"precision": both.precision, "recall": both.recall}


def _radii(points: Tensor, k: int) -> Tensor:
    """Distance ``[N]`` of each point to its ``k``-th nearest neighbour; the point itself does not count."""
    radii = []
    for start in range(0, len(points), _CHUNK):
        distances = _distances(points[start : start + _CHUNK], points)
        rows = torch.arange(len(distances))
        distances[rows, start + rows] = -1.0  # itself comes first, also when it has duplicates
        radii.append(distances.kthvalue(k + 1, dim=1).values)
    return torch.cat(radii)


def _covered(points: Tensor, centres: Tensor, radii: Tensor) -> float:
    inside = [(_distances(chunk, centres) <= radii).any(1) for chunk in torch.split(points, _CHUNK)]
    return float(torch.cat(inside).double().mean())


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # Not through inner products, which make distances near zero wrong by 1e-6 and more: duplicates have radius zero.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
