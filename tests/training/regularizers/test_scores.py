"""Consistency, LeCam and mode seeking against numbers worked out by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.models import Judgement
from ganzoo.training.augment import build_pipeline
from ganzoo.training.regularizers import Consistency, LeCam, ModeSeeking
from tests.training.regularizers.support import (
    AffineGenerator,
    Linear,
    discriminator_turn,
    draws,
    generator_turn,
    gradient_of,
    same,
)

# --- consistency ------------------------------------------------------------------------------------------------------


def plus_one(x: Tensor) -> Tensor:
    return x + 1


def test_consistency_with_the_recipes_augmentation() -> None:
    """``D(x + 1) - D(x)`` is the sum of the weights, 5."""
    network = Linear([2.0, 3.0])
    part = Consistency(real=10, fake=4, transform="recipe")
    turn = discriminator_turn(network, [[1.0, 7.0], [0.0, 1.0]], [[2.0, 2.0], [3.0, 3.0]], part, augment=plus_one)
    penalty = part.penalty(turn)
    assert penalty.item() == pytest.approx((10 + 4) * 25)
    assert gradient_of(penalty, network.w).tolist() == pytest.approx([2 * 14 * 5] * 2)


def test_consistency_with_its_own_transform() -> None:
    real, fake = torch.rand(2, 3, 1, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    weight = torch.arange(64.0).tolist()
    part = Consistency(real=10, fake=0)
    penalty = part.penalty(discriminator_turn(Linear(weight), real, fake, part))
    moved = build_pipeline({"flip": 1.0, "translation": 1.0})(real, draws(), 1.0)
    assert not torch.equal(moved, real)
    change = ((moved - real).flatten(1) * torch.tensor(weight)).sum(1)
    assert penalty.item() == pytest.approx(10 * float(change.square().mean()))


def test_the_own_transform_is_for_images() -> None:
    part = Consistency()
    with pytest.raises(ConfigError, match="transform=recipe"):
        part.penalty(discriminator_turn(Linear([1.0]), [[1.0]], [[1.0]], part))


# --- LeCam ------------------------------------------------------------------------------------------------------------

REAL, FAKE = [[4.0], [-1.0]], [[3.0], [-2.0]]  # logits of Linear([1]); means 1.5 and 0.5


def lecam_turn(part: Any, real: Any = REAL, fake: Any = FAKE, **options: Any) -> Any:
    return discriminator_turn(Linear([1.0]), real, fake, part, **options)


@pytest.mark.parametrize(
    ("one_sided", "wanted"),
    [
        (False, (3.5**2 + 1.5**2) / 2 + (1.5**2 + 3.5**2) / 2),  # around 0.5 for real and 1.5 for generated examples
        (True, 3.5**2 / 2 + 3.5**2 / 2),
    ],
)
def test_lecam_anchors_each_side_at_the_others_running_mean(one_sided: bool, wanted: float) -> None:
    part = LeCam(one_sided=one_sided)
    first = lecam_turn(part)
    nothing = part.penalty(first)  # nothing is known yet
    assert nothing.item() == 0.0 and gradient_of(nothing, first.discriminator.w).item() == 0.0
    part.after_step(same)
    assert part.penalty(lecam_turn(part)).item() == pytest.approx(wanted)


def test_lecams_means_move_once_a_step_by_the_mean_of_all_pieces() -> None:
    part = LeCam(decay=0.9)
    part.penalty(lecam_turn(part))
    part.after_step(same)
    part.penalty(lecam_turn(part, real=[[2.0]], fake=[[0.0]]))
    part.penalty(lecam_turn(part, real=[[6.0]], fake=[[2.0]]))
    assert part.state()["mean"].tolist() == [1.5, 0.5]
    part.after_step(lambda t: t + 1)  # the other processes had more
    assert part.state()["mean"].tolist() == pytest.approx([0.9 * 1.5 + 0.1 * 5, 0.9 * 0.5 + 0.1 * 2])
    part.after_step(same)  # a step without a penalty
    assert part.state()["mean"].tolist() == pytest.approx([1.85, 0.65])


def test_lecam_waits_for_its_start() -> None:
    part = LeCam(start=100)
    for images, zero in ((0, True), (99, True), (100, False)):
        assert (part.penalty(lecam_turn(part, images=images)).item() == 0.0) == zero
        part.after_step(same)


def test_a_restored_lecam_goes_on_alike() -> None:
    part, twin = LeCam(), LeCam()
    assert part.state() == {}
    twin.restore(part.state())
    part.penalty(lecam_turn(part))
    part.after_step(same)
    twin.restore(part.state())
    assert part.penalty(lecam_turn(part)).item() == twin.penalty(lecam_turn(twin)).item() > 0


def test_lecams_means_are_kept_in_single_precision_at_least() -> None:
    part = LeCam()
    for logit in (256.0, 258.0):  # 0.01 of their difference is below the precision of bfloat16 and above that of float32
        scores = torch.full((1,), logit)
        turn = lecam_turn(part)
        vars(turn)["real_judgement"] = vars(turn)["fake_judgement"] = Judgement(scores.bfloat16().requires_grad_())
        part.penalty(turn)
        part.after_step(same)
    rounded = float(torch.tensor(258.0).bfloat16())
    assert part.state()["mean"].dtype == torch.float32
    assert part.state()["mean"].tolist() == pytest.approx([256 + 0.01 * (rounded - 256)] * 2, rel=1e-6)


def test_lecam_is_part_of_the_discriminators_graph() -> None:
    part = LeCam(one_sided=False)
    part.penalty(lecam_turn(part))
    part.after_step(same)
    turn = lecam_turn(part)
    # d/dw of the mean of (w x - a)^2 at w = 1: 2 mean(x (x - a))
    wanted = 2 * (4 * 3.5 + -1 * -1.5) / 2 + 2 * (3 * 1.5 + -2 * -3.5) / 2
    assert gradient_of(part.penalty(turn), turn.discriminator.w).item() == pytest.approx(wanted)


# --- mode seeking -----------------------------------------------------------------------------------------------------


def test_mode_seeking_is_the_inverse_of_how_far_outputs_move_with_latents() -> None:
    generator = AffineGenerator([[2.0, 0.0], [0.0, 2.0]])  # everything is doubled
    penalty = ModeSeeking().penalty(generator_turn(generator, [[1.0, 2.0], [0.0, -1.0]]))
    assert penalty.item() == pytest.approx(1 / (2 + 1e-5), rel=1e-9)


def test_a_collapsed_generator_pays_most() -> None:
    penalty = ModeSeeking().penalty(generator_turn(AffineGenerator([[0.0]]), [[1.0], [2.0]]))
    assert penalty.item() == pytest.approx(1e5)


def test_both_samples_of_a_pair_have_the_same_class() -> None:
    generator = AffineGenerator([[1.0]], num_classes=4)
    penalty = ModeSeeking().penalty(generator_turn(generator, [[1.0], [2.0], [3.0]], c=torch.tensor([3, 0, 1])))
    assert penalty.item() == pytest.approx(1 / (1 + 1e-5))


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (Consistency, {"transform": "rotate"}, "'transform' must be own or recipe, not 'rotate'"),
        (Consistency, {"real": -1}, "'real'"),
        (Consistency, {"real": 0, "fake": 0}, "both 0"),
        (LeCam, {"decay": 2}, "'decay' must be a number at least 0 and at most 1"),
        (LeCam, {"start": -1}, "'start'"),
        (LeCam, {"one_sided": "no"}, "'one_sided'"),
        (ModeSeeking, {"eps": 1}, "option of the regulariser 'x' named 'eps'"),
    ],
)
def test_bad_options_are_named(kind: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        kind.from_options("x", options)
