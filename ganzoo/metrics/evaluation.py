"""One evaluation of a generator: the model and its controls against the same reference, in the same feature space."""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import msgspec
import torch

from ganzoo.data import Dataset
from ganzoo.errors import DataError, InvalidValueError, PluginError
from ganzoo.metrics.extraction import Progress, RealExamples, extract
from ganzoo.metrics.features import FeatureBatch, Features, state_sha256
from ganzoo.metrics.modes import votes
from ganzoo.metrics.parts import builtin_metrics
from ganzoo.metrics.protocol import Protocol, describe
from ganzoo.metrics.reference import features_of
from ganzoo.metrics.sampling import Sampling, plan_sampling
from ganzoo.metrics.sets import Metric, Sets
from ganzoo.models import Generator
from ganzoo.spec import Name

MODEL, HELD_OUT, RANDOM = "model", "held-out real data", "random initialisation"
DEFAULT_METRICS = ("fid", "pr")
DEFAULT_SAMPLES = 5000
_MOST_VOTES = 100  # classes; more are no longer read by anybody, and the metric `modes` sums them up


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one set of samples.

    Attributes:
        of: ``model``, ``held-out real data`` or ``random initialisation``.
        samples: How many; unlike counts are not to be compared closely, since most of these figures are biased for few samples.
        figures: Name to value.
        data: Name and hash of the data set, where real data were measured.
        votes: Share of the samples that the features' classifier takes for each class; empty where it has none or over 100.
    """

    of: str
    samples: int
    figures: dict[str, float]
    data: str = ""
    votes: dict[str, float] = {}


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The measurements of a model and of its controls under one protocol.

    Attributes:
        name: Of the model, as it was asked for.
        weights_sha256: Hash of the generator's state: figures belong to these weights.
        protocol: How they were made.
        measurements: The model first.
    """

    name: str
    weights_sha256: str
    protocol: Protocol
    measurements: tuple[Measurement, ...]

    @property
    def model(self) -> Measurement:
        """The model at the full sample count."""
        return self.measurements[0]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def evaluate_generator(
    generator: Generator[Any],
    reference: Dataset,
    features: Features,
    *,
    held_out: Dataset | None = None,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    metrics: Sequence[Metric] | None = None,
    truncation: float | None = None,
    condition: int | None = None,
    controls: bool = True,
    name: str = "",
    cache: bool = True,
    progress: Progress | None = None,
) -> Evaluation:
    """Measures ``samples`` samples of ``seed`` against all examples of ``reference``.

    With ``held_out``, the first samples are measured a second time, as many as it has examples: that line and the line of the
    held-out examples have equal counts and may be compared.

    Args:
        generator: Makes images or points.
        reference: Real data; shown to the features in the shape of the generator's output.
        features: The feature space.
        held_out: Real data that neither the generator nor the features were trained on, as a control.
        samples: How many.
        seed: Of the samples and of the random initialisation.
        metrics: ``fid`` and ``pr`` when left out; see `builtin_metrics`.
        truncation: As in `Generator.sample`.
        condition: The class that a conditional generator makes; when left out, classes are drawn as in the reference.
        controls: Also measure a generator of the same arguments at random initialisation.
        name: Of the model, for tables.
        cache: Keep the features of the real data in the cache and look for them there.
        progress: Called with the number of examples finished since the last call.

    Raises:
        InvalidValueError: neither images nor points, fewer than 2 samples, a class that the generator does not have, a
            metric that the feature space or the counts do not allow, or held-out data that are the reference.
        PluginError: a metric, a feature space or a data set gives something that is not what its hook promises.
        DataError: examples that cannot be used, or a model that makes values that are not finite.
    """
    chosen = builtin_metrics(*DEFAULT_METRICS) if metrics is None else tuple(metrics)
    for metric in chosen:
        metric.check(features)
    shape = tuple(generator.output_shape)
    check_shape(generator, reference)
    real = RealExamples(reference, shape)
    len(real)  # prepares them: which labels there are is known only then
    sampling = plan_sampling(generator, reference, samples=samples, seed=seed, truncation=truncation, condition=condition)
    others = None if held_out is None else _held_out(held_out, reference, shape)
    bench = _Bench(features, reference, features_of(real, features, progress=progress, cache=cache), chosen)
    made = extract(sampling, features, progress)
    found = [bench.measure(MODEL, made, sampling)]
    if others is not None:
        unseen = features_of(others, features, progress=progress, cache=cache)
        if len(unseen) < samples:
            fewer = sampling.first(len(unseen))
            found.append(bench.measure(MODEL, made.first(len(unseen)), fewer))
        found.append(bench.measure(HELD_OUT, unseen, others, seed=seed))
    if controls:
        untrained = sampling.of(at_random(generator, seed))
        found.append(bench.measure(RANDOM, extract(untrained, features, progress), untrained))
    return Evaluation(
        name=name,
        weights_sha256=state_sha256(generator.state_dict()),
        protocol=describe(reference, features, sampling, chosen),
        measurements=tuple(found),
    )


