"""``sklearn-digits``: the 1,797 digits of 8x8 pixels that scikit-learn carries (Alpaydin and Kaynak 1998)."""

import numpy as np
import torch

from ganzoo.data import TensorDataset
from ganzoo.errors import InvalidValueError, MissingExtraError
from ganzoo_digits.splits import SPLITS, choose

LICENCE = (
    "CC-BY-4.0 (UCI: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak); in scikit-learn (BSD-3-Clause)"
)
URL = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"


def sklearn_digits(*, split: str = "train") -> TensorDataset:
    """The digits of one split as uint8 ``[N, 1, 8, 8]`` with their classes, 0 to 9.

    The 17 grey levels of the original (how many of 4x4 scanned pixels are ink) are spread over 0 to 255.

    Args:
        split: ``train`` (1,442), ``test`` (every fifth picture of each class in the order of the file, 355) or ``all``.

    Raises:
        InvalidValueError: no such split.
        MissingExtraError: scikit-learn is not installed.
    """
    if split not in SPLITS:
        raise InvalidValueError(f"sklearn-digits has no split '{split}'.", hint=f"Use {', '.join(SPLITS)}.")
    try:
        from sklearn.datasets import load_digits
    except ImportError as e:
        raise MissingExtraError("The data set sklearn-digits", "scikit-learn", "datasets") from e
    values, classes = load_digits(return_X_y=True)
    images = torch.from_numpy(np.rint(values * (255 / 16)).astype(np.uint8)).view(-1, 1, 8, 8)
    labels = torch.from_numpy(np.asarray(classes, dtype=np.int64))
    chosen = choose(labels, split)
    return TensorDataset(
        images[chosen],
        f"sklearn-digits/{split}",
        labels=labels[chosen],
        class_names=tuple("0123456789"),
        licence=LICENCE,
        url=URL,
    )
