import pytest
import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.metrics import density_coverage, precision_recall
from ganzoo.metrics.manifold import density_coverage_metric, precision_recall_metric
from tests.metrics.toys import sets_of


def line(*values: float) -> Tensor:
    return torch.tensor(values)[:, None]


def test_points_on_a_line_counted_by_hand() -> None:
    """k = 1. Reference balls: 0 +- 1, 1 +- 1, 3 +- 2. Generated balls: 2.5 +- 0.5, 3 +- 0.5, 20 +- 17."""
    reference, generated = line(0, 1, 3), line(2.5, 3, 20)
    found = precision_recall(generated, reference, k=1)
    assert found.precision == pytest.approx(2 / 3)  # 2.5 and 3
    assert found.recall == pytest.approx(1 / 3)  # 3


def test_k_counts_other_points_and_a_ball_has_its_rim() -> None:
    reference = line(0, 1, 2, 10)  # k = 2: radii 2, 1, 2, 9
    assert precision_recall(line(4, 19, 19.5, -2), reference, k=2).precision == pytest.approx(3 / 4)


def test_duplicates_have_balls_of_radius_zero_that_hold_themselves() -> None:
    points = torch.randn(40, 16, generator=torch.Generator().manual_seed(0)) * 1000
    reference = points.repeat(5, 1)
    found = precision_recall(points[:7].repeat(4, 1), reference, k=3)
    assert (found.precision, found.recall) == (1.0, 7 / 40)
    assert precision_recall(reference + 1e-3, reference, k=3).precision == 0.0


def test_a_collapsed_generator_is_precise_and_recalls_nothing() -> None:
    rng = torch.Generator().manual_seed(0)
    reference = torch.randn(1500, 8, generator=rng)  # more than one chunk
    collapsed = reference[:1] + 1e-3 * torch.randn(1200, 8, generator=rng)
    found = precision_recall(collapsed, reference)
    assert found.precision == 1.0 and found.recall <= 1 / 1500
    spread = precision_recall(reference * 3, reference)
    assert spread.precision < 0.2 and spread.recall > 0.9


def test_it_agrees_with_torch_fidelity() -> None:
    fidelity = pytest.importorskip("torch_fidelity.metric_prc")
    rng = torch.Generator().manual_seed(0)
    generated, reference = torch.randn(300, 6, generator=rng) * 1.3, torch.randn(250, 6, generator=rng)
    found = precision_recall(generated, reference)
    expected = fidelity.prc_features_to_metric(generated.double(), reference.double(), verbose=False)
    assert found.precision == pytest.approx(expected["precision"], abs=1e-6)
    assert found.recall == pytest.approx(expected["recall"], abs=1e-6)
    assert 0.1 < found.precision < 0.9


def test_density_and_coverage_counted_by_hand() -> None:
    """k = 1. Balls: 0 +- 1, 1 +- 1, 3 +- 2, 9 +- 6. 0.5 lies in two, 2 in two, 4 in two, 40 in none: 6 pairs of 4 points."""
    found = density_coverage(line(0.5, 2, 4, 40), line(0, 1, 3, 9), k=1)
    assert found.density == pytest.approx(6 / 4)
    assert found.coverage == 1.0
    assert density_coverage(line(0.5, 0.6), line(0, 1, 3, 9), k=1).coverage == 0.5


def test_density_and_coverage_equal_their_equations_written_out() -> None:
    rng = torch.Generator().manual_seed(0)
    generated, reference = torch.randn(60, 4, generator=rng).double(), torch.randn(50, 4, generator=rng).double()
    k, pairs, covered = 5, 0, 0
    for i, x in enumerate(reference):
        others = sorted(float((x - y).norm()) for j, y in enumerate(reference) if j != i)
        inside = sum(float((x - y).norm()) <= others[k - 1] for y in generated)
        pairs, covered = pairs + inside, covered + (inside > 0)
    found = density_coverage(generated, reference, k=k)
    assert (found.density, found.coverage) == (pytest.approx(pairs / (k * 60)), pytest.approx(covered / 50))
    assert density_coverage_metric(sets_of(generated, reference)) == {"density": found.density, "coverage": found.coverage}


def test_an_outlier_of_the_samples_helps_recall_but_not_coverage() -> None:
    reference = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    far = torch.tensor([[50.0], [-50.0]]).expand(2, 4)  # their balls reach everything
    generated = torch.cat([reference[:1].expand(20, -1), far])
    assert precision_recall(generated, reference).recall == 1.0
    assert density_coverage(generated, reference).coverage < 0.1


def test_the_metric_gives_both_by_name() -> None:
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(1))
    assert precision_recall_metric(sets_of(x, x)) == {"precision": 1.0, "recall": 1.0}


@pytest.mark.parametrize(("count", "k"), [(3, 3), (10, 0)])
def test_sets_without_such_a_neighbour_are_refused(count: int, k: int) -> None:
    with pytest.raises(InvalidValueError, match="no neighbour"):
        precision_recall(torch.zeros(count, 2), torch.zeros(10, 2), k=k)
    with pytest.raises(InvalidValueError, match="no neighbour"):
        density_coverage(torch.zeros(10, 2), torch.zeros(count, 2), k=k)
    with pytest.raises(InvalidValueError, match="no generated sample"):
        density_coverage(torch.zeros(0, 2), torch.zeros(10, 2))
