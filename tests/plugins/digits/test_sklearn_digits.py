import sys

import numpy as np
import pytest
import torch

from ganzoo.errors import InvalidValueError, MissingExtraError
from ganzoo_digits.sklearn_digits import sklearn_digits


def test_the_splits_are_stratified_and_together_the_whole() -> None:
    pytest.importorskip("sklearn")
    train, test, whole = (sklearn_digits(split=name) for name in ("train", "test", "all"))
    assert (len(train), len(test), len(whole)) == (1442, 355, 1797)
    assert whole.labels is not None and test.labels is not None
    counts = whole.labels.bincount()
    assert torch.equal(test.labels.bincount(), counts // 5)
    assert torch.equal(test.images[test.labels == 3], whole.images[whole.labels == 3][4::5])


def test_the_pixels_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    raw = datasets.load_digits().images
    images = sklearn_digits(split="all").images[:, 0].numpy()
    assert images.shape == (1797, 8, 8) and images.min() == 0 and images.max() == 255
    assert np.array_equal(np.rint(images / 255 * 16), raw)
    assert sklearn_digits().sha256 == "cb212488ba7820ca1d51740bf4f4bdb54389f56754e7d26e0caedac7ef62c5a5"


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"ganzoo-hub\[datasets\]"):
        sklearn_digits()


def test_there_is_no_other_split() -> None:
    with pytest.raises(InvalidValueError, match="no split 'validation'"):
        sklearn_digits(split="validation")
