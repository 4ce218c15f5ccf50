"""Generated examples that can be made again: which latents, which classes, which truncation."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganzoo.data import Dataset
from ganzoo.errors import DataError, InvalidValueError
from ganzoo.models import Generator, ImageGenerator, TextSamples, class_numbers
from ganzoo.models.network import first_tensor
from ganzoo.models.seeds import check_count, check_seed, sample_seeds

UNCONDITIONAL = "unconditional"
Batch = Tensor | list[str]
MODALITIES = ("image", "vector", "text")
_MOST = 250  # samples at once
_VALUES = 2**22  # and numbers at once: large images come in smaller batches


@dataclass(frozen=True)
class Decoding:
    """How tokens are drawn from the probabilities of a text model. What is None is left to the model.

    Attributes:
        temperature: Divides the logits; below 1 it favours likely tokens.
        top_k: Only so many of the likeliest tokens may be drawn.
        top_p: Only the likeliest tokens that have this probability together may be drawn.

    Raises:
        InvalidValueError: a temperature that is no number above 0, a ``top_k`` below 1, or a ``top_p`` outside of (0, 1].
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if self.temperature is not None and not 0 < self.temperature < math.inf:
            raise InvalidValueError(
                f"The temperature must be a number above 0, not {self.temperature!r}.",
                hint="The likeliest token every time: --top-k 1.",
            )
        if self.top_k is not None and self.top_k < 1:
            raise InvalidValueError(f"At least 1 token must be left to draw from, not {self.top_k} (top-k).")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise InvalidValueError(f"The probability to draw from (top-p) is above 0 and at most 1, not {self.top_p}.")

    @property
    def options(self) -> dict[str, Any]:
        """What is given, as `Generator.sample` takes it."""
        given = {"temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Sampling:
    """``count`` samples of a seed. Iterating makes them, batch by batch, and gives the same each time.

    Attributes:
        generator: Makes images, points or texts.
        count: How many.
        seed: Of the samples.
        truncation: As in `Generator.sample`.
        classes: The class of each sample, int64 ``[count]``, or None where the generator is unconditional.
        condition: In words, where the classes come from.
        decoding: How tokens are drawn.
    """

    generator: Generator[Any]
    count: int
    seed: int
    truncation: float | None = None
    classes: Tensor | None = None
    condition: str = UNCONDITIONAL
    decoding: Decoding = Decoding()

    @property
    def batch_size(self) -> int:
        """Samples at once."""
        if self.generator.modality == "text":
            return self.generator.default_batch_size
        values = torch.Size(self.generator.output_shape).numel()
        return max(1, min(_MOST, _VALUES // max(1, values)))

    def __iter__(self) -> Iterator[Batch]:
        """Images ``[B, C, H, W]`` in [-1, 1], rounded to 8 bits as a saved picture and the reference are; points; or texts.

        Raises:
            DataError: values that are not finite.
        """
        seeds = sample_seeds(self.count, self.seed)
        for start in range(0, self.count, self.batch_size):
            part = slice(start, start + self.batch_size)
            samples = self.generator.sample(
                seeds=seeds[part],
                truncation=self.truncation,
                batch_size=self.batch_size,
                **self.options(part),
                **self.decoding.options,
            )
            if isinstance(samples, TextSamples):
                yield samples.text
                continue
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

    def kept(self) -> "Iterable[Batch]":
        """The samples for several readers: texts are kept, which costs little; all else is made again each time."""
        return tuple(self) if self.generator.modality == "text" else self

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
    condition: int | str | None = None,
    decoding: Decoding | None = None,
) -> Sampling:
    """How ``samples`` samples of ``generator`` are made to be compared with ``reference``.

    The classes of a conditional generator are drawn by ``seed``: with the frequencies of the reference's labels where it has
    labels that the generator knows, else uniformly; or all are ``condition``.

    Raises:
        InvalidValueError: fewer than 2 samples, no such seed, a truncation that is no number above 0, neither images nor
            points nor texts, a class that the generator does not have, or a way of drawing tokens that it does not know.
        UnknownNameError: a class of a name that the generator does not have.
    """
    check_seed(seed)
    if check_count(samples) < 2:
        raise InvalidValueError("An evaluation needs at least 2 samples.")
    if truncation is not None and not 0 < truncation < math.inf:
        raise InvalidValueError(f"The truncation must be a number above 0, not {truncation!r}.")
    if generator.modality not in MODALITIES:
        raise InvalidValueError(
            f"{type(generator).__name__} makes {generator.modality}; only {', '.join(MODALITIES)} can be evaluated."
        )
    classes, words = _classes(generator, reference, samples, seed, condition)
    drawn = resolve(generator, decoding or Decoding())
    return Sampling(generator, samples, seed, truncation, classes, words, drawn)


def resolve(generator: Generator[Any], decoding: Decoding) -> Decoding:
    """``decoding`` with the defaults of the generator where it says nothing: what a protocol records.

    Raises:
        InvalidValueError: the generator does not know one of the options given.
    """
    known = generator.sampling_options()
    for name in decoding.options:
        if name not in known:
            raise InvalidValueError(
                f"{type(generator).__name__} ({generator.modality}) has no sampling option '{name.replace('_', '-')}'."
            )
    if decoding.temperature is not None or "temperature" not in known:
        return decoding
    usual = known["temperature"].default
    return replace(decoding, temperature=float(usual)) if isinstance(usual, int | float) else decoding


def _classes(
    generator: Generator[Any], reference: Dataset, samples: int, seed: int, condition: int | str | None
) -> tuple[Tensor | None, str]:
    known = generator.num_classes
    if condition is not None:
        if not known:
            raise InvalidValueError(f"{type(generator).__name__} is unconditional; it cannot make class {condition}.")
        number = class_numbers(condition, generator.class_names)
        if not isinstance(number, int) or not 0 <= number < known:
            raise InvalidValueError(
                f"{type(generator).__name__} has the classes 0 to {known - 1}; it cannot make class {condition}."
            )
        return torch.full((samples,), number), f"class {number} only"
    if not known:
        return None, UNCONDITIONAL
    labels = reference.labels
    fits = labels is not None and int(labels.max()) < known
    weights = torch.bincount(labels, minlength=known).double() if fits else torch.ones(known).double()  # type: ignore[arg-type]
    rng = torch.Generator("cpu").manual_seed(seed)
    drawn = torch.multinomial(weights, samples, replacement=True, generator=rng)
    return drawn, "classes drawn as in the reference" if fits else "classes drawn uniformly"
