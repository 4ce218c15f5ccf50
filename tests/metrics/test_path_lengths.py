import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics import path_length
from ganzoo.metrics.path_lengths import lerp, path_length_metric, slerp
from ganzoo.metrics.spaces.plain import Raw
from ganzoo.models.seeds import sample_seeds
from tests.metrics.toys import Labelled, Linear, diverged, draws, sets_of


def ends(generator: Linear, count: int, seed: int) -> tuple[Tensor, Tensor]:
    z = generator.latents(sample_seeds(2 * count, seed)).double()
    return z[:count], z[count:]


def test_a_linear_generator_on_straight_paths_has_a_closed_form() -> None:
    """G(z) = A z on a line: |A (b - a)|^2 whatever t and epsilon are."""
    generator = Linear()
    a, b = ends(generator, 700, seed=5)
    expected = ((b - a) @ generator.matrix.T).square().sum(1).mean()
    for epsilon in (1e-4, 1e-2):
        found = path_length(draws(generator, 700, 5), Raw(), epsilon=epsilon, interpolate=lerp)
        assert found == pytest.approx(float(expected), rel=2e-3)  # the features are float32
    assert float(expected) == pytest.approx(2 * float(generator.matrix.square().sum()), rel=0.15)  # its expectation


def test_a_linear_generator_on_the_great_circle_has_a_closed_form() -> None:
    """d/dt slerp = w / sin w (-cos((1 - t) w) a + cos(t w) b)."""
    generator = Linear()
    a, b = ends(generator, 700, seed=5)
    t = torch.rand(700, generator=torch.Generator().manual_seed(5), dtype=torch.float64)[:, None]
    cosine = (a * b).sum(1) / a.norm(dim=1) / b.norm(dim=1)
    w = cosine.acos()[:, None]
    speed = w / w.sin() * (-((1 - t) * w).cos() * a + (t * w).cos() * b)
    expected = float((speed @ generator.matrix.T).square().sum(1).mean())
    assert path_length(draws(generator, 700, 5), Raw()) == pytest.approx(expected, rel=2e-3)


def test_it_is_quadratic_in_the_generator_and_truncation_shortens_it() -> None:
    one, two = (path_length(draws(Linear(scale), 300, 1), Raw(), epsilon=1e-2) for scale in (1.0, 2.0))
    assert two == pytest.approx(4 * one, rel=1e-3)
    assert path_length(draws(Linear(), 300, 1, truncation=0.5), Raw(), epsilon=1e-2) < one / 3


def test_the_condition_stays_along_a_path() -> None:
    generator = Labelled()
    classes = torch.tensor([0, 1, 2, 3, 1])
    assert path_length(draws(generator, 5, 1, classes=classes), Raw()) == 0.0
    assert generator.asked == classes.tolist() * 2


class Stylish(Linear):
    """Truncates behind its latents, and has noise of the first end's seeds."""

    def inputs(self, seeds: Sequence[int], *, truncation: float | None = None, **options: Any) -> tuple[Tensor, dict[str, Any]]:
        noise = torch.tensor(seeds, dtype=torch.float64).sin()
        return self.latents(seeds), {"psi": 1.0 if truncation is None else truncation, "noise": noise, **options}

    def forward(self, z: Tensor, psi: float, noise: Tensor) -> Tensor:
        return psi * super().forward(z) + 100 * noise[:, None].to(z)


def test_a_family_decides_on_what_its_seeds_and_truncation_mean() -> None:
    plain, half = (path_length(draws(Linear(), 300, 1), Raw(), epsilon=1e-2), draws(Stylish(), 300, 1, truncation=0.5))
    assert path_length(half, Raw(), epsilon=1e-2) == pytest.approx(plain / 4, rel=1e-2)


def test_slerp_and_lerp() -> None:
    a, b = torch.tensor([[2.0, 0.0]]).double(), torch.tensor([[0.0, 2.0]]).double()
    third = torch.tensor([1 / 3]).double()
    assert torch.allclose(slerp(a, b, third), 2 * torch.tensor([[math.cos(math.pi / 6), math.sin(math.pi / 6)]]).double())
    assert torch.allclose(lerp(a, b, third), torch.tensor([[4 / 3, 2 / 3]]).double())
    assert torch.allclose(slerp(a, a, third), a)  # no circle is given: straight, and no division by zero
    shaped = torch.randn(4, 2, 3, 3, dtype=torch.float64)
    other = torch.randn(4, 2, 3, 3, dtype=torch.float64)
    for interpolate in (slerp, lerp):
        assert torch.allclose(interpolate(shaped, other, torch.zeros(4).double()), shaped)
        assert torch.allclose(interpolate(shaped, other, torch.ones(4).double()), other)


def test_what_cannot_be_measured() -> None:
    class Rounding(Raw):
        eight_bit = True

    with pytest.raises(InvalidValueError, match="rounds images to 8 bits"):
        path_length(draws(Linear(), 3), Rounding())
    with pytest.raises(InvalidValueError, match="computes in float16"):
        path_length(draws(Linear().half(), 3), Raw())
    with pytest.raises(DataError, match="not finite"):
        path_length(draws(diverged(), 3), Raw())
    assert path_length_metric(sets_of(torch.zeros(3, 2), torch.zeros(3, 2))) == {}  # real data have no path
