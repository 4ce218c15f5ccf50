"""MAUVE (Pillutla et al. 2021), computed by the package ``mauve-text`` on the features of any space."""

from collections.abc import Mapping

from mauve import compute_mauve
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.metrics import Sets


def mauve_score(generated: Tensor, reference: Tensor, *, seed: int = 0) -> float:
    """Area under the curve of the divergences of both sets from their mixtures, quantised by k-means; in [0, 1], 1 is best.

    Args:
        generated: Features ``[N, D]``.
        reference: Features ``[M, D]``.
        seed: Of the clustering.

    Raises:
        InvalidValueError: a set of fewer than 2 samples.
    """
    if min(len(generated), len(reference)) < 2:
        raise InvalidValueError("MAUVE needs at least 2 samples on both sides.")
    found = compute_mauve(
        p_features=reference.detach().cpu().float().numpy(),
        q_features=generated.detach().cpu().float().numpy(),
        seed=seed,
        verbose=False,
    )
    return float(found.mauve)


def mauve_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``mauve``."""
    return {"mauve": mauve_score(sets.generated.features, sets.reference.features, seed=sets.seed)}
