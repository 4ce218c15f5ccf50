"""Gradient penalties of discriminators whose gradients are known by hand."""

import pytest
import torch

from ganzoo.errors import ConfigError
from ganzoo.training.regularizers import R1, R2, Dragan, WassersteinGradientPenalty, ZeroCentredGradientPenalty
from tests.training.regularizers.support import Linear, Quadratic, discriminator_turn, draws, gradient_of

REAL = [[1.0, 2.0], [-3.0, 0.5]]
FAKE = [[0.0, 4.0], [2.0, -2.0]]


@pytest.mark.parametrize("kind", [R1, R2])
def test_of_a_linear_discriminator_it_is_half_the_squared_weight(kind: type[R1]) -> None:
    network = Linear([3.0, -4.0])
    penalty = kind().penalty(discriminator_turn(network, REAL, FAKE, kind))
    assert penalty.item() == pytest.approx(25 / 2)
    assert gradient_of(penalty, network.w).tolist() == pytest.approx([3.0, -4.0])


@pytest.mark.parametrize(("kind", "examples"), [(R1, REAL), (R2, FAKE)])
def test_r1_looks_at_real_and_r2_at_generated_examples_and_both_average(kind: type[R1], examples: list[list[float]]) -> None:
    network = Quadratic([2.0, 5.0])
    penalty = kind().penalty(discriminator_turn(network, REAL, FAKE, kind))
    wanted = sum((2 * x) ** 2 + (5 * y) ** 2 for x, y in examples) / 2 / 2
    assert penalty.item() == pytest.approx(wanted)
    slopes = [sum(2 * x**2 for x, _ in examples) / 2, sum(5 * y**2 for _, y in examples) / 2]
    assert gradient_of(penalty, network.a).tolist() == pytest.approx(slopes)


@pytest.mark.parametrize("kind", [R1, R2])
def test_the_gradient_goes_through_the_augmentation(kind: type[R1]) -> None:
    """The score of an example is 1/2 |3 x|^2, and its slope in x is 9 x."""
    turn = discriminator_turn(Quadratic([1.0, 1.0]), [[1.0, 0.0]], [[1.0, 0.0]], kind, augment=lambda x: 3 * x)
    assert kind().penalty(turn).item() == pytest.approx(0.5 * 81)


def test_r1_asks_for_no_score_of_generated_examples() -> None:
    turn = discriminator_turn(Linear([1.0, 1.0]), REAL, FAKE, R1)
    R1().penalty(turn)
    assert "fake_judgement" not in vars(turn)


@pytest.mark.parametrize(
    ("weight", "options", "wanted", "slope"),
    [
        ([3.0, -4.0], {}, 16.0, 8.0),
        ([0.3, 0.4], {}, 0.25, -1.0),
        ([0.3, 0.4], {"one_sided": True}, 0.0, 0.0),
        ([3.0, -4.0], {"one_sided": True}, 16.0, 8.0),
        ([3.0, -4.0], {"target": 7}, 4.0, -4.0),
    ],
)
def test_wgan_gp_pulls_the_norm_to_its_target(
    weight: list[float], options: dict[str, float], wanted: float, slope: float
) -> None:
    network, part = Linear(weight), WassersteinGradientPenalty(**options)
    penalty = part.penalty(discriminator_turn(network, REAL, FAKE, part))
    assert penalty.item() == pytest.approx(wanted)
    direction = network.w.detach() / network.w.detach().norm()
    assert torch.allclose(gradient_of(penalty, network.w), slope * direction)


def points_between() -> list[list[float]]:
    """Of the first draws of seed 0: one number an example."""
    shares = torch.rand(2, 1, generator=torch.Generator().manual_seed(0)).double().flatten().tolist()
    return [
        [u * r + (1 - u) * f for r, f in zip(real, fake, strict=True)] for u, real, fake in zip(shares, REAL, FAKE, strict=True)
    ]


def test_the_points_are_on_the_lines_between_the_pairs() -> None:
    norms = [(4 * x**2 + 25 * y**2) ** 0.5 for x, y in points_between()]
    part = WassersteinGradientPenalty()
    penalty = part.penalty(discriminator_turn(Quadratic([2.0, 5.0]), REAL, FAKE, part))
    assert penalty.item() == pytest.approx(sum((n - 1) ** 2 for n in norms) / 2, rel=1e-6)
    zero = ZeroCentredGradientPenalty()
    penalty = zero.penalty(discriminator_turn(Quadratic([2.0, 5.0]), REAL, FAKE, zero))
    assert penalty.item() == pytest.approx(sum(n**2 for n in norms) / 2, rel=1e-6)


def test_points_between_need_pairs() -> None:
    part = ZeroCentredGradientPenalty()
    with pytest.raises(ConfigError, match="not 2 and 1"):
        part.penalty(discriminator_turn(Linear([1.0, 1.0]), REAL, FAKE[:1], part))


def test_dragan_looks_beside_real_examples() -> None:
    part = Dragan(noise=0.25, target=2.0)
    noise = torch.randn(2, 2, generator=torch.Generator().manual_seed(0)).double()
    near = torch.tensor(REAL, dtype=torch.float64) + 0.25 * noise
    wanted = (near.norm(dim=1) - 2).square().mean()
    penalty = part.penalty(discriminator_turn(Quadratic([1.0, 1.0]), REAL, FAKE, part))
    assert penalty.item() == pytest.approx(float(wanted), rel=1e-6)


def test_the_noise_of_dragan_has_the_standard_deviation_that_was_asked_for() -> None:
    """With ``D = |x|^2 / 2`` at zero the gradient is the noise itself, and its expected squared norm ``noise^2`` an entry."""
    part = Dragan(noise=0.3, target=0.0)
    zeros = torch.zeros(50_000, 2, dtype=torch.float64)
    penalty = part.penalty(discriminator_turn(Quadratic([1.0, 1.0]), zeros, zeros, part))
    assert penalty.item() == pytest.approx(2 * 0.3**2, rel=0.02)


@pytest.mark.parametrize("kind", [WassersteinGradientPenalty, Dragan, ZeroCentredGradientPenalty])
def test_a_flat_discriminator_gives_no_nan(kind: type[Dragan]) -> None:
    network, part = Linear([0.0, 0.0]), kind()
    penalty = part.penalty(discriminator_turn(network, REAL, FAKE, part))
    assert gradient_of(penalty, network.w).isfinite().all()


def test_points_are_judged_as_members_of_the_real_classes() -> None:
    class Conditional(Linear):
        num_classes = 2

        def forward(self, x: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
            assert c is not None
            return super().forward(x) * (1 + c)

    part = ZeroCentredGradientPenalty()
    classes = {"c_real": torch.tensor([0, 1]), "c_fake": torch.tensor([0, 0])}
    turn = discriminator_turn(Conditional([1.0, 0.0]), REAL, FAKE, part, draws=draws(), **classes)
    assert part.penalty(turn).item() == pytest.approx((1 + 4) / 2)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (WassersteinGradientPenalty, {"target": -1}, "'target' must be a number at least 0"),
        (WassersteinGradientPenalty, {"one_sided": 1}, "'one_sided' must be true or false"),
        (Dragan, {"noise": 0}, "'noise' must be a number above 0"),
        (Dragan, {"noise": "much"}, "not 'much'"),
        (Dragan, {"noise": float("nan")}, "'noise'"),
        (Dragan, {"noise": True}, "'noise'"),
        (Dragan, {"nose": 1}, "option of the regulariser 'x' named 'nose'.*\n.*'noise'"),
    ],
)
def test_bad_options_are_named(kind: type[Dragan], options: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        kind.from_options("x", options)
