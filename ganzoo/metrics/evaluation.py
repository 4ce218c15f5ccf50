"""One evaluation of an image generator: the model and its controls against the same reference, in the same feature space."""

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

import ganzoo
from ganzoo.data import Dataset, Pictures
from ganzoo.errors import InvalidValueError
from ganzoo.metrics.features import FeatureBatch, Features
from ganzoo.metrics.frechet import frechet
from ganzoo.metrics.manifold import precision_recall_metric
from ganzoo.models import Generator, ImageGenerator
from ganzoo.models.seeds import check_count, check_seed, sample_seeds

Metric = Callable[[Tensor, Tensor], Mapping[str, float]]
DEFAULT_METRICS: tuple[Metric, ...] = (frechet, precision_recall_metric)
MODEL, HELD_OUT, RANDOM = "model", "held-out real data", "random initialisation"
_BATCH = 250


@dataclass(frozen=True)
class Protocol:
    """What is needed to repeat an evaluation, and to know whether two of them may stand in one table."""

    features: str
    features_sha256: str
    reference: str
    reference_sha256: str
    reference_samples: int
    image_size: int
    channels: int
    seed: int
    ganzoo: str
    torch: str
    platform: str

    def __str__(self) -> str:
        pixels = f"{self.image_size}x{self.image_size}x{self.channels}"
        return (
            f"features {self.features} ({self.features_sha256[:12]}), reference {self.reference} "
            f"({self.reference_sha256[:12]}, {self.reference_samples} pictures, {pixels}, scaled bicubic with antialiasing), "
            f"seed {self.seed}"
        )


@dataclass(frozen=True)
class Measurement:
    """The figures of one set of samples.

    Attributes:
        of: ``model``, ``held-out real data`` or ``random initialisation``.
        samples: How many; unlike counts are not to be compared closely, since all these figures are biased for few samples.
        figures: Name to value.
        votes: Share of the samples that the features' classifier takes for each class; empty where it has none.
    """

    of: str
    samples: int
    figures: dict[str, float]
    votes: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """The measurements of a model and of its controls under one protocol."""

    protocol: Protocol
    measurements: tuple[Measurement, ...]

    @property
    def model(self) -> Measurement:
        """The model at the full sample count."""
        return self.measurements[0]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def evaluate_generator(
    generator: Generator[Any],
    reference: Dataset,
    features: Features,
    *,
    held_out: Dataset | None = None,
    samples: int = 5000,
    seed: int = 0,
    metrics: tuple[Metric, ...] = DEFAULT_METRICS,
    controls: bool = True,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Measures ``samples`` samples of ``seed`` against all pictures of ``reference``.

    With ``held_out``, the first samples are measured a second time, as many as it has pictures: that line and the line of the
    held-out pictures have equal counts and may be compared.

    Args:
        generator: Makes images.
        reference: Real pictures; shown to the features at the generator's size and channels.
        features: The feature space.
        held_out: Real pictures that neither the generator nor the features were trained on, as a control.
        samples: How many.
        seed: Of the samples and of the random initialisation.
        metrics: Callables ``(generated, reference) -> figures`` on features ``[N, D]``.
        controls: Also measure a generator of the same arguments at random initialisation.
        progress: Called with the number of images finished since the last call.

    Raises:
        InvalidValueError: not an image generator of square images, or fewer than 2 samples.
        DataError: pictures that cannot be used.
    """
    check_seed(seed)
    if not isinstance(generator, ImageGenerator):
        raise InvalidValueError(f"Only generators of images can be evaluated, not {type(generator).__name__}.")
    image_size, channels = _square(generator)
    if check_count(samples) < 2:
        raise InvalidValueError("An evaluation needs at least 2 samples.")
    real = extract(_pictures(reference.prepare(image_size, channels)), features, progress)
    made = extract(_samples(generator, samples, seed), features, progress)

    def measure(of: str, batch: FeatureBatch) -> Measurement:
        figures = {name: value for metric in metrics for name, value in metric(batch.features, real.features).items()}
        return Measurement(of=of, samples=len(batch.features), figures=figures, votes=_votes(batch, features.classes))

    measurements = [measure(MODEL, made)]
    if held_out is not None:
        unseen = extract(_pictures(held_out.prepare(image_size, channels)), features, progress)
        count = len(unseen.features)
        if count < samples:
            measurements.append(measure(MODEL, _first(made, count)))
        measurements.append(measure(HELD_OUT, unseen))
    if controls:
        untrained = _at_random(generator, seed)
        measurements.append(measure(RANDOM, extract(_samples(untrained, samples, seed), features, progress)))
    protocol = _protocol(reference, features, (image_size, channels), seed)
    return Evaluation(protocol, tuple(measurements))


def extract(batches: Iterator[Tensor], features: Features, progress: Callable[[int], object] | None = None) -> FeatureBatch:
    """Features of all images of ``batches``, each ``[N, C, H, W]`` in [-1, 1]."""
    found: list[FeatureBatch] = []
    for images in batches:
        found.append(features(images))
        if progress is not None:
            progress(len(images))
    scores = [batch.scores for batch in found if batch.scores is not None]
    return FeatureBatch(torch.cat([batch.features for batch in found]), torch.cat(scores) if scores else None)


def _square(generator: ImageGenerator) -> tuple[int, int]:
    shape = generator.output_shape
    if len(shape) != 3 or shape[1] != shape[2]:
        raise InvalidValueError(f"Only generators of square images can be evaluated, not {type(generator).__name__} {shape}.")
    return shape[1], shape[0]


def _pictures(pictures: Pictures) -> Iterator[Tensor]:
    for indices in torch.split(torch.arange(len(pictures)), _BATCH):
        yield pictures[indices].float() / 127.5 - 1


def _samples(generator: ImageGenerator, count: int, seed: int) -> Iterator[Tensor]:
    """Rounded to 8 bits as a saved picture is: the reference is 8 bits too."""
    seeds = sample_seeds(count, seed)
    for start in range(0, count, _BATCH):
        pixels = generator.sample(seeds=seeds[start : start + _BATCH], batch_size=_BATCH).to_uint8()
        yield pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def _first(batch: FeatureBatch, count: int) -> FeatureBatch:
    return FeatureBatch(batch.features[:count], None if batch.scores is None else batch.scores[:count])


def _votes(batch: FeatureBatch, classes: tuple[str, ...]) -> dict[str, float]:
    if batch.scores is None:
        return {}
    counts = torch.bincount(batch.scores.argmax(1), minlength=len(classes))
    return {name: int(count) / len(batch.scores) for name, count in zip(classes, counts, strict=True)}


def _at_random(generator: ImageGenerator, seed: int) -> ImageGenerator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return type(generator)(**generator.config)


def _protocol(reference: Dataset, features: Features, shape: tuple[int, int], seed: int) -> Protocol:
    return Protocol(
        features=features.name,
        features_sha256=features.sha256,
        reference=reference.name,
        reference_sha256=reference.sha256,
        reference_samples=len(reference),
        image_size=shape[0],
        channels=shape[1],
        seed=seed,
        ganzoo=ganzoo.__version__,
        torch=str(torch.__version__),
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    )
