import math

import pytest
import torch

from ganzoo.errors import DataError, InvalidValueError
from ganzoo_toys.modes import mode_coverage
from ganzoo_toys.points import gaussians_8, gaussians_25

CENTRES = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def test_figures_worked_out_by_hand() -> None:
    points = torch.tensor([[0.0, 0.29], [0.31, 0.0], [1.2, 0.2], [0.1, 0.9], [0.0, 5.0]])
    found = mode_coverage(points, CENTRES, 0.1)
    # Within 0.3: the first (of mode 0), the third (of mode 1, at 0.283), the fourth (of mode 2). Nearest: 0, 0, 1, 2, 2.
    assert found.counts.tolist() == [1, 1, 1, 0]
    assert (found.modes, found.high_quality) == (3, 0.6)
    assert found.reverse_kl == pytest.approx(0.4 * math.log(1.6) * 2 + 0.2 * math.log(0.8))


def test_one_mode_and_all_modes_alike() -> None:
    assert mode_coverage(CENTRES, CENTRES, 0.1).reverse_kl == pytest.approx(0.0)
    one = mode_coverage(CENTRES[:1].expand(7, 2), CENTRES, 0.1)
    assert (one.modes, one.high_quality) == (1, 1.0)
    assert one.reverse_kl == pytest.approx(math.log(4))


def test_points_between_the_modes_capture_none() -> None:
    found = mode_coverage(torch.full((10, 2), 0.5), CENTRES, 0.1)
    assert (found.modes, found.high_quality, found.counts.sum()) == (0, 0.0, 0)


@pytest.mark.parametrize("make", [gaussians_8, gaussians_25])
def test_the_mixture_itself_has_the_share_of_the_closed_form(make: type) -> None:
    data = make(split="test")
    found = mode_coverage(data.points, data.centres, data.sigma)
    assert found.modes == len(data.centres)
    assert found.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.002)
    assert found.reverse_kl == pytest.approx(0.0, abs=1e-6)


def test_single_precision_far_from_the_origin_keeps_its_digits() -> None:
    # Thirty of each: from 26 on, torch computes distances through inner products, which here would be wrong by more than 1.
    centres = torch.tensor([[3000.0 + 10 * i, 3000.0] for i in range(30)])
    shifted = centres + torch.tensor([0.03125, 0.0])
    assert mode_coverage(shifted, centres, 0.01).modes == 0
    assert mode_coverage(shifted, centres, 0.011).modes == 30


@pytest.mark.parametrize(
    ("points", "centres", "sigma"),
    [
        (torch.zeros(0, 2), CENTRES, 0.1),
        (torch.zeros(3, 2), CENTRES[:0], 0.1),
        (torch.zeros(3, 3), CENTRES, 0.1),
        (torch.zeros(3), CENTRES, 0.1),
        (torch.zeros(3, 2), CENTRES, 0.0),
        (torch.zeros(3, 2), CENTRES, float("nan")),
    ],
)
def test_what_cannot_be_measured(points: torch.Tensor, centres: torch.Tensor, sigma: float) -> None:
    with pytest.raises(InvalidValueError):
        mode_coverage(points, centres, sigma)


def test_points_that_are_not_finite() -> None:
    with pytest.raises(DataError, match="not finite"):
        mode_coverage(torch.tensor([[0.0, float("nan")]]), CENTRES, 0.1)
