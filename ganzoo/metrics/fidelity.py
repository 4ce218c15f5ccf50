"""Metrics that torch-fidelity computes, on the features of any space: kernel distance and Inception score.

Only its functions on ready features are used: it reads no pictures and downloads no network. Needs the extra ``evaluation``.
"""

from collections.abc import Mapping

from torch import Tensor
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics.sets import Sets, needs_classes

SUBSETS = 100
SUBSET_SIZE = 1000
SPLITS = 10


def kernel_distance(generated: Tensor, reference: Tensor, *, seed: int = 0) -> Mapping[str, float]:
    """Kernel distance of features ``[N, D]`` and ``[M, D]`` (Bińkowski et al. 2018, sec. 4), in float64.

    The unbiased estimate of the squared maximum mean discrepancy with the kernel ``(x.y / D + 1)^3``: mean and standard
    deviation over 100 random subsets of 1,000 samples, or of as many as the smaller set has. May be below 0.

    Raises:
        InvalidValueError: a set of fewer than 2 samples.
    """
    size = min(SUBSET_SIZE, len(generated), len(reference))
    if size < 2:
        raise InvalidValueError("A kernel distance needs at least 2 samples on both sides.")
    found = kid_features_to_metric(
        generated.double(), reference.double(), kid_subsets=SUBSETS, kid_subset_size=size, rng_seed=seed, verbose=False
    )
    return {"kernel-distance": found[KEY_METRIC_KID_MEAN], "kernel-distance-deviation": found[KEY_METRIC_KID_STD]}


def inception_score(scores: Tensor, *, splits: int = SPLITS, seed: int = 0) -> Mapping[str, float]:
    """``exp(E KL(p(y|x) || p(y)))`` of class scores (logits) ``[N, K]`` (Salimans et al. 2016, sec. 4), in float64.

    Mean and standard deviation over ``splits`` equal parts of the samples in random order; in [1, K].

    Raises:
        InvalidValueError: fewer samples than parts.
        DataError: scores that are not finite.
    """
    if len(scores) < splits:
        raise InvalidValueError(f"An Inception score over {splits} parts needs at least {splits} samples, not {len(scores)}.")
    if not scores.isfinite().all():
        raise DataError("The class scores contain values that are not finite.")
    found = isc_features_to_metric(scores, splits=splits, shuffle=True, rng_seed=seed)
    return {"inception-score": found[KEY_METRIC_ISC_MEAN], "inception-score-deviation": found[KEY_METRIC_ISC_STD]}


def kernel_distance_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``kid``."""
    return kernel_distance(sets.generated.features, sets.reference.features, seed=sets.seed)


@needs_classes
def inception_score_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``is``, with the classifier of the feature space."""
    return inception_score(sets.scores[0], seed=sets.seed)
