"""What StyleGAN3 is for: images follow movements and, in configuration R, rotations of the input (Karras et al. 2021)."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator
from tests.plugins.stylegan.stylegan3.small import R, generator

WIDE = {"image_size": 32, "layers": 4, "margin": 60}  # so wide that nothing that happens at borders is seen


def straight(name: str, **changes: Any) -> tuple[StyleGAN3Generator, Tensor]:
    made = generator(name, **{**WIDE, **changes})
    made.synthesis.input.transform.copy_(torch.eye(3))
    return made, made.map(torch.randn(1, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)).detach()


@pytest.mark.parametrize("name", ["t", "r"])
def test_whole_pixels_of_the_input_move_the_image_by_whole_pixels(name: str) -> None:
    made, ws = straight(name)
    step = made.synthesis.input.rate
    factor = 32 // step
    with torch.no_grad():
        image = made.synthesise(ws)
        moved = made.synthesise(ws, translation=(2 / step, -1 / step))
    right, up = 2 * factor, factor
    assert torch.allclose(moved[:, :, :-up, right:], image[:, :, up:, :-right], atol=1e-9 * float(image.abs().max()), rtol=0)
    assert not torch.allclose(moved, image, atol=0.05 * float(image.std()))


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_quarter_turns_are_exact_where_convolutions_have_no_direction(degrees: int) -> None:
    made, ws = straight("r")
    with torch.no_grad():
        image = made.synthesise(ws)
        turned = made.synthesise(ws, rotation=degrees)
    wanted = torch.rot90(image, degrees // 90, dims=(2, 3))  # counter-clockwise
    assert torch.allclose(turned, wanted, atol=1e-9 * float(image.abs().max()), rtol=0)


def test_any_turn_is_roughly_right_with_radial_filters_only() -> None:
    """The errors of R are a small part of those of T, and below a tenth of the image."""
    errors = {}
    for name in ("r", "t"):
        made, ws = straight(name, channel_base=512, channel_max=32)
        with torch.no_grad():
            image, turned = made.synthesise(ws), made.synthesise(ws, rotation=30)
        wanted = rotated(image, 30)
        inside = disc(32)
        error = (turned - wanted)[:, :, inside].square().mean().sqrt()
        errors[name] = float(error / wanted[:, :, inside].std())
    assert errors["r"] < 0.1
    assert errors["r"] < 0.3 * errors["t"]


def disc(size: int) -> Tensor:
    place = torch.arange(size) + 0.5 - size / 2
    return torch.hypot(place[:, None], place[None]) < size / 2 - 3


def rotated(image: Tensor, degrees: float) -> Tensor:
    """Counter-clockwise around the middle, interpolated."""
    angle = math.radians(degrees)
    inverse = [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]]
    grid = F.affine_grid(torch.tensor([inverse], dtype=image.dtype), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, mode="bicubic", align_corners=False)


def test_first_turned_then_moved() -> None:
    made, ws = straight("r")
    step = made.synthesis.input.rate
    with torch.no_grad():
        both = made.synthesise(ws, rotation=90, translation=(1 / step, 0))
        turned = made.synthesise(ws, rotation=90)
    right = 32 // step
    assert torch.allclose(both[:, :, :, right:], turned[:, :, :, :-right], atol=1e-9 * float(turned.abs().max()), rtol=0)


def test_the_stored_transformation_comes_first() -> None:
    """An image whose file turns it, moved, is the turned image moved."""
    made, ws = straight("r")
    step = made.synthesis.input.rate
    angle = math.radians(90)
    made.synthesis.input.transform[:2, :2] = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    with torch.no_grad():
        moved = made.synthesise(ws, translation=(1 / step, 0))
        made.synthesis.input.transform.copy_(torch.eye(3))
        wanted = made.synthesise(ws, rotation=90, translation=(1 / step, 0))
    assert torch.allclose(moved, wanted, atol=1e-9)


def test_each_sample_can_have_a_place_of_its_own() -> None:
    made = generator("t")
    angles, offsets = torch.tensor([0.0, 20.0, -45.0]), torch.tensor([[0.0, 0.0], [0.1, -0.2], [0.0, 0.3]])
    several = made.sample(3, seed=5, rotation=angles, translation=offsets)
    for i, seed in enumerate(several.seeds):
        one = made.sample(seeds=[seed], rotation=float(angles[i]), translation=tuple(offsets[i].tolist()))
        assert torch.allclose(several.tensor[i], one.tensor[0], atol=1e-6)
    plain = made.sample(3, seed=5)
    assert torch.allclose(plain.tensor[0], several.tensor[0])
    assert not torch.allclose(plain.tensor[1:], several.tensor[1:], atol=1e-2)


@pytest.mark.parametrize(
    "options",
    [{"rotation": "left"}, {"rotation": math.nan}, {"translation": (1,)}, {"translation": 0.5}, {"translation": (0, math.inf)}],
)
def test_places_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="cannot be turned"):
        generator("t").sample(1, seed=0, **options)


def test_r_is_what_the_configuration_says() -> None:
    layers = generator("r").synthesis.layers
    assert [layer.down_filter.ndim for layer in layers[:-1]] == [2, 2, 1, 1]
    assert R == {"kernel_size": 1, "radial": True}
