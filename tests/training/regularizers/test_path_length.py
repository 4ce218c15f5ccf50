"""Path lengths of linear generators."""

import math

import pytest
import torch
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.training.regularizers import PathLength
from tests.training.regularizers.support import AffineGenerator, generator_turn, gradient_of, same


def lengths(weight: list[float], n: int) -> list[float]:
    """``|J^T y|`` of ``G(z) = z * weight`` (one latent) is ``|weight . y|``; ``y`` from the first draws of seed 0."""
    y = torch.randn(n, len(weight), generator=torch.Generator().manual_seed(0)).double()
    return (y @ torch.tensor(weight, dtype=torch.float64)).abs().tolist()


def test_the_first_step_measures_from_zero_and_later_ones_from_the_running_mean() -> None:
    generator, part = AffineGenerator([[3.0, 4.0]]), PathLength(decay=0.1)
    found = lengths([3.0, 4.0], 3)
    first = part.penalty(generator_turn(generator, [[1.0], [2.0], [3.0]]))
    assert first.item() == pytest.approx(sum(x**2 for x in found) / 3, rel=1e-6)
    part.after_step(same)
    a = 0.1 * sum(found) / 3
    second = part.penalty(generator_turn(generator, [[1.0], [2.0], [3.0]]))
    assert second.item() == pytest.approx(sum((x - a) ** 2 for x in found) / 3, rel=1e-6)
    part.after_step(same)
    assert float(part.state()["mean"]) == pytest.approx(a + 0.1 * (sum(found) / 3 - a), rel=1e-6)


def test_its_gradient_is_that_of_the_lengths() -> None:
    """``d/dv mean((|v y| - 0)^2) = 2 v mean(y^2)`` for a single number ``v``."""
    generator = AffineGenerator([[5.0]])
    penalty = PathLength().penalty(generator_turn(generator, [[1.0], [2.0]]))
    y = torch.randn(2, 1, generator=torch.Generator().manual_seed(0)).double()
    assert gradient_of(penalty, generator.A).item() == pytest.approx(2 * 5 * float(y.square().mean()), rel=1e-6)


class Layered(AffineGenerator):
    """An image of 2x2 pixels and an intermediate latent of four layers that the image is the sum of."""

    def path(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        w = z[:, None].repeat(1, 4, 1).detach().requires_grad_(True)
        return w, (w.sum(1) @ self.A).view(-1, 1, 2, 2)


def test_pixels_and_layers_do_not_change_the_scale() -> None:
    """``y`` is divided by the root of 4 pixels; every layer's gradient is ``A y``, so their root mean square is its length."""
    part = PathLength()
    penalty = part.penalty(generator_turn(Layered([[1.0, 2.0, 0.0, -1.0]]), [[1.0], [2.0]]))
    found = lengths([1.0, 2.0, 0.0, -1.0], 2)
    assert penalty.item() == pytest.approx(sum((x / math.sqrt(4)) ** 2 for x in found) / 2, rel=1e-6)


def test_shrinking_measures_fewer_samples() -> None:
    part = PathLength(shrink=2)
    penalty = part.penalty(generator_turn(AffineGenerator([[3.0]]), [[1.0]] * 4))
    assert penalty.item() == pytest.approx(sum(x**2 for x in lengths([3.0], 2)) / 2, rel=1e-6)
    assert PathLength(shrink=8).penalty(generator_turn(AffineGenerator([[3.0]]), [[1.0]])).isfinite()


def test_a_conditional_generator_gets_its_classes() -> None:
    generator = AffineGenerator([[3.0]], num_classes=2)
    penalty = PathLength().penalty(generator_turn(generator, [[1.0], [2.0]], c=torch.tensor([0, 1])))
    assert penalty.item() == pytest.approx(sum(x**2 for x in lengths([3.0], 2)) / 2, rel=1e-6)


def test_a_restored_one_goes_on_alike() -> None:
    generator, parts = AffineGenerator([[3.0, 4.0]]), (PathLength(), PathLength())
    parts[0].penalty(generator_turn(generator, [[1.0]]))
    parts[0].after_step(same)
    parts[1].restore(parts[0].state())
    one, other = (part.penalty(generator_turn(generator, [[1.0]], seed=1)) for part in parts)
    assert torch.equal(one, other)


def test_a_generator_that_stands_still_gives_no_nan() -> None:
    generator = AffineGenerator([[0.0]])
    assert gradient_of(PathLength().penalty(generator_turn(generator, [[1.0]])), generator.A).isfinite().all()


@pytest.mark.parametrize(
    ("options", "words"), [({"decay": 0}, "'decay'"), ({"decay": 1.5}, "at most 1"), ({"shrink": 0}, "'shrink'")]
)
def test_bad_options_are_named(options: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PathLength.from_options("path-length", options)
