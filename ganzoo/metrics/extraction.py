"""Features of whole sets, batch by batch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.data import Dataset
from ganzoo.errors import DataError
from ganzoo.metrics.features import FeatureBatch, Features

Progress = Callable[[int], object]
_BATCH = 250


@dataclass(frozen=True)
class RealExamples:
    """All examples of a data set in the shape of a generator's output: pictures in [-1, 1], points as they are."""

    data: Dataset
    shape: tuple[int, ...]

    def __iter__(self) -> Iterator[Tensor]:
        examples = self.data.prepare(self.shape)
        for indices in torch.split(torch.arange(len(examples)), _BATCH):
            batch = examples[indices]
            yield batch if batch.is_floating_point() else batch.float() / 127.5 - 1


def extract(batches: Iterable[Tensor], space: Features, progress: Progress | None = None) -> FeatureBatch:
    """Features of all examples of ``batches``.

    Raises:
        DataError: features that are not finite, or examples that the space is not made for.
    """
    found: list[FeatureBatch] = []
    for batch in batches:
        part = space(batch)
        if not part.features.isfinite().all():
            raise DataError(
                f"The feature space '{space.name}' gives values that are not finite.",
                hint="The examples are broken (a model that diverged?), or the weights of the feature space are.",
            )
        found.append(part)
        if progress is not None:
            progress(len(batch))
    scores = [part.scores for part in found if part.scores is not None]
    return FeatureBatch(torch.cat([part.features for part in found]), torch.cat(scores) if scores else None)
