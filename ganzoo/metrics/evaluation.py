"""One evaluation of a generator: the model and its controls against the same reference, in the same feature space."""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import msgspec
import torch

from ganzoo.data import Dataset
from ganzoo.errors import InvalidValueError
from ganzoo.metrics.bench import MODEL, RANDOM, Bench, Measurement, open_reference
from ganzoo.metrics.extraction import Progress, Real, real_examples
from ganzoo.metrics.features import Features, NoFeatures, state_sha256
from ganzoo.metrics.parts import builtin_metrics
from ganzoo.metrics.protocol import Protocol, describe
from ganzoo.metrics.sampling import Decoding, Sampling, plan_sampling
from ganzoo.metrics.sets import Metric
from ganzoo.metrics.words import Words
from ganzoo.models import Generator
from ganzoo.spec import Modality
from ganzoo.tokenizers import TokenizerBuffer

DEFAULT_METRICS = ("fid", "pr")
DEFAULT_TEXT_METRICS = ("bleu", "self-bleu", "distinct", "overlap")
DEFAULT_SAMPLES = 5000


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
        """Plain JSON values. What is infinite is the text ``Infinity``, since JSON has no such number."""
        plain: dict[str, Any] = _without_infinity(msgspec.to_builtins(self))
        return plain


def evaluate_generator(
    generator: Generator[Any],
    reference: Dataset,
    features: Features | None = None,
    *,
    held_out: Dataset | None = None,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    metrics: Sequence[Metric] | None = None,
    truncation: float | None = None,
    condition: int | str | None = None,
    decoding: Decoding | None = None,
    controls: bool = True,
    name: str = "",
    cache: bool = True,
    progress: Progress | None = None,
) -> Evaluation:
    """Measures ``samples`` samples of ``seed`` against all examples of ``reference``.

    With ``held_out``, the first samples are measured a second time, as many as it has examples: that line and the line of the
    held-out examples have equal counts and may be compared.

    Args:
        generator: Makes images, points or texts.
        reference: Real data; shown to the features in the shape of the generator's output.
        features: The feature space; None where all metrics do without, as most of texts do.
        held_out: Real data that neither the generator nor the features were trained on, as a control.
        samples: How many.
        seed: Of the samples and of the random initialisation.
        metrics: When left out, ``fid`` and ``pr``, or of texts ``bleu``, ``self-bleu``, ``distinct`` and ``overlap``; see
            `builtin_metrics`.
        truncation: As in `Generator.sample`.
        condition: The class that a conditional generator makes, its number or name; when left out, classes are drawn as in
            the reference.
        decoding: How a text generator draws tokens.
        controls: Also measure a generator of the same arguments at random initialisation.
        name: Of the model, for tables.
        cache: Keep the features of the real data in the cache and look for them there.
        progress: Called with the number of examples finished since the last call.

    Raises:
        InvalidValueError: a modality that is not measured, fewer than 2 samples, a class that the generator does not have, a
            metric that the modality, the feature space or the counts do not allow, or held-out data that are the reference.
        UnknownNameError: a class of a name that the generator does not have.
        PluginError: a metric, a feature space or a data set gives something that is not what its hook promises.
        DataError: examples that cannot be used, or a model that makes values that are not finite.
    """
    (found,) = evaluate_decodings(
        generator,
        reference,
        features,
        decodings=[decoding or Decoding()],
        held_out=held_out,
        samples=samples,
        seed=seed,
        metrics=metrics,
        truncation=truncation,
        condition=condition,
        controls=controls,
        name=name,
        cache=cache,
        progress=progress,
    )
    return found


