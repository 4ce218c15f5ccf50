import hashlib

import pytest
import torch

from ganzoo.data import TensorDataset
from ganzoo.data.dataset import convert_channels, fit_square
from ganzoo.errors import DataError


def test_a_square_picture_of_the_right_size_stays_as_it_is() -> None:
    images = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(TensorDataset(images, "x").prepare(8, 1).images, images)


def test_the_centre_of_an_oblong_picture_is_kept() -> None:
    images = torch.zeros(1, 1, 4, 8, dtype=torch.uint8)
    images[..., 2:6] = 200
    assert torch.equal(fit_square(images, 4), torch.full((1, 1, 4, 4), 200, dtype=torch.uint8))


def test_shrinking_is_antialiased() -> None:
    """Eighths of the width: the pixels around each sampling point are black, three quarters of the area is white."""
    stripes = torch.full((1, 1, 64, 64), 255, dtype=torch.uint8)
    for column in (3, 4):
        stripes[..., column::8] = 0
    shrunk = fit_square(stripes, 8)[..., 1:-1].float()
    assert (shrunk - 0.75 * 255).abs().max() < 40  # sampling without a filter would give 0


def test_a_constant_picture_stays_constant_when_scaled() -> None:
    images = torch.full((1, 3, 20, 30), 137, dtype=torch.uint8)
    assert torch.equal(fit_square(images, 32), torch.full((1, 3, 32, 32), 137, dtype=torch.uint8))


def test_grey_and_colour_convert_into_each_other() -> None:
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1)
    assert convert_channels(red, 1, "x").item() == 76  # 0.299 * 255
    grey = torch.tensor([[[[9]]]], dtype=torch.uint8)
    assert convert_channels(grey, 3, "x").flatten().tolist() == [9, 9, 9]


def test_the_hash_covers_pixels_shape_and_labels() -> None:
    images = torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4)
    base = TensorDataset(images, "a").sha256
    assert base == hashlib.sha256(b"[1, 1, 4, 4]" + bytes(range(16))).hexdigest()
    changed = images.clone()
    changed[0, 0, 3, 3] = 0
    others = [
        TensorDataset(changed, "a").sha256,
        TensorDataset(images.view(1, 1, 2, 8), "a").sha256,
        TensorDataset(images, "a", labels=torch.tensor([1])).sha256,
    ]
    assert len({base, *others}) == 4
    assert TensorDataset(images, "another name").sha256 == base


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(1, 1, 2, 2), None, "uint8"),
        (torch.zeros(1, 2, 2, 2, dtype=torch.uint8), None, r"\[N, 1 \| 3, H, W\]"),
        (torch.zeros(0, 1, 2, 2, dtype=torch.uint8), None, "no picture"),
        (torch.zeros(2, 1, 2, 2, dtype=torch.uint8), torch.zeros(3), "labels of shape"),
    ],
)
def test_tensors_that_are_no_pictures_are_refused(images: torch.Tensor, labels: torch.Tensor | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        TensorDataset(images, "toy", labels=labels)


def test_other_numbers_of_channels_are_refused() -> None:
    with pytest.raises(DataError, match="not 4"):
        TensorDataset(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), "toy").prepare(2, 4)
