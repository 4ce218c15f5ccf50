"""Each loss against its formula, written down anew with plain numbers."""

import math

import pytest
import torch

from ganzoo.errors import ConfigError
from ganzoo.training.losses import LOSSES, find_loss
from ganzoo.training.penalties import r1_penalty

REAL, FAKE = [2.0, -1.0], [0.5, -3.0]


def s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


MINUS_V = -mean([math.log(s(x)) for x in REAL]) - mean([math.log(1 - s(x)) for x in FAKE])

EXPECTED = {
    "non-saturating": (MINUS_V, -mean([math.log(s(x)) for x in FAKE])),
    "minimax": (MINUS_V, mean([math.log(1 - s(x)) for x in FAKE])),
    "least-squares": ((mean([1.0, 4.0]) + mean([0.25, 9.0])) / 2, mean([0.25, 16.0]) / 2),
    "hinge": (mean([0.0, 2.0]) + mean([1.5, 0.0]), 1.25),
    "wasserstein": (-1.25 - 0.5, 1.25),
}


@pytest.mark.parametrize("name", LOSSES)
def test_both_sides_follow_the_formula(name: str) -> None:
    loss = find_loss(name)
    d_side, g_side = EXPECTED[name]
    assert float(loss.discriminator(torch.tensor(REAL), torch.tensor(FAKE), 0.0)) == pytest.approx(d_side, rel=1e-6)
    assert float(loss.generator(torch.tensor(FAKE))) == pytest.approx(g_side, rel=1e-6)


@pytest.mark.parametrize("name", ["non-saturating", "minimax"])
def test_smoothing_touches_the_label_of_real_images_alone(name: str) -> None:
    a = 0.1
    on_real = -mean([(1 - a) * math.log(s(x)) + a * math.log(1 - s(x)) for x in REAL])
    expected = on_real - mean([math.log(1 - s(x)) for x in FAKE])
    assert float(find_loss(name).discriminator(torch.tensor(REAL), torch.tensor(FAKE), a)) == pytest.approx(expected, rel=1e-6)


def test_smoothed_least_squares_pull_real_images_to_the_smoothed_label() -> None:
    found = find_loss("least-squares").discriminator(torch.tensor([0.9]), torch.tensor([0.0]), 0.1)
    assert float(found) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", ["non-saturating", "minimax"])
def test_logits_of_any_size_stay_finite(name: str) -> None:
    real, fake = torch.tensor([-1e4, 1e4]), torch.tensor([1e4, -1e4], requires_grad=True)
    loss = find_loss(name)
    total = loss.discriminator(real, fake, 0.1) + loss.generator(fake)
    total.backward()
    assert total.isfinite() and fake.grad is not None and fake.grad.isfinite().all()


def test_the_minimax_generator_saturates_where_the_non_saturating_one_does_not() -> None:
    gradients = {}
    for name in ("minimax", "non-saturating"):
        fake = torch.tensor([-8.0], requires_grad=True)
        find_loss(name).generator(fake).backward()
        assert fake.grad is not None
        gradients[name] = float(fake.grad)
    assert gradients["minimax"] == pytest.approx(-s(-8.0), rel=1e-5)
    assert gradients["non-saturating"] == pytest.approx(-s(8.0), rel=1e-5)


def test_r1_of_a_linear_discriminator_is_half_gamma_times_the_squared_weight() -> None:
    weight = torch.tensor([3.0, -4.0], requires_grad=True)
    images = torch.randn(5, 2, requires_grad=True)
    penalty = r1_penalty(images @ weight, images, gamma=0.2)
    assert penalty.item() == pytest.approx(0.2 / 2 * 25)
    penalty.backward()
    assert weight.grad is not None
    assert torch.allclose(weight.grad, 0.2 * weight.detach())


def test_r1_averages_over_the_batch() -> None:
    images = torch.tensor([[1.0], [2.0]], requires_grad=True)
    scores = images.square().sum(1)  # gradients 2 and 4
    assert r1_penalty(scores, images, gamma=1.0).item() == pytest.approx(0.5 * (4 + 16) / 2)


def test_an_unknown_loss_names_the_closest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'hinge'"):
        find_loss("hing")
