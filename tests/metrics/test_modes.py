import math

import pytest
import torch

from ganzoo.errors import DataError
from ganzoo.metrics import mode_figures
from ganzoo.metrics.modes import modes_metric
from tests.metrics.toys import sets_of


def test_counts_by_hand() -> None:
    found = mode_figures(torch.tensor([6, 2, 0, 0]), torch.tensor([5, 5, 5, 5]))
    assert found["modes"] == 2 and found["rarest-class-share"] == 0
    assert found["mode-kl"] == pytest.approx(0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(0.25 / 0.25))


def test_equal_shares_have_no_divergence_and_one_class_has_log_k() -> None:
    equal = mode_figures(torch.full((1000,), 2), torch.full((1000,), 25))
    assert equal["modes"] == 1000 and equal["mode-kl"] == pytest.approx(0, abs=1e-12)
    assert equal["rarest-class-share"] == pytest.approx(1e-3)
    one = mode_figures(torch.tensor([7] + [0] * 999), torch.full((1000,), 25))
    assert one["modes"] == 1 and one["mode-kl"] == pytest.approx(math.log(1000))


def test_a_class_that_the_reference_never_shows_counts_as_half_a_sample() -> None:
    found = mode_figures(torch.tensor([3, 1]), torch.tensor([20, 0]))
    assert found["mode-kl"] == pytest.approx(0.75 * math.log(0.75) + 0.25 * math.log(0.25 / (0.5 / 20)))
    assert found["rarest-class-share"] == 0.75  # of those that the reference has


def test_the_metric_judges_both_sets_by_their_highest_scores() -> None:
    generated = torch.tensor([[0.1, 2.0, 0.0], [3.0, 2.0, 0.0], [3.0, 2.0, 0.0], [-1.0, -2.0, -3.0]])
    reference = torch.eye(3)
    found = modes_metric(sets_of(torch.zeros(4, 1), torch.zeros(3, 1), scores=(generated, reference)))
    assert found == mode_figures(torch.tensor([3, 1, 0]), torch.tensor([1, 1, 1]))


def test_counts_that_do_not_fit() -> None:
    for generated, reference in (
        (torch.ones(3), torch.ones(4)),
        (torch.zeros(3), torch.ones(3)),
        (torch.ones(3), torch.zeros(3)),
    ):
        with pytest.raises(DataError, match="Modes can be compared only"):
            mode_figures(generated, reference)
