"""Kernel distance and Inception score against sums written out here."""

import math

import pytest
import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError
from tests.metrics.toys import sets_of

pytest.importorskip("torch_fidelity")
fidelity = pytest.importorskip("ganzoo.metrics.fidelity")


def kernel(x: Tensor, y: Tensor) -> float:
    return float((x @ y / len(x) + 1) ** 3)


def unbiased(xs: Tensor, ys: Tensor) -> float:
    """Eq. 4 of Bińkowski et al. 2018, pair by pair."""
    m = len(xs)
    same = sum(kernel(a, b) for s in (xs, ys) for i, a in enumerate(s) for j, b in enumerate(s) if i != j)
    return same / (m * (m - 1)) - 2 * sum(kernel(a, b) for a in xs for b in ys) / m**2


def test_kernel_distance_is_the_unbiased_estimate() -> None:
    rng = torch.Generator().manual_seed(0)
    xs, ys = torch.randn(9, 5, generator=rng).double(), torch.randn(9, 5, generator=rng).double() + 0.5
    found = fidelity.kernel_distance(xs, ys)  # subsets as large as the sets: each is a permutation of all
    assert found["kernel-distance"] == pytest.approx(unbiased(xs, ys), rel=1e-9)
    assert found["kernel-distance-deviation"] == pytest.approx(0, abs=1e-9)


def test_kernel_distance_by_hand() -> None:
    """In one dimension, k(x, y) = (xy + 1)^3: {0, 1} against {1, 2}: (1 + 1 + 27 + 27) / 2 - 2 (1 + 1 + 8 + 27) / 4."""
    found = fidelity.kernel_distance(torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]]))
    assert found["kernel-distance"] == pytest.approx((1 + 1 + 27 + 27) / 2 - 2 * (1 + 1 + 8 + 27) / 4)


def test_kernel_distance_keeps_its_digits_far_from_the_origin() -> None:
    rng = torch.Generator().manual_seed(0)
    xs, ys = torch.randn(8, 4, generator=rng) + 300, torch.randn(8, 4, generator=rng) + 300
    assert fidelity.kernel_distance(xs, ys)["kernel-distance"] == pytest.approx(unbiased(xs.double(), ys.double()), rel=1e-5)


def test_kernel_distance_of_equal_distributions_is_zero_on_average() -> None:
    rng = torch.Generator().manual_seed(0)
    values = [
        fidelity.kernel_distance(torch.randn(40, 3, generator=rng), torch.randn(40, 3, generator=rng))["kernel-distance"]
        for _ in range(100)
    ]
    spread = torch.tensor(values).std().item()
    assert abs(sum(values) / 100) < 3 * spread / 10
    assert min(values) < 0  # unbiased


def test_the_seed_draws_the_subsets() -> None:
    rng = torch.Generator().manual_seed(0)
    xs, ys = torch.randn(30, 3, generator=rng), torch.randn(12, 3, generator=rng)
    one, same, other = (fidelity.kernel_distance_metric(sets_of(xs, ys, seed=s)) for s in (1, 1, 2))
    assert one == same != other
    with pytest.raises(InvalidValueError, match="at least 2 samples"):
        fidelity.kernel_distance(xs[:1], ys)


def test_inception_score_of_known_distributions() -> None:
    sure = torch.eye(4).repeat(20, 1) * 200  # each class as often, and certain: as many as there are classes
    assert fidelity.inception_score(sure, splits=1)["inception-score"] == pytest.approx(4)
    assert fidelity.inception_score(torch.zeros(20, 4))["inception-score"] == pytest.approx(1)  # nothing is recognised
    assert fidelity.inception_score(sure[:1].repeat(20, 1))["inception-score"] == pytest.approx(1)  # one class only
    p = torch.tensor([[0.9, 0.1], [0.5, 0.5]], dtype=torch.float64)
    mean = p.mean(0)
    expected = math.exp(sum(float(row[i] * math.log(row[i] / mean[i])) for row in p for i in range(2)) / 2)
    assert fidelity.inception_score(p.log(), splits=1)["inception-score"] == pytest.approx(expected, rel=1e-9)


def test_inception_score_is_the_mean_over_parts() -> None:
    scores = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)) * 3
    found = fidelity.inception_score_metric(sets_of(torch.zeros(40, 1), torch.zeros(2, 1), scores=(scores, scores[:2])))
    assert 1 < found["inception-score"] < 3 and found["inception-score-deviation"] > 0
    assert (
        found["inception-score"] < fidelity.inception_score(scores, splits=1)["inception-score"]
    )  # parts of 4 see fewer classes


def test_scores_that_cannot_be_used() -> None:
    with pytest.raises(InvalidValueError, match="at least 10 samples, not 9"):
        fidelity.inception_score(torch.zeros(9, 3))
    with pytest.raises(DataError, match="not finite"):
        fidelity.inception_score(torch.full((20, 3), float("nan")))
    with pytest.raises(InvalidValueError, match="needs class scores"):
        fidelity.inception_score_metric(sets_of(torch.zeros(9, 1), torch.zeros(9, 1)))
