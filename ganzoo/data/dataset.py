"""What a data set is: named examples that can be had at any size, with what is needed to cite and to repeat them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor

from ganzoo.errors import DataError

Modality = Literal["image", "text", "vector"]
Captions = Sequence[tuple[str, ...]]


class Examples(Protocol):
    """Examples of one shape, by index: what a discriminator is shown."""

    def __len__(self) -> int:
        """How many."""
        ...

    def __getitem__(self, indices: Tensor) -> Tensor:
        """The examples of ``indices [B]`` (int64): pictures as uint8 ``[B, C, H, W]``, others as floating point ``[B, …]``."""
        ...


class TensorExamples:
    """Examples kept in memory: ``values`` is ``[N, …]``."""

    def __init__(self, values: Tensor) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, indices: Tensor) -> Tensor:
        return self.values[indices]


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used, and why."""

    path: Path
    reason: str


class Dataset(ABC):
    """Named examples, with or without labels and captions.

    Attributes:
        name: How results cite it, split included where there is one, e.g. ``mnist-5k/train``.
        licence: SPDX identifier or a short text; None where nobody knows.
        url: Where it comes from.
        modality: ``image``, ``text`` or ``vector`` (points).
        labels: Class of each example, int64 ``[N]``, or None.
        class_names: What the classes are called, in the order of their numbers; empty where there are no classes or names.
        captions: The texts of each example (any number, also none), or None where nothing is captioned.
        skipped: Files that could not be used; known once the examples were prepared.
    """

    name: str
    licence: str | None = None
    url: str | None = None
    modality: Modality = "image"
    labels: Tensor | None = None
    class_names: tuple[str, ...] = ()
    captions: Captions | None = None
    skipped: tuple[Skipped, ...] = ()

    @abstractmethod
    def __len__(self) -> int:
        """How many examples."""

    @property
    @abstractmethod
    def sha256(self) -> str:
        """Hash of the content as it was before any resizing."""

    @abstractmethod
    def prepare(self, shape: tuple[int, ...]) -> Examples:
        """The examples shaped like one output of a generator: ``(C, H, W)`` for pictures, ``(D,)`` for points.

        Pictures are scaled so that they fill the shape, cropped around the centre, and made grey (1 channel) or RGB (3).

        Raises:
            DataError: examples that cannot be used, or a shape that they cannot take.
        """


def picture_shape(shape: tuple[int, ...], name: str) -> tuple[int, int, int]:
    """``shape`` as channels, height and width of a picture of the data set ``name``.

    Raises:
        DataError: it is not ``(1 | 3, H, W)``.
    """
    if len(shape) != 3 or shape[0] not in (1, 3) or min(shape) < 1:
        raise DataError(
            f"{name} has pictures; they cannot take the shape {list(shape)}.",
            hint="Pictures have the shape [channels, height, width] with 1 channel (grey) or 3 (RGB).",
        )
    return shape[0], shape[1], shape[2]


def check_labels(name: str, count: int, labels: Tensor | None, class_names: tuple[str, ...]) -> None:
    """Makes sure that there is one class for each of ``count`` examples, and a name for each class if there are names.

    Raises:
        DataError: labels of another length, or outside the named classes.
    """
    if labels is None:
        return
    if labels.shape != (count,):
        raise DataError(f"{name}: {count} examples cannot have labels of shape {list(labels.shape)}.")
    if labels.dtype != torch.int64 or int(labels.min()) < 0:
        raise DataError(f"{name}: labels are whole numbers from 0, as int64; these are {labels.dtype}.")
    if class_names and int(labels.max()) >= len(class_names):
        raise DataError(f"{name}: there is a label {int(labels.max())}, but only {len(class_names)} classes have names.")


def check_captions(name: str, count: int, captions: Captions | None) -> None:
    """Makes sure that there is an entry for each of ``count`` examples.

    Raises:
        DataError: captions of another length.
    """
    if captions is not None and len(captions) != count:
        raise DataError(f"{name}: {count} examples cannot have {len(captions)} entries of captions.")
