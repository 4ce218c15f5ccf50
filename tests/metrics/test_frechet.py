import pytest
import torch
from torch import Tensor

from ganzoo.errors import DataError
from ganzoo.metrics import frechet_distance, frechet_from_features
from ganzoo.metrics.frechet import frechet


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
        assert frechet(a, b) == {"frechet-distance": frechet_from_features(a, b)}


def test_equal_sets_have_distance_zero_and_a_shift_its_square() -> None:
    x = torch.randn(100, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert frechet_from_features(x, x) == pytest.approx(0.0, abs=1e-9)
    assert frechet_from_features(x + 2, x) == pytest.approx(24.0, rel=1e-9)


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
