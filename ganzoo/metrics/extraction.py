"""Features of whole sets, batch by batch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

import torch
from torch import Tensor

from ganzoo.data import Dataset, Examples
from ganzoo.errors import DataError, PluginError
from ganzoo.metrics.features import FeatureBatch, Features

Progress = Callable[[int], object]
_BATCH = 250


@dataclass(frozen=True)
class RealExamples:
    """All examples of a data set in the shape of a generator's output: pictures in [-1, 1], points as they are."""

    data: Dataset
    shape: tuple[int, ...]

    @cached_property
    def examples(self) -> Examples:
        """The examples, prepared when they are first asked for. Only then a data set knows its broken pictures, and so its
        hash, its length and its labels.

        Raises:
            DataError: examples that cannot be used, or fewer than 2.
        """
        prepared = self.data.prepare(self.shape)
        if len(prepared) < 2:
            raise DataError(f"{self.data.name} has {len(prepared)} example; an evaluation needs at least 2 samples.")
        return prepared

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Tensor]:
        for indices in torch.split(torch.arange(len(self)), _BATCH):
            batch = self.examples[indices]
            if batch.shape != (len(indices), *self.shape) or not (batch.is_floating_point() or batch.dtype == torch.uint8):
                raise PluginError(
                    f"The data set {self.data.name} gives {batch.dtype} {list(batch.shape)} for {len(indices)} examples of the "
                    f"shape {list(self.shape)}; uint8 or floating point of that shape is wanted."
                )
            yield batch if batch.is_floating_point() else batch.float() / 127.5 - 1


@dataclass(frozen=True)
class RealTexts:
    """All texts of a data set, as they are: they have no shape."""

    data: Dataset
    shape: tuple[int, ...] = ()

    @cached_property
    def texts(self) -> list[str]:
        """The texts.

        Raises:
            DataError: fewer than 2.
        """
        found = texts_of(self.data)
        if len(found) < 2:
            raise DataError(f"{self.data.name} has {len(found)} text; an evaluation needs at least 2 samples.")
        return found

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[list[str]]:
        return (self.texts[start : start + _BATCH] for start in range(0, len(self), _BATCH))


Real = RealExamples | RealTexts


def real_examples(data: Dataset, shape: tuple[int, ...]) -> Real:
    """The examples of ``data`` as they are compared with the output of a generator of that ``shape``."""
    return RealTexts(data) if data.modality == "text" else RealExamples(data, shape)


def texts_of(data: Dataset) -> list[str]:
    """The texts of a data set of texts.

    Raises:
        PluginError: it has none.
    """
    lines = getattr(data, "lines", None)
    if lines is None or not all(isinstance(line, str) for line in lines):
        raise PluginError(f"The data set {data.name} has no `lines` of text.", hint="It should be a ganzoo.data.TextDataset.")
    return list(lines)


def extract(batches: Iterable[Any], space: Features, progress: Progress | None = None) -> FeatureBatch:
    """Features of all examples of ``batches``.

    Raises:
        DataError: features that are not finite, or examples that the space is not made for.
        PluginError: the space gives something that is no features.
    """
    found: list[FeatureBatch] = []
    for batch in batches:
        part = space(batch)
        _check(part, len(batch), space)
        found.append(part)
        if progress is not None:
            progress(len(batch))
    scores = [part.scores for part in found if part.scores is not None]
    return FeatureBatch(torch.cat([part.features for part in found]), torch.cat(scores) if scores else None)


def _check(batch: FeatureBatch, count: int, space: Features) -> None:
    if not isinstance(batch, FeatureBatch):
        raise PluginError(
            f"The feature space '{space.name}' gives a {type(batch).__name__}, not a ganzoo.metrics.FeatureBatch."
        )
    wanted: list[tuple[str, object, int | None]] = [("features", batch.features, None)]
    if space.classes or batch.scores is not None:
        wanted.append(("scores", batch.scores, len(space.classes)))
    for what, values, columns in wanted:
        if not _are_rows(values, count, columns):
            given = f"{values.dtype} {list(values.shape)} on {values.device}" if isinstance(values, Tensor) else repr(values)
            raise PluginError(
                f"The feature space '{space.name}' gives the {what} {given} for {count} examples; "
                f"floating point [{count}, {'D' if columns is None else f'{columns} classes'}] on the CPU is wanted."
            )
        if not values.isfinite().all():
            raise DataError(
                f"The feature space '{space.name}' gives {what} that are not finite.",
                hint="The examples are broken, or the weights of the feature space are.",
            )


def _are_rows(values: object, count: int, columns: int | None) -> TypeGuard[Tensor]:
    if not isinstance(values, Tensor) or values.dim() != 2 or not values.is_floating_point() or values.device.type != "cpu":
        return False
    return len(values) == count and values.shape[1] == (values.shape[1] if columns is None else columns)
