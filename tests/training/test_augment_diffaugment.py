import torch
from torch import Tensor

from ganzoo.training.augment.diffaugment import color, cutout, translation
from ganzoo.training.augment.mirror import flip
from ganzoo.training.draws import Draws


def draws(seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed))


def position(images: Tensor) -> list[tuple[int, int]]:
    return [(int(i) // 16, int(i) % 16) for i in images.flatten(1).argmax(1)]


def test_translation_moves_whole_pictures_by_up_to_an_eighth() -> None:
    images = torch.zeros(400, 1, 16, 16)
    images[:, :, 8, 8] = 1
    moved = translation(images, draws(), 1.0)
    assert moved.shape == images.shape and torch.equal(moved.sum((1, 2, 3)), torch.ones(400))
    offsets = {(y - 8, x - 8) for y, x in position(moved)}
    assert offsets == {(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)}


def test_translation_repeats_the_border() -> None:
    assert torch.equal(translation(torch.full((9, 3, 8, 8), -1.0), draws(), 1.0), torch.full((9, 3, 8, 8), -1.0))


def test_cutout_takes_a_square_of_half_the_side() -> None:
    holes = (cutout(torch.ones(200, 2, 16, 16), draws(), 1.0) == 0).all(1)
    sizes = holes.sum((1, 2))
    assert int(sizes.max()) == 64 and int(sizes.min()) >= 16
    rows, columns = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(sizes, rows * columns)


def test_color_keeps_shapes_within_their_ranges() -> None:
    images = torch.rand(300, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    changed = color(images, draws(), 1.0)
    shift = changed.mean((1, 2, 3)) - images.mean((1, 2, 3))
    assert -0.5 <= float(shift.min()) < -0.4 and 0.4 < float(shift.max()) <= 0.5
    grey = images.mean(1, keepdim=True).expand_as(images)
    ratio = color(grey, draws(), 1.0).flatten(1).std(1) / grey.flatten(1).std(1)
    assert 0.5 <= float(ratio.min()) < 0.55 and 1.45 < float(ratio.max()) <= 1.5


def test_color_is_its_formula() -> None:
    images = torch.rand(4, 3, 5, 5, generator=torch.Generator().manual_seed(2)) * 2 - 1
    brightness, saturation, contrast = (torch.rand(3, 4, generator=torch.Generator().manual_seed(3))).unbind()
    for i, changed in enumerate(color(images, draws(3), 1.0)):
        x = images[i] + brightness[i] - 0.5
        x = (x - x.mean(0)) * saturation[i] * 2 + x.mean(0)
        x = (x - x.mean()) * (contrast[i] + 0.5) + x.mean()
        torch.testing.assert_close(changed, x)


def test_flip_mirrors_every_other_picture() -> None:
    images = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(4)).expand(2000, -1, -1, -1)
    flipped = flip(images, draws(), 1.0)
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    assert bool(((flipped == images).flatten(1).all(1) ^ mirrored).all())
    assert abs(float(mirrored.float().mean()) - 0.5) < 0.045
