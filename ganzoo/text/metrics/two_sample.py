"""The classifier two-sample test (Lopez-Paz and Oquab 2017): can a linear classifier tell samples from real data?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics import Sets

FOLDS = 5
PENALTY = 1.0  # of the squared weights, whose prior is a standard normal distribution
STEPS = 50
_SMALL = 1e-8  # a step after which nothing changes any more
Array = NDArray[np.float64]


def two_sample_accuracy(generated: Tensor, reference: Tensor, *, seed: int = 0) -> float:
    """Share of held-out examples that a linear classifier assigns to the right set, over 5 folds: 0.5 is best, 1 worst.

    Logistic regression on features of mean 0 and deviation 1, weights penalised by half their squares. Both sets count as many
    examples as the smaller one has; which, and the folds, are drawn by ``seed``.

    Args:
        generated: Features ``[N, D]``.
        reference: Features ``[M, D]``.
        seed: Of the draws.

    Raises:
        InvalidValueError: fewer examples than folds.
        DataError: features that are not finite.
    """
    count = min(len(generated), len(reference))
    if count < FOLDS:
        raise InvalidValueError(f"A two-sample test needs at least {FOLDS} samples on both sides; one side has {count}.")
    rng = np.random.default_rng(seed)
    rows = [_numbers(each)[rng.permutation(len(each))[:count]] for each in (generated, reference)]
    found = []
    for fold in range(FOLDS):
        left_out = np.arange(count) % FOLDS == fold
        weights, mean, scale = _fit(rows[0][~left_out], rows[1][~left_out])
        sides = [(each[left_out] - mean) / scale @ weights[:-1] + weights[-1] for each in rows]
        found += [(sides[0] > 0).astype(float), (sides[1] < 0).astype(float)]
        found[-1] += 0.5 * (sides[1] == 0)  # undecided is half right
        found[-2] += 0.5 * (sides[0] == 0)
    return float(np.concatenate(found).mean())


def _fit(positive: Array, negative: Array) -> tuple[Array, Array, Array]:
    """Weights ``[D + 1]``, the bias last, and the mean and scale of the features."""
    x = np.concatenate([positive, negative])
    mean, scale = x.mean(0), x.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    x = np.concatenate([(x - mean) / scale, np.ones((len(x), 1))], axis=1)
    signs = np.repeat([1.0, -1.0], [len(positive), len(negative)])
    penalty = np.full(x.shape[1], PENALTY)
    penalty[-1] = 0.0  # not of the bias
    return _newton(x, signs, penalty), mean, scale


def _newton(x: Array, signs: Array, penalty: Array) -> Array:
    """Minimum of ``sum log(1 + exp(-s x.w)) + penalty w^2 / 2``: Newton's steps, halved where they lead up."""
    weights = np.zeros(x.shape[1])
    before = _loss(x, signs, penalty, weights)
    for _ in range(STEPS):
        wrong = 0.5 * (1 - np.tanh(0.5 * signs * (x @ weights)))  # the probability of the other set, without overflow
        gradient = -x.T @ (signs * wrong) + penalty * weights
        curvature = (x * (wrong * (1 - wrong))[:, None]).T @ x + np.diag(penalty)
        curvature[-1, -1] += 1e-9  # the bias alone is not penalised: never singular
        step: Any = np.linalg.solve(curvature, gradient)
        size = 1.0
        while (after := _loss(x, signs, penalty, weights - size * step)) > before and size > _SMALL:
            size /= 2
        weights, before = weights - size * step, min(after, before)
        if np.abs(size * step).max() < _SMALL:
            break
    return weights


def _loss(x: Array, signs: Array, penalty: Array, weights: Array) -> float:
    return float(np.logaddexp(0, -signs * (x @ weights)).sum() + 0.5 * penalty @ weights**2)


def _numbers(features: Tensor) -> Array:
    numbers: Array = features.detach().cpu().double().numpy()
    if not np.isfinite(numbers).all():
        raise DataError("The features contain values that are not finite.")
    return numbers


def two_sample_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``c2st``."""
    return {"two-sample-accuracy": two_sample_accuracy(sets.generated.features, sets.reference.features, seed=sets.seed)}