def evaluator(
    features: Features,
    reference: Dataset,
    metrics: Sequence[Metric] | None = None,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
) -> Callable[[Generator[Any]], dict[str, float]]:
    """A function that measures a generator again and again while it is trained: ``measure(generator) -> figures``.

    The features of the reference are computed at the first call (or taken from the cache) and kept in memory with the
    statistics that metrics make of them. Every call draws the same latents.

    Raises:
        InvalidValueError: a metric that the feature space does not allow. The function raises what `evaluate_generator` does.
    """
    chosen = builtin_metrics(*DEFAULT_METRICS) if metrics is None else tuple(metrics)
    for metric in chosen:
        metric.check(features)
    benches: dict[tuple[int, ...], _Bench] = {}

    def measure(generator: Generator[Any]) -> dict[str, float]:
        check_shape(generator, reference)
        shape = tuple(generator.output_shape)
        if shape not in benches:
            benches[shape] = _Bench(features, reference, features_of(RealExamples(reference, shape), features), chosen)
        sampling = plan_sampling(generator, reference, samples=samples, seed=seed)
        return benches[shape].measure(MODEL, extract(sampling, features), sampling).figures

    return measure


def check_shape(generator: Generator[Any], reference: Dataset) -> None:
    """Refuses images against points.

    Raises:
        InvalidValueError: the reference is of another modality than the generator.
    """
    if reference.modality != generator.modality:
        raise InvalidValueError(
            f"{type(generator).__name__} makes {generator.modality}s; {reference.name} has {reference.modality}s."
        )


def at_random(generator: Generator[Any], seed: int) -> Generator[Any]:
    """A generator of the same arguments at random initialisation, on the same device."""
    anchor = next(chain(generator.parameters(), generator.buffers()), None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        untrained = type(generator)(**generator.config)
    return untrained if anchor is None else untrained.to(anchor.device, anchor.dtype)


def _held_out(data: Dataset, reference: Dataset, shape: tuple[int, ...]) -> RealExamples:
    others = RealExamples(data, shape)
    if len(others) == len(reference) and data.sha256 == reference.sha256:
        raise InvalidValueError(
            f"The held-out data {data.name} are the reference: nothing can be told by comparing data with themselves.",
            hint="Give data that neither the model nor the features were trained on, or none.",
        )
    return others


def _figures(metric: Metric, sets: Sets) -> dict[str, float]:
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


class _Bench:
    """What every set of samples is measured against."""

    def __init__(self, space: Features, data: Dataset, real: FeatureBatch, metrics: Sequence[Metric]) -> None:
        self._space, self._data, self._real, self._metrics = space, data, real, metrics

    def measure(self, of: str, batch: FeatureBatch, examples: Sampling | RealExamples, seed: int = 0) -> Measurement:
        """All figures of one set of samples; ``seed`` is for what metrics draw themselves of real data."""
        if isinstance(examples, Sampling):
            sampling, seed, data = examples, examples.seed, ""
        else:
            sampling, data = None, f"{examples.data.name} ({examples.data.sha256[:12]})"
        sets = Sets(batch, self._real, self._space, examples, self._data, sampling, seed)
        figures: dict[str, float] = {}
        for metric in self._metrics:
            for name, value in _figures(metric, sets).items():
                if name in figures:
                    raise InvalidValueError(f"Two of the metrics give a figure '{name}'.", hint="Ask for them one by one.")
                figures[name] = value
        broken = [f"{name} ({value})" for name, value in figures.items() if not math.isfinite(value)]
        if broken:
            raise DataError(f"{', '.join(broken)} of the {of} is no number.", hint="The model's output may be broken.")
        return Measurement(of=of, samples=len(batch), data=data, figures=figures, votes=self._votes(batch))

    def _votes(self, batch: FeatureBatch) -> dict[str, float]:
        if batch.scores is None or len(self._space.classes) > _MOST_VOTES:
            return {}
        counts = votes(batch.scores)
        return {name: int(count) / len(batch) for name, count in zip(self._space.classes, counts, strict=True)}
