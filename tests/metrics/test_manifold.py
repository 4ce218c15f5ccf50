import pytest
import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.metrics import precision_recall
from ganzoo.metrics.manifold import precision_recall_metric


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


def test_the_metric_gives_both_by_name() -> None:
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(1))
    assert precision_recall_metric(x, x) == {"precision": 1.0, "recall": 1.0}


@pytest.mark.parametrize(("count", "k"), [(3, 3), (10, 0)])
def test_sets_without_such_a_neighbour_are_refused(count: int, k: int) -> None:
    with pytest.raises(InvalidValueError, match="no neighbour"):
        precision_recall(torch.zeros(count, 2), torch.zeros(10, 2), k=k)
