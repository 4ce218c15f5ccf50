"""Where pixels go: blitting and general geometric transformations."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.training.augment.ada import geometry as stage
from ganzoo.training.augment.ada import lookup
from ganzoo.training.augment.ada.blit import blit, rearranged
from ganzoo.training.augment.ada.composition import composed
from ganzoo.training.augment.ada.geometry import _resampling, geometry, rotate, stretch, transformed, translate
from ganzoo.training.augment.ada.lookup import _differentiable_twice, bilinear, gathered
from ganzoo.training.augment.ada.reflection import filter_matrix, reflected
from ganzoo.training.draws import Draws

DOUBLE = torch.float64


def draws(seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed))


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(9), dtype=DOUBLE) * 2 - 1


def whole(*values: int) -> Tensor:
    return torch.tensor(values)


def one(value: float) -> Tensor:
    return torch.tensor([value], dtype=DOUBLE)


# --- reflection ---


def test_positions_are_folded_however_far_outside() -> None:
    assert reflected(torch.arange(-9, 10), 4).tolist() == [3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
    assert reflected(torch.tensor([-0.25, 3.5]), 4).tolist() == [0.25, 2.5]
    assert reflected(torch.tensor([-2, 5]), 1).tolist() == [0, 0]


def test_a_filter_matrix_is_convolution_with_reflection() -> None:
    taps, x = torch.tensor([1.0, -2.0, 4.0], dtype=DOUBLE), images(1, 1, 7)
    matrix = filter_matrix(taps.expand(7, -1), torch.arange(7) - 1, 7)
    torch.testing.assert_close(x @ matrix.mT, F.conv1d(F.pad(x, (1, 1), mode="reflect"), taps[None, None]))


# --- blitting ---


def test_mirroring_is_flip() -> None:
    x = images(2, 3, 5, 6)
    mirrored = rearranged(x, torch.tensor([True, False]), whole(0, 0), whole(0, 0), whole(0, 0))
    assert torch.equal(mirrored, torch.stack((x[0].flip(2), x[1])))


@pytest.mark.parametrize("side", [1, 6, 7])
def test_quarter_turns_are_rot90(side: int) -> None:
    x = images(4, 2, side, side)
    turned = rearranged(x, torch.zeros(4, dtype=torch.bool), whole(0, 1, 2, 3), whole(0, 0, 0, 0), whole(0, 0, 0, 0))
    assert torch.equal(turned, torch.stack([x[k].rot90(k, (1, 2)) for k in range(4)]))


def test_translation_is_roll_of_the_reflected_image() -> None:
    x = images(1, 3, 8, 6)
    padded = F.pad(x, (2, 2, 2, 2), mode="reflect").roll((1, -2), (2, 3))[:, :, 2:-2, 2:-2]
    assert torch.equal(rearranged(x, torch.tensor([False]), whole(0), whole(-2), whole(1)), padded)


def test_mirroring_comes_before_turning_before_moving() -> None:
    x = images(1, 1, 8, 8)
    expected = F.pad(x.flip(3).rot90(1, (2, 3)), (1, 0, 0, 0), mode="reflect")[..., :-1]
    assert torch.equal(rearranged(x, torch.tensor([True]), whole(1), whole(1), whole(0)), expected)


def test_an_oblong_image_turns_about_its_centre() -> None:
    x = images(1, 1, 3, 5)
    turned = rearranged(x, torch.tensor([False]), whole(1), whole(0), whole(0))
    assert turned.shape == x.shape
    assert torch.equal(turned[:, :, :, 1:4], x.rot90(1, (2, 3))[:, :, 1:4])  # the middle 3 x 3 is in both
    half = rearranged(x, torch.tensor([False]), whole(2), whole(0), whole(0))
    assert torch.equal(half, x.rot90(2, (2, 3)))


def test_blitting_draws_all_turns_and_shifts_up_to_an_eighth() -> None:
    x = torch.zeros(3000, 1, 17, 17)
    x[:, :, 8, 8], x[:, :, 8, 9], x[:, :, 7, 8] = 1.0, 0.5, 0.25  # a centre, its right, its top
    changed = blit(x, draws(), 1.0)[:, 0]
    centre = [(int(i) // 17, int(i) % 17) for i in changed.flatten(1).argmax(1)]
    assert {(y - 8, x - 8) for y, x in centre} == {(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)}
    directions: dict[tuple[int, int, int, int], int] = {}
    for picture, (y, x_) in zip(changed, centre, strict=True):
        right, top = ((picture == value).nonzero()[0].tolist() for value in (0.5, 0.25))
        key = (right[0] - y, right[1] - x_, top[0] - y, top[1] - x_)
        directions[key] = directions.get(key, 0) + 1
    assert len(directions) == 8  # the symmetries of a square, each 1/8
    assert all(abs(count / 3000 - 1 / 8) < 0.025 for count in directions.values())


# --- composition ---


def test_the_first_factor_is_applied_first_and_each_image_has_its_own() -> None:
    double, shift = stretch(one(2.0), one(2.0)).expand(500, -1, -1), translate(one(1.0), one(0.0)).expand(500, -1, -1)
    product, mask = composed([(1.0, double), (0.5, shift)], draws())
    moved = product[:, 0, 2] == 1
    assert torch.equal(product[moved][0], torch.tensor([[2.0, 0, 1], [0, 2, 0], [0, 0, 1]], dtype=DOUBLE))
    assert torch.equal(product[~moved][0], torch.diag(torch.tensor([2.0, 2, 1], dtype=DOUBLE)))
    assert bool(mask.all()) and 0.4 < float(moved.float().mean()) < 0.6


# --- geometry ---


@pytest.mark.parametrize("shape", [(2, 3, 32, 20), (1, 1, 3, 2), (1, 1, 1, 1)])
def test_the_identity_gives_the_image_back(shape: tuple[int, ...]) -> None:
    """Doubling and halving with an orthogonal filter and its reverse undo each other, as precisely as the filter is given."""
    x = images(*shape)
    torch.testing.assert_close(transformed(x, torch.eye(3, dtype=DOUBLE).expand(len(x), 3, 3)), x, atol=1e-10, rtol=0)


def test_the_halving_filter_is_the_doubling_one_reversed() -> None:
    doubling, halving = _resampling(40)
    torch.testing.assert_close(halving[10:30, 20:70], doubling.T[10:30, 21:71] / 2)
    torch.testing.assert_close(doubling.sum(1), torch.ones(len(doubling), dtype=DOUBLE))


def plane(height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    x = torch.arange(width, dtype=DOUBLE).expand(height, -1) - (width - 1) / 2
    y = torch.arange(height, dtype=DOUBLE)[:, None].expand(-1, width) - (height - 1) / 2
    return 0.03 * x - 0.02 * y + 0.1, x, y


MAPS = {
    "translation": translate(one(1.3), one(-0.7)),
    "rotation": rotate(one(0.7)),
    "scale": stretch(one(1.4), one(1.4)),
    "anisotropic": stretch(one(1.5), one(1 / 1.5)),
    "several": translate(one(0.4), one(2.1)) @ rotate(one(-2.0)) @ stretch(one(1.3), one(1 / 1.3)),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_plane_of_colour_moves_exactly(name: str) -> None:
    """Filters with vanishing moments and bilinear lookup leave linear functions alone: y(o) = f(G⁻¹ o), in closed form."""
    f, x, y = plane(48, 40)
    inverse = torch.linalg.inv(MAPS[name][0])
    source_x = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
    source_y = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
    expected = 0.03 * source_x - 0.02 * source_y + 0.1
    changed = transformed(f[None, None], MAPS[name])[0, 0]
    middle = (slice(18, 30), slice(14, 26))
    torch.testing.assert_close(changed[middle], expected[middle], atol=1e-9, rtol=0)


def waves(side: int) -> Tensor:
    x = torch.arange(side, dtype=DOUBLE)
    return (torch.sin(0.4 * x) * torch.cos(0.3 * x[:, None] + 0.3))[None, None]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_of_a_band_limited_image_are_nearly_rot90(quarters: int) -> None:
    x = waves(48)
    turned = transformed(x, rotate(one(quarters * math.pi / 2)))
    inner = (..., slice(8, -8), slice(8, -8))
    assert float((turned - x.rot90(quarters, (2, 3)))[inner].abs().max()) < 0.008  # 0.16 without the filter's delay
    assert float((turned - x)[inner].abs().max()) > 0.5


def test_half_a_pixel_of_a_sine() -> None:
    x = torch.arange(64, dtype=DOUBLE)
    moved = transformed(torch.sin(0.3 * x).expand(1, 1, 64, 64), translate(one(0.5), one(0.0)))[0, 0, 32]
    assert float((moved - torch.sin(0.3 * (x - 0.5)))[8:-8].abs().max()) < 1e-3


def test_whole_pixels_are_exact_away_from_the_border() -> None:
    x = images(1, 3, 32, 32)
    moved = transformed(x, translate(one(3.0), one(-2.0)))
    torch.testing.assert_close(moved[:, :, 8:-10, 11:-8], x[:, :, 10:-8, 8:-11], atol=1e-10, rtol=0)


def test_beyond_the_border_is_the_reflection_however_far() -> None:
    constant = torch.full((1, 3, 16, 16), -0.7, dtype=DOUBLE)
    torch.testing.assert_close(transformed(constant, stretch(one(0.05), one(0.05))), constant)
    x = waves(32)
    moved = transformed(x, translate(one(8.0), one(0.0)))
    expected = F.pad(x, (8, 0, 0, 0), mode="reflect")[..., :-8]
    assert float((moved - expected).abs().max()) < 0.02


def test_geometry_draws_the_scales_and_turns_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Tensor] = []

    def spy(images: Tensor, matrices: Tensor) -> Tensor:
        drawn.append(matrices)
        return images

    monkeypatch.setattr(stage, "transformed", spy)
    geometry(torch.zeros(20_000, 1, 8, 16), draws(), 1.0)
    (matrices,) = drawn
    linear = matrices[:, :2, :2]
    area = torch.linalg.det(linear).log2() / 2
    assert abs(float(area.mean())) < 0.01 and float(area.std()) == pytest.approx(0.2, rel=0.03)
    singular = torch.linalg.svdvals(linear)
    stretched = (singular[:, 0] / singular[:, 1]).log2() / 2  # |N(0, 0.2²)|
    assert float(stretched.square().mean().sqrt()) == pytest.approx(0.2, rel=0.03)
    shift = matrices[:, :2, 2].std(0)
    assert float(shift[0]) == pytest.approx(16 / 8, rel=0.03) and float(shift[1]) == pytest.approx(8 / 8, rel=0.03)
    angle = torch.atan2(linear[:, 0, 1] - linear[:, 1, 0], linear[:, 0, 0] + linear[:, 1, 1])
    assert torch.histc(angle, 8, -math.pi, math.pi).sub(2500).abs().max() < 250


def test_one_of_the_rotations_happens_with_probability_p(monkeypatch: pytest.MonkeyPatch) -> None:
    chances: list[float] = []

    def spy(factors: Any, draws: Draws) -> tuple[Tensor, Tensor]:
        chances.extend(p for p, _ in factors)
        return composed(factors, draws)

    monkeypatch.setattr(stage, "composed", spy)
    geometry(torch.zeros(2, 1, 4, 4), draws(), 0.36)
    assert chances == pytest.approx([0.36, 0.2, 0.36, 0.2, 0.36])


# --- lookup ---


def test_plain_indexing_is_the_same_lookup() -> None:
    x, where = images(2, 3, 6, 7), images(2, 5, 4) * 9
    torch.testing.assert_close(gathered(x, where, where.flip(1)), bilinear(x, where, where.flip(1)))
    assert float(gathered(x, where * 0 + 1.25, where * 0 + 2.5)[0, 0, 0, 0]) == pytest.approx(
        float(0.375 * (x[0, 0, 2, 1] + x[0, 0, 3, 1]) + 0.125 * (x[0, 0, 2, 2] + x[0, 0, 3, 2]))
    )


def test_without_a_second_derivative_of_grid_sample_geometry_uses_indexing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = images(2, 1, 4, 4).requires_grad_()
    native = geometry(x, draws(3), 0.9)

    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            return gradient

    sample = F.grid_sample
    monkeypatch.setattr(F, "grid_sample", lambda images, *args, **kwargs: Once.apply(sample(images, *args, **kwargs)))
    monkeypatch.setattr(lookup, "_differentiable_twice", _differentiable_twice.__wrapped__)
    assert not lookup._differentiable_twice("cpu")
    torch.testing.assert_close(geometry(x, draws(3), 0.9), native)
    assert torch.autograd.gradgradcheck(lambda x: geometry(x, draws(3), 0.9) ** 3, x)
