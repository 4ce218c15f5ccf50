"""Generated examples that can be made again: which latents, which classes, which truncation."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganzoo.data import Dataset
from ganzoo.errors import DataError, InvalidValueError
from ganzoo.models import Generator, ImageGenerator
from ganzoo.models.network import first_tensor
from ganzoo.models.seeds import check_count, check_seed, sample_seeds

UNCONDITIONAL = "unconditional"
_MOST = 250  # samples at once
_VALUES = 2**22  # and numbers at once: large images come in smaller batches


@dataclass(frozen=True)
class Sampling:
    """``count`` samples of a seed. Iterating makes them, batch by batch, and gives the same each time.

    Attributes:
        generator: Makes images or points.
        count: How many.
        seed: Of the samples.
        truncation: As in `Generator.sample`.
        classes: The class of each sample, int64 ``[count]``, or None where the generator is unconditional.
        condition: In words, where the classes come from.
    """

    generator: Generator[Any]
    count: int
    seed: int
    truncation: float | None = None
    classes: Tensor | None = None
    condition: str = UNCONDITIONAL

    @property
    def batch_size(self) -> int:
        """Samples at once."""
        values = torch.Size(self.generator.output_shape).numel()
        return max(1, min(_MOST, _VALUES // max(1, values)))

    def __iter__(self) -> Iterator[Tensor]:
        """Images ``[B, C, H, W]`` in [-1, 1], rounded to 8 bits as a saved picture and the reference are; or points.

        Raises:
            DataError: values that are not finite.
        """
        seeds = sample_seeds(self.count, self.seed)
        for start in range(0, self.count, self.batch_size):
            part = slice(start, start + self.batch_size)
            samples = self.generator.sample(
                seeds=seeds[part], truncation=self.truncation, batch_size=self.batch_size, **self.options(part)
            )
            finite = samples.tensor.flatten(1).isfinite().all(1)
            if not finite.all():  # rounded to 8 bits, they would be black pictures
                raise DataError(
                    f"{type(self.generator).__name__} makes values that are not finite; the first sample of them is that of "
                    f"the seed {samples.seeds[int(finite.int().argmin())]}.",
                    hint="The weights are damaged, or the training diverged.",
                )
            if isinstance(self.generator, ImageGenerator):
                yield samples.to_uint8().permute(0, 3, 1, 2).float() / 127.5 - 1
            else:
                yield samples.tensor

    def options(self, part: slice) -> dict[str, Any]:
        """The condition of some of the samples, as ``forward`` takes it, on the generator's device."""
        if self.classes is None:
            return {}
        anchor = first_tensor(self.generator)
        chosen = self.classes[part]
        return {"c": chosen if anchor is None else chosen.to(anchor.device)}

    def first(self, count: int) -> "Sampling":
        """The first ``count`` of these samples."""
        classes = None if self.classes is None else self.classes[:count]
        return replace(self, count=count, classes=classes)

    def of(self, generator: Generator[Any]) -> "Sampling":
        """The same draws from another generator."""
        return replace(self, generator=generator)


def plan_sampling(
    generator: Generator[Any],
    reference: Dataset,
    *,
    samples: int,
    seed: int,
    truncation: float | None = None,
    condition: int | None = None,
) -> Sampling:
    """How ``samples`` samples of ``generator`` are made to be compared with ``reference``.

    The classes of a conditional generator are drawn by ``seed``: with the frequencies of the reference's labels where it has
    labels that the generator knows, else uniformly; or all are ``condition``.

    Raises:
        InvalidValueError: fewer than 2 samples, no such seed, a truncation that is no number above 0, neither images nor
            points, or a class that the generator does not have.
    """
    check_seed(seed)
    if check_count(samples) < 2:
        raise InvalidValueError("An evaluation needs at least 2 samples.")
    if truncation is not None and not 0 < truncation < math.inf:
        raise InvalidValueError(f"The truncation must be a number above 0, not {truncation!r}.")
    if generator.modality not in ("image", "vector"):
        raise InvalidValueError(
            f"Only generators of images and of points can be evaluated, not {type(generator).__name__} ({generator.modality})."
        )
    classes, words = _classes(generator, reference, samples, seed, condition)
    return Sampling(generator, samples, seed, truncation, classes, words)


def _classes(
    generator: Generator[Any], reference: Dataset, samples: int, seed: int, condition: int | None
) -> tuple[Tensor | None, str]:
    known = generator.num_classes
    if condition is not None and not 0 <= condition < known:
        has = f"has the classes 0 to {known - 1}" if known else "is unconditional"
        raise InvalidValueError(f"{type(generator).__name__} {has}; it cannot make class {condition}.")
    if not known:
        return None, UNCONDITIONAL
    if condition is not None:
        return torch.full((samples,), condition), f"class {condition} only"
    labels = reference.labels
    fits = labels is not None and int(labels.max()) < known
    weights = torch.bincount(labels, minlength=known).double() if fits else torch.ones(known).double()  # type: ignore[arg-type]
    rng = torch.Generator("cpu").manual_seed(seed)
    drawn = torch.multinomial(weights, samples, replacement=True, generator=rng)
    return drawn, "classes drawn as in the reference" if fits else "classes drawn uniformly"
