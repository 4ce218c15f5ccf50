"""What every set of samples of one evaluation is measured against."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from ganzoo.data import Dataset
from ganzoo.errors import DataError, InvalidValueError, PluginError
from ganzoo.metrics.extraction import Progress, Real, extract, real_examples
from ganzoo.metrics.features import FeatureBatch, Features
from ganzoo.metrics.modes import votes
from ganzoo.metrics.reference import features_of
from ganzoo.metrics.sampling import Sampling
from ganzoo.metrics.sets import Metric, Sets
from ganzoo.metrics.words import PLAIN, Words, words_of
from ganzoo.models import Generator
from ganzoo.spec import Name

MODEL, HELD_OUT, RANDOM = "model", "held-out real data", "random initialisation"
_MOST_VOTES = 100  # classes; more are no longer read by anybody, and the metric `modes` sums them up


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one set of samples.

    Attributes:
        of: ``model``, ``held-out real data`` or ``random initialisation``.
        samples: How many; unlike counts are not to be compared closely, since most of these figures are biased for few samples.
        figures: Name to value, which may be infinite: the perplexity of what a model finds impossible, say.
        data: Name and hash of the data set, where real data were measured.
        votes: Share of the samples that the features' classifier takes for each class; empty where it has none or over 100.
    """

    of: str
    samples: int
    figures: dict[str, float]
    data: str = ""
    votes: dict[str, float] = {}


class Bench:
    """The reference with its features, and what is measured of samples.

    Args:
        space: The feature space.
        real: The reference.
        metrics: What is measured.
        held_out: Real data that the model was not trained on.
        words: How texts are cut into words; None where there are no texts.
        progress: Called with the number of examples finished since the last call.
        cache: Keep the features of real data in the cache and look for them there.
    """

    def __init__(
        self,
        space: Features,
        real: Real,
        metrics: Sequence[Metric],
        *,
        held_out: Real | None = None,
        words: Words | None = None,
        progress: Progress | None = None,
        cache: bool = True,
    ) -> None:
        self._space, self._metrics, self._held_out, self._words = space, metrics, held_out, words
        self._progress, self._cache, self._data = progress, cache, real.data
        self._real = features_of(real, space, progress=progress, cache=cache)
        self._unseen: FeatureBatch | None = None

    def measure(self, of: str, sampling: Sampling) -> Measurement:
        """All figures of one set of samples."""
        examples = sampling.kept()
        return self._figures(of, extract(examples, self._space, self._progress), examples, sampling)

    def model(self, sampling: Sampling) -> list[Measurement]:
        """Of the model; a second time with as many samples as there are held-out examples, where those are fewer."""
        examples = sampling.kept()
        made = extract(examples, self._space, self._progress)
        found = [self._figures(MODEL, made, examples, sampling)]
        if self._held_out is not None and len(self._held_out) < sampling.count:
            fewer = sampling.first(len(self._held_out))
            few = first_texts(examples, fewer.count) if isinstance(examples, tuple) else fewer
            found.append(self._figures(MODEL, made.first(fewer.count), few, fewer))
        return found

    def held_out(self, seed: int) -> list[Measurement]:
        """Of the held-out examples, where there are some; ``seed`` is for what metrics draw themselves."""
        if self._held_out is None:
            return []
        unseen = features_of(self._held_out, self._space, progress=self._progress, cache=self._cache)
        return [self._figures(HELD_OUT, unseen, self._held_out, None, seed)]

    def _figures(self, of: str, batch: FeatureBatch, examples: Any, sampling: Sampling | None, seed: int = 0) -> Measurement:
        data = "" if sampling is not None else f"{examples.data.name} ({examples.data.sha256[:12]})"
        unseen = self._held_out.data if self._held_out is not None and sampling is not None else None
        sets = Sets(
            generated=batch,
            reference=self._real,
            space=self._space,
            examples=examples,
            data=self._data,
            sampling=sampling,
            seed=seed if sampling is None else sampling.seed,
            held_out=unseen,
            words=self._words or PLAIN,
        )
        figures: dict[str, float] = {}
        for metric in self._metrics:
            for name, value in _checked(metric, sets).items():
                if name in figures:
                    raise InvalidValueError(f"Two of the metrics give a figure '{name}'.", hint="Ask for them one by one.")
                figures[name] = value
        broken = [f"{name} ({value})" for name, value in figures.items() if math.isnan(value)]
        if broken:
            raise DataError(f"{', '.join(broken)} of the {of} is no number.", hint="The model's output may be broken.")
        return Measurement(of=of, samples=len(batch), data=data, figures=figures, votes=self._votes(batch))

    def _votes(self, batch: FeatureBatch) -> dict[str, float]:
        if batch.scores is None or len(self._space.classes) > _MOST_VOTES:
            return {}
        counts = votes(batch.scores)
        return {name: int(count) / len(batch) for name, count in zip(self._space.classes, counts, strict=True)}


def open_reference(generator: Generator[Any], reference: Dataset) -> tuple[Real, Words | None]:
    """The reference as it is compared with what ``generator`` makes, prepared; and the words of texts.

    Raises:
        InvalidValueError: it is of another modality than the generator.
        DataError: examples that cannot be used.
    """
    if reference.modality != generator.modality:
        raise InvalidValueError(
            f"{type(generator).__name__} makes {generator.modality}s; {reference.name} has {reference.modality}s."
        )
    real = real_examples(reference, tuple(generator.output_shape))
    len(real)  # prepares them: which labels there are is known only then
    return real, words_of(getattr(generator, "tokenizer", None)) if reference.modality == "text" else None


def first_texts(batches: Sequence[Any], count: int) -> tuple[list[str], ...]:
    """The first ``count`` texts, as one batch."""
    return ([text for batch in batches for text in batch][:count],)


def _checked(metric: Metric, sets: Sets) -> dict[str, float]:
    """What the metric gives, as plain numbers.

    Raises:
        PluginError: something else.
    """
    given: object = metric.compute(sets)
    try:
        return {msgspec.convert(name, Name): float(value) for name, value in dict(given).items()}  # type: ignore[call-overload]
    except (TypeError, ValueError, RuntimeError) as e:
        raise PluginError(
            f"The metric '{metric.id}' gives {str(given)[:60]}, and not figures by name.",
            hint="Figures are numbers, their names lower case with dashes: they go into model cards.",
        ) from e
