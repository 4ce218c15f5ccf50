import numpy as np
import pytest
import torch
from torch import Tensor

from ganzoo.errors import DataError
from ganzoo.metrics import FeatureBatch, frechet_distance, frechet_from_features
from ganzoo.metrics import frechet as module
from ganzoo.metrics.frechet import frechet, frechet_from_batches
from tests.metrics.toys import sets_of


def random_covariance(size: int, rank: int, seed: int) -> Tensor:
    rows = torch.randn(rank, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return rows.T @ rows / rank


def rotation(size: int, seed: int) -> Tensor:
    matrix = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.linalg.qr(matrix).Q


def test_covariances_that_commute_have_a_closed_form() -> None:
    """With the same eigenvectors: |m1 - m2|^2 + sum (sqrt(a) - sqrt(b))^2, also where eigenvalues are zero."""
    a = torch.tensor([4.0, 1.0, 0.25, 0.0, 0.0], dtype=torch.float64)
    b = torch.tensor([1.0, 9.0, 0.0, 2.25, 0.0], dtype=torch.float64)
    basis = rotation(5, seed=1)
    mean_1, mean_2 = torch.zeros(5), torch.tensor([1.0, 2.0, 0.0, 0.0, 2.0])
    expected = 9 + float((a.sqrt() - b.sqrt()).square().sum())
    found = frechet_distance(mean_1, basis @ a.diag() @ basis.T, mean_2, basis @ b.diag() @ basis.T)
    assert found == pytest.approx(expected, rel=1e-9)


def test_rank_one_covariances_have_a_closed_form() -> None:
    """C1 = u u^T and C2 = v v^T: tr(C1 C2)^(1/2) = |u . v|. Numerical matrix roots lose half the digits here."""
    u = torch.tensor([1.0, 2.0, -1.0, 0.5], dtype=torch.float64)
    v = torch.tensor([0.3, -1.0, 2.0, 1.0], dtype=torch.float64)
    zero = torch.zeros(4)
    expected = float(u @ u + v @ v - 2 * (u @ v).abs())
    assert frechet_distance(zero, torch.outer(u, u), zero, torch.outer(v, v)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rank", [64, 20])
def test_it_equals_the_matrix_square_root(rank: int) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    one, two = random_covariance(32, rank, 1), random_covariance(32, 2 * rank, 2)
    zero = torch.zeros(32)
    root = linalg.sqrtm((one @ two).numpy())
    expected = float(one.trace() + two.trace()) - 2 * float(root.trace().real)
    assert frechet_distance(zero, one, zero, two) == pytest.approx(expected, rel=1e-6)


def test_features_give_the_same_as_their_moments() -> None:
    rng = torch.Generator().manual_seed(3)
    for count in (500, 9):  # more samples than features, and fewer: singular covariances
        a = torch.randn(count, 12, generator=rng)
        b = torch.randn(400, 12, generator=rng) * 2 + 1
        moments = [(x.double().mean(0), torch.cov(x.double().T)) for x in (a, b)]
        expected = frechet_distance(*moments[0], *moments[1])
        assert frechet_from_features(a, b) == pytest.approx(expected, rel=1e-6)
        assert frechet(sets_of(a, b)) == {"frechet-distance": frechet_from_features(a, b)}


def test_equal_sets_have_distance_zero_and_a_shift_its_square() -> None:
    x = torch.randn(100, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert frechet_from_features(x, x) == pytest.approx(0.0, abs=1e-9)
    assert frechet_from_features(x + 2, x) == pytest.approx(24.0, rel=1e-9)


def brute(a: Tensor, b: Tensor) -> float:
    """Through the singular values of the product of the centred rows: no covariance, no root."""
    x, y = (rows.double() - rows.double().mean(0) for rows in (a, b))
    n, m = len(x) - 1, len(y) - 1
    nuclear = torch.linalg.svdvals(x @ y.T).sum() / (n * m) ** 0.5
    shift = a.double().mean(0) - b.double().mean(0)
    return float(shift.square().sum() + x.square().sum() / n + y.square().sum() / m - 2 * nuclear)


@pytest.mark.parametrize(
    ("counts", "size", "dead"),
    [
        ((700, 650), 300, 0),  # more samples than features: Cholesky and eigenvalues
        ((300, 290), 350, 0),  # fewer on both sides: singular
        ((290, 900), 300, 0),  # on one side
        ((700, 650), 300, 40),  # features that are always zero
        ((301, 301), 300, 0),  # barely enough
    ],
)
def test_large_and_singular_sets_equal_the_slow_way(counts: tuple[int, int], size: int, dead: int) -> None:
    rng = torch.Generator().manual_seed(1)
    spread = torch.logspace(0, -4, size)
    spread[size - dead :] = 0
    a, b = (torch.randn(n, size, generator=rng) * spread + 5 for n in counts)
    b = b * 1.3 - 1
    assert frechet_from_features(a, b) == pytest.approx(brute(a, b), rel=1e-8)


def test_when_the_fast_way_is_in_doubt_the_slow_one_is_taken() -> None:
    """Nearly equal sets with variances from 1 to 1e-12: squared, the smallest ones are noise beside the largest.

    b = s a: the distance is (s - 1)^2 (tr C + |m|^2).
    """
    rng = torch.Generator().manual_seed(1)
    a = torch.randn(290, 300, generator=rng, dtype=torch.float64) * torch.logspace(0, -6, 300, dtype=torch.float64)
    b = a * (1 + 1e-5)
    expected = 1e-10 * float((a - a.mean(0)).square().sum() / 289 + a.mean(0).square().sum())
    assert frechet_from_features(a, b) == pytest.approx(expected, rel=1e-3)
    product = module._moments(a)[1].T @ module._moments(b)[1]
    fast, doubt = module._fast_sum(product)
    exact = np.linalg.svd(product, compute_uv=False).sum()
    assert 1e-9 < abs(fast - exact) <= doubt  # the fast way would have been wrong by more than the distance


def test_singular_sets_have_small_factors() -> None:
    rng = torch.Generator().manual_seed(1)
    few, many = torch.randn(9, 30, generator=rng) + 100, torch.randn(60, 30, generator=rng)
    for rows, rank in ((few, 8), (many, 30)):
        mean, factor = module._moments(rows)
        assert factor.shape == (30, rank)
        assert np.allclose(factor @ factor.T, np.cov(rows.double().numpy(), rowvar=False))
        assert np.allclose(mean, rows.double().mean(0))


def test_statistics_are_computed_once_for_each_set(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    original = module._moments
    monkeypatch.setattr(module, "_moments", lambda rows: (counted.append(len(rows)), original(rows))[1])
    reference = FeatureBatch(torch.randn(30, 3))
    for _ in range(3):
        frechet_from_batches(FeatureBatch(torch.randn(20, 3)), reference)
    assert counted.count(30) == 1 and counted.count(20) == 3


def test_what_cannot_be_measured_is_refused() -> None:
    x = torch.randn(10, 3)
    with pytest.raises(DataError, match="at least 2 samples"):
        frechet_from_features(x[:1], x)
    broken = x.clone()
    broken[3, 1] = float("nan")
    with pytest.raises(DataError, match="not finite"):
        frechet_from_features(broken, x)
    with pytest.raises(DataError, match="not finite"):
        frechet_distance(torch.zeros(3), torch.full((3, 3), float("inf")), torch.zeros(3), torch.eye(3))