def evaluate_decodings(
    generator: Generator[Any],
    reference: Dataset,
    features: Features | None = None,
    *,
    decodings: Sequence[Decoding],
    held_out: Dataset | None = None,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    metrics: Sequence[Metric] | None = None,
    truncation: float | None = None,
    condition: int | str | None = None,
    controls: bool = True,
    name: str = "",
    cache: bool = True,
    progress: Progress | None = None,
) -> tuple[Evaluation, ...]:
    """As `evaluate_generator`, once for each of ``decodings``; the controls only with the first.

    What is computed of the reference is computed once, so a sweep over temperatures costs little more than its samples.

    Raises:
        InvalidValueError, PluginError, DataError: as `evaluate_generator`.
    """
    space = NoFeatures() if features is None else features
    chosen = choose_metrics(reference.modality, space, metrics)
    real, words = open_reference(generator, reference)
    options: dict[str, Any] = {"samples": samples, "seed": seed, "truncation": truncation, "condition": condition}
    plans = [plan_sampling(generator, reference, decoding=decoding, **options) for decoding in decodings]
    samplings = [_checked(plan, chosen) for plan in plans]
    others = None if held_out is None else _held_out(held_out, real)
    bench = Bench(space, real, chosen, held_out=others, words=words, progress=progress, cache=cache)
    weights = state_sha256(generator.state_dict())
    found: list[Evaluation] = []
    for sampling in samplings:
        measured = bench.model(sampling)
        if not found:
            measured += bench.held_out(seed)
            if controls:
                measured.append(bench.measure(RANDOM, sampling.of(at_random(generator, seed))))
        protocol = describe(reference, space, sampling, chosen, words=words, held_out=held_out)
        found.append(Evaluation(name=name, weights_sha256=weights, protocol=protocol, measurements=tuple(measured)))
    return tuple(found)


def evaluator(
    features: Features | None,
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
    space = NoFeatures() if features is None else features
    chosen = choose_metrics(reference.modality, space, metrics)
    benches: dict[tuple[tuple[int, ...], Words | None], Bench] = {}

    def measure(generator: Generator[Any]) -> dict[str, float]:
        real, words = open_reference(generator, reference)
        sampling = _checked(plan_sampling(generator, reference, samples=samples, seed=seed), chosen)
        key = (real.shape, words)
        if key not in benches:
            benches[key] = Bench(space, real, chosen, words=words)
        return benches[key].measure(MODEL, sampling).figures

    return measure


def choose_metrics(modality: Modality, space: Features, metrics: Sequence[Metric] | None = None) -> tuple[Metric, ...]:
    """``metrics``, or the usual ones of examples of that kind, where they can be computed.

    Raises:
        InvalidValueError: they, the feature space and the modality do not fit each other.
    """
    usual = DEFAULT_TEXT_METRICS if modality == "text" else DEFAULT_METRICS
    chosen = builtin_metrics(*usual) if metrics is None else tuple(metrics)
    space.check(modality)
    for metric in chosen:
        metric.check(space, modality)
    return chosen


def _checked(sampling: Sampling, metrics: Sequence[Metric]) -> Sampling:
    """``sampling``, if all metrics can measure what is made so."""
    for metric in metrics:
        metric.check_sampling(sampling)
    return sampling


def at_random(generator: Generator[Any], seed: int) -> Generator[Any]:
    """A generator of the same arguments at random initialisation, on the same device; it speaks the same vocabulary."""
    anchor = next(chain(generator.parameters(), generator.buffers()), None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        untrained = type(generator)(**generator.config)
    if isinstance(untrained, TokenizerBuffer) and isinstance(generator, TokenizerBuffer):
        untrained.set_tokenizer(generator.tokenizer)
    return untrained if anchor is None else untrained.to(anchor.device, anchor.dtype)


def _without_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_infinity(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinity(each) for each in value]
    infinite = isinstance(value, float) and math.isinf(value)
    return ("Infinity" if value > 0 else "-Infinity") if infinite else value


def _held_out(data: Dataset, reference: Real) -> Real:
    others = real_examples(data, reference.shape)
    if len(others) == len(reference) and data.sha256 == reference.data.sha256:
        raise InvalidValueError(
            f"The held-out data {data.name} are the reference: nothing can be told by comparing data with themselves.",
            hint="Give data that neither the model nor the features were trained on, or none.",
        )
    return others
