"""Each loss against its formula, written down anew with plain numbers."""

import math
from typing import Any

import pytest
import torch

from ganzoo.errors import InvalidValueError, UnknownNameError
from ganzoo.training import losses
from ganzoo.training.builtin import LOSSES
from ganzoo.training.losses import AdversarialLoss, top_k_scores
from ganzoo.training.parts import find

REAL, FAKE = [2.0, -1.0], [0.5, -3.0]
MEAN_REAL, MEAN_FAKE = 0.5, -1.25
NAMES = [part.id for part in LOSSES]


def s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


MINUS_V = -mean([math.log(s(x)) for x in REAL]) - mean([math.log(1 - s(x)) for x in FAKE])
CROSS_ENTROPY = (MINUS_V, -mean([math.log(s(x)) for x in FAKE]))
AVERAGE = (
    -mean([math.log(s(x - MEAN_FAKE)) for x in REAL]) - mean([math.log(1 - s(x - MEAN_REAL)) for x in FAKE]),
    -mean([math.log(s(x - MEAN_REAL)) for x in FAKE]) - mean([math.log(1 - s(x - MEAN_FAKE)) for x in REAL]),
)
# Real logits less the generated mean: 3.25, 0.25. Generated logits less the real mean: 0, -3.5. Differences of pairs: 1.5, 2.
AVERAGE_SQUARES = (
    mean([2.25**2, 0.75**2]) + mean([1.0, 2.5**2]),
    mean([1.0, 4.5**2]) + mean([4.25**2, 1.25**2]),
)
AVERAGE_HINGE = (mean([0.0, 0.75]) + mean([1.0, 0.0]), mean([1.0, 4.5]) + mean([4.25, 1.25]))
PAIRS = (-mean([math.log(s(1.5)), math.log(s(2.0))]), -mean([math.log(s(-1.5)), math.log(s(-2.0))]))

EXPECTED = {
    "non-saturating": CROSS_ENTROPY,
    "logistic": CROSS_ENTROPY,
    "minimax": (MINUS_V, mean([math.log(1 - s(x)) for x in FAKE])),
    "least-squares": ((mean([1.0, 4.0]) + mean([0.25, 9.0])) / 2, mean([0.25, 16.0]) / 2),
    "hinge": (mean([0.0, 2.0]) + mean([1.5, 0.0]), 1.25),
    "wasserstein": (-1.25 - 0.5, 1.25),
    "relativistic-average": AVERAGE,
    "relativistic-average-least-squares": AVERAGE_SQUARES,
    "relativistic-average-hinge": AVERAGE_HINGE,
    "relativistic-pairing": PAIRS,
}


def loss_named(name: str) -> AdversarialLoss:
    found: Any = find("loss", name)
    assert isinstance(found, AdversarialLoss)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_follow_the_formula(name: str) -> None:
    loss = loss_named(name)
    assert loss.name == name
    d_side, g_side = EXPECTED[name]
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    assert float(loss.discriminator(real, fake, 0.0)) == pytest.approx(d_side, rel=1e-6)
    assert float(loss.generator(fake, real if loss.compares else None)) == pytest.approx(g_side, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_comparing_loss_and_no_other_needs_real_logits_for_the_generator(name: str) -> None:
    loss = loss_named(name)
    assert loss.compares == name.startswith("relativistic")
    if loss.compares:
        with pytest.raises(InvalidValueError, match="real examples"):
            loss.generator(torch.tensor(FAKE), None)


def test_relativistic_losses_do_not_see_a_shift_of_all_logits_and_the_others_do() -> None:
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    for name in NAMES:
        loss = loss_named(name)
        values = [float(loss.discriminator(real + shift, fake + shift, 0.0)) for shift in (0.0, 3.0)]
        same = values[0] == pytest.approx(values[1], rel=1e-5)
        assert same == (loss.compares or name == "wasserstein")


def test_where_the_border_between_real_and_generated_is_zero() -> None:
    """There the best answer to a real example is positive and to a generated one negative, and both cost the same at zero."""
    for name in NAMES:
        loss = loss_named(name)
        zero, step = torch.zeros(1), torch.full((1,), 0.5)
        symmetric = all(
            float(loss.discriminator(step * sign, zero, 0.0)) == float(loss.discriminator(zero, -step * sign, 0.0))
            for sign in (1, -1)
        )
        shifted = float(loss.discriminator(zero + 3, zero + 3, 0.0)) != float(loss.discriminator(zero, zero, 0.0))
        assert loss.zero_centred == (symmetric and shifted), name


@pytest.mark.parametrize("name", ["non-saturating", "logistic", "minimax"])
def test_smoothing_touches_the_label_of_real_images_alone(name: str) -> None:
    a = 0.1
    on_real = -mean([(1 - a) * math.log(s(x)) + a * math.log(1 - s(x)) for x in REAL])
    expected = on_real - mean([math.log(1 - s(x)) for x in FAKE])
    assert float(loss_named(name).discriminator(torch.tensor(REAL), torch.tensor(FAKE), a)) == pytest.approx(expected, rel=1e-6)


def test_smoothed_least_squares_pull_real_images_to_the_smoothed_label() -> None:
    found = losses.least_squares.discriminator(torch.tensor([0.9]), torch.tensor([0.0]), 0.1)
    assert float(found) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_says_whether_smoothing_means_anything_to_it(name: str) -> None:
    loss = loss_named(name)
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    differs = float(loss.discriminator(real, fake, 0.0)) != float(loss.discriminator(real, fake, 0.2))
    assert loss.smoothing == differs


@pytest.mark.parametrize("name", ["non-saturating", "minimax", "relativistic-average", "relativistic-pairing"])
def test_logits_of_any_size_stay_finite(name: str) -> None:
    real, fake = torch.tensor([-1e4, 1e4]), torch.tensor([1e4, -1e4], requires_grad=True)
    loss = loss_named(name)
    total = loss.discriminator(real, fake, 0.0) + loss.generator(fake, real)
    total.backward()
    assert total.isfinite() and fake.grad is not None and fake.grad.isfinite().all()


def test_the_minimax_generator_saturates_where_the_non_saturating_one_does_not() -> None:
    gradients = {}
    for loss in (losses.minimax, losses.non_saturating):
        fake = torch.tensor([-8.0], requires_grad=True)
        loss.generator(fake, None).backward()
        assert fake.grad is not None
        gradients[loss.name] = float(fake.grad)
    assert gradients["minimax"] == pytest.approx(-s(-8.0), rel=1e-5)
    assert gradients["non-saturating"] == pytest.approx(-s(8.0), rel=1e-5)


def test_pairs_need_equal_batches() -> None:
    with pytest.raises(InvalidValueError, match="not 2 and 3"):
        losses.relativistic_pairing.discriminator(torch.zeros(2), torch.zeros(3), 0.0)


def test_an_unknown_loss_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'hinge'"):
        find("loss", "hing")


def test_top_k_keeps_the_best_scores_and_their_graph() -> None:
    scores = torch.tensor([0.1, 3.0, -2.0, 1.0], requires_grad=True)
    best = top_k_scores(scores, 0.5)
    assert best.tolist() == [3.0, 1.0]
    best.sum().backward()
    assert scores.grad is not None and scores.grad.tolist() == [0.0, 1.0, 0.0, 1.0]
    assert top_k_scores(scores, 1.0) is scores
    assert top_k_scores(scores, 0.01).tolist() == [3.0]


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(InvalidValueError, match="above 0 and at most 1"):
        top_k_scores(torch.zeros(4), share)
