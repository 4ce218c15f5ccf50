import hashlib

import pytest
import torch

from ganzoo.data import TensorDataset, VectorDataset
from ganzoo.data.tensors import convert_channels, fit
from ganzoo.errors import DataError


def test_a_square_picture_of_the_right_size_stays_as_it_is() -> None:
    images = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(TensorDataset(images, "x").prepare((1, 8, 8)).values, images)


def test_the_centre_of_an_oblong_picture_is_kept() -> None:
    images = torch.zeros(1, 1, 4, 8, dtype=torch.uint8)
    images[..., 2:6] = 200
    assert torch.equal(fit(images, 4, 4), torch.full((1, 1, 4, 4), 200, dtype=torch.uint8))


def test_shrinking_is_antialiased() -> None:
    """Eighths of the width: the pixels around each sampling point are black, three quarters of the area is white."""
    stripes = torch.full((1, 1, 64, 64), 255, dtype=torch.uint8)
    for column in (3, 4):
        stripes[..., column::8] = 0
    shrunk = fit(stripes, 8, 8)[..., 1:-1].float()
    assert (shrunk - 0.75 * 255).abs().max() < 40  # sampling without a filter would give 0


def test_a_constant_picture_stays_constant_when_scaled() -> None:
    images = torch.full((1, 3, 20, 30), 137, dtype=torch.uint8)
    assert torch.equal(fit(images, 32, 32), torch.full((1, 3, 32, 32), 137, dtype=torch.uint8))


def test_grey_and_colour_convert_into_each_other() -> None:
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1)
    assert convert_channels(red, 1).item() == 76  # 0.299 * 255
    grey = torch.tensor([[[[9]]]], dtype=torch.uint8)
    assert convert_channels(grey, 3).flatten().tolist() == [9, 9, 9]


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


@pytest.mark.parametrize("shape", [(4, 2, 2), (2, 2, 2), (2,), (2, 2), (3, 0, 2), (1, 3, 2, 2)])
def test_shapes_that_pictures_cannot_take_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=rf"toy has pictures; they cannot take the shape \[{str(list(shape))[1:-1]}\]"):
        TensorDataset(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), "toy").prepare(shape)


def test_a_shape_that_is_not_square_is_filled_from_the_centre() -> None:
    images = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    images[..., 2:6, :] = 200
    assert torch.equal(fit(images, 4, 8), torch.full((1, 1, 4, 8), 200, dtype=torch.uint8))
    assert fit(images, 8, 4).shape == (1, 1, 8, 4)


@pytest.mark.parametrize(
    ("labels", "class_names", "captions", "message"),
    [
        ([0, 1], ("a",), None, "a label 1, but only 1 classes have names"),
        ([0, -1], (), None, "whole numbers from 0"),
        ([0.5, 1.0], (), None, "whole numbers from 0"),
        ([True, False], (), None, r"whole numbers from 0, as int64; these are torch\.bool"),
        ([0, 1], ("a", "b"), [("x",)], "2 examples cannot have 1 entries of captions"),
    ],
)
def test_labels_and_captions_that_do_not_fit(
    labels: list[float], class_names: tuple[str, ...], captions: list[tuple[str, ...]] | None, message: str
) -> None:
    images = torch.zeros(2, 1, 2, 2, dtype=torch.uint8)
    with pytest.raises(DataError, match=message):
        TensorDataset(images, "toy", labels=torch.tensor(labels), class_names=class_names, captions=captions)


def test_points_are_had_as_they_are() -> None:
    points = torch.tensor([[0.5, -1.0], [2.0, 3.0], [4.0, 5.0]])
    data = VectorDataset(points, "toy", labels=torch.tensor([0, 1, 1]), class_names=("a", "b"))
    assert len(data) == 3 and data.modality == "vector"
    assert data.prepare((2,))[torch.tensor([2, 0])].tolist() == [[4.0, 5.0], [0.5, -1.0]]
    assert data.sha256 == VectorDataset(points.clone(), "other", labels=torch.tensor([0, 1, 1])).sha256
    assert data.sha256 != VectorDataset(points + 1, "toy", labels=torch.tensor([0, 1, 1])).sha256


@pytest.mark.parametrize("shape", [(3,), (1, 2, 1), (3, 8, 8), ()])
def test_points_cannot_be_pictures_nor_other_points(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="toy has points of 2 numbers; they cannot take the shape"):
        VectorDataset(torch.zeros(1, 2), "toy").prepare(shape)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (torch.zeros(2, 2, dtype=torch.float64), "float32"),
        (torch.zeros(2), r"\[N, D\]"),
        (torch.zeros(0, 2), "at least one"),
        (torch.tensor([[float("nan")]]), "not finite"),
    ],
)
def test_tensors_that_are_no_points_are_refused(points: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        VectorDataset(points, "toy")
