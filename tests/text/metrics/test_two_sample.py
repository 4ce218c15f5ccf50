"""The two-sample test: chance where there is nothing to tell, the best linear accuracy where there is."""

import importlib.util
import math

import pytest
import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError, MissingExtraError
from ganzoo.metrics import builtin_metrics
from ganzoo.text.metrics import two_sample_accuracy
from ganzoo.text.metrics.two_sample import PENALTY, _fit
from tests.metrics.toys import sets_of


def normal(count: int, size: int, seed: int) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def test_equal_distributions_cannot_be_told() -> None:
    assert two_sample_accuracy(normal(2000, 5, 0), normal(2000, 5, 1)) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_shifted_gaussians_are_told_as_often_as_the_best_classifier_does(shift: float) -> None:
    """Which errs with the probability that a standard normal number is below ``-shift / 2``."""
    other = normal(3000, 4, 1)
    other[:, 2] += shift
    best = 0.5 * (1 + math.erf(shift / 2 / 2**0.5))
    assert two_sample_accuracy(normal(3000, 4, 0), other) == pytest.approx(best, abs=0.02)


def test_what_differs_but_not_linearly_is_not_seen() -> None:
    assert two_sample_accuracy(normal(2000, 3, 0), 3 * normal(2000, 3, 1)) == pytest.approx(0.5, abs=0.04)


def test_edges() -> None:
    x = normal(60, 8, 0)
    assert two_sample_accuracy(x, x + 1000) == 1.0  # separable: the weights stay finite
    assert two_sample_accuracy(torch.zeros(20, 3), torch.zeros(50, 3)) == 0.5  # nothing at all to see
    assert two_sample_accuracy(normal(40, 300, 0), normal(40, 300, 1)) < 0.7  # more features than samples
    assert two_sample_accuracy(x, x[:30] + 1000, seed=5) == 1.0
    one, same, other = (two_sample_accuracy(x, normal(90, 8, 1), seed=s) for s in (1, 1, 2))
    assert one == same != other


def test_the_fit_is_a_minimum() -> None:
    """Where the gradient of the penalised loss is zero: found by automatic differentiation."""
    a, b = normal(50, 3, 0).double(), normal(50, 3, 1).double() + 0.7
    weights, mean, scale = _fit(a.numpy(), b.numpy())
    w = torch.tensor(weights, requires_grad=True)
    x = (torch.cat([a, b]) - torch.tensor(mean)) / torch.tensor(scale)
    signs = torch.tensor([1.0] * 50 + [-1.0] * 50)
    loss = torch.nn.functional.softplus(-signs * (x @ w[:-1] + w[-1])).sum() + PENALTY / 2 * w[:-1].square().sum()
    (gradient,) = torch.autograd.grad(loss, w)
    assert gradient.abs().max() < 1e-6


def test_what_cannot_be_told_apart() -> None:
    with pytest.raises(InvalidValueError, match="at least 5 samples on both sides; one side has 4"):
        two_sample_accuracy(normal(4, 2, 0), normal(90, 2, 1))
    with pytest.raises(DataError, match="not finite"):
        two_sample_accuracy(torch.full((9, 2), math.nan), normal(9, 2, 1))


def test_the_metric() -> None:
    (metric,) = builtin_metrics("c2st")
    x, y = normal(50, 2, 0), normal(50, 2, 1) + 0.3
    assert metric.compute(sets_of(x, y, seed=3)) == {"two-sample-accuracy": two_sample_accuracy(x, y, seed=3)}


@pytest.mark.skipif(importlib.util.find_spec("mauve") is not None, reason="mauve-text is installed")
def test_mauve_names_the_extra_that_brings_it() -> None:
    with pytest.raises(MissingExtraError, match=r"ganzoo-hub\[mauve\]"):
        builtin_metrics("mauve")


@pytest.mark.skipif(importlib.util.find_spec("mauve") is None, reason="needs mauve-text")
@pytest.mark.filterwarnings("ignore")
def test_mauve_is_1_for_equal_sets_and_falls_with_the_distance() -> None:
    (metric,) = builtin_metrics("mauve")
    x, y = normal(300, 8, 0), normal(300, 8, 1)
    same, near, far = (metric.compute(sets_of(x, each))["mauve"] for each in (x, y, y + 3))
    assert same == pytest.approx(1.0, abs=1e-6) and near > 0.9 > 0.1 > far
