import pytest
import torch
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.training.augment import AUGMENTATIONS, augmentations, color, cutout, translation


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def position(images: Tensor) -> list[tuple[int, int]]:
    return [(int(i) // 16, int(i) % 16) for i in images.flatten(1).argmax(1)]


def test_translation_moves_whole_pictures_by_up_to_an_eighth() -> None:
    images = torch.zeros(400, 1, 16, 16)
    images[:, :, 8, 8] = 1
    moved = translation(images, rng())
    assert moved.shape == images.shape and torch.equal(moved.sum((1, 2, 3)), torch.ones(400))
    offsets = {(y - 8, x - 8) for y, x in position(moved)}
    assert offsets == {(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)}


def test_translation_repeats_the_border() -> None:
    assert torch.equal(translation(torch.full((9, 3, 8, 8), -1.0), rng()), torch.full((9, 3, 8, 8), -1.0))


def test_cutout_takes_a_square_of_half_the_side() -> None:
    holes = (cutout(torch.ones(200, 2, 16, 16), rng()) == 0).all(1)
    sizes = holes.sum((1, 2))
    assert int(sizes.max()) == 64 and int(sizes.min()) >= 16
    rows, columns = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(sizes, rows * columns)


def test_color_keeps_shapes_within_their_ranges() -> None:
    images = torch.rand(300, 3, 4, 4) * 2 - 1
    changed = color(images, rng())
    shift = changed.mean((1, 2, 3)) - images.mean((1, 2, 3))
    assert -0.5 <= float(shift.min()) < -0.4 and 0.4 < float(shift.max()) <= 0.5
    grey = images.mean(1, keepdim=True).expand_as(images)
    ratio = color(grey, rng()).flatten(1).std(1) / grey.flatten(1).std(1)
    assert 0.5 <= float(ratio.min()) < 0.55 and 1.45 < float(ratio.max()) <= 1.5


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_they_are_differentiable_and_follow_their_seed(name: str) -> None:
    images = torch.rand(4, 3, 8, 8, requires_grad=True)
    once = augmentations([name])(images, rng(1))
    assert torch.equal(once, augmentations([name])(images, rng(1)))
    assert not torch.equal(once, augmentations([name])(images, rng(2)))
    once.sum().backward()
    assert images.grad is not None and bool(images.grad.abs().sum() > 0)


def test_none_is_the_identity_and_several_follow_each_other() -> None:
    images = torch.rand(4, 3, 8, 8)
    assert augmentations([])(images, rng()) is images
    shared = rng(5)
    expected = cutout(translation(images, shared), shared)
    assert torch.equal(augmentations(["translation", "cutout"])(images, rng(5)), expected)


def test_an_unknown_one_names_the_closest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'translation'"):
        augmentations(["translate"])
