"""From names and arguments to networks and examples that fit together, checked before a run begins."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.building import build_random, load_state
from ganzoo.data import Dataset, Examples
from ganzoo.errors import CheckpointError, ConfigError, DataError, InvalidValueError
from ganzoo.models import Discriminator, Generator, ImageGenerator, Network, VectorGenerator
from ganzoo.models.seeds import SEED_LIMIT
from ganzoo.spec import Architecture, Json, Recipe, Role
from ganzoo.training.processes import Processes
from ganzoo.training.reporting import Reporter
from ganzoo.training.run_directory import DataRecord
from ganzoo.training.settings import check_recipe

NetworkClasses = Mapping[Role, type[Network]]
Arguments = Mapping[Role, Mapping[str, Json]]
Weights = Mapping[Role, Mapping[str, Tensor]]
TRAINABLE = ("image", "vector")


def choose_recipe(architecture: Architecture, recipe: Recipe | None) -> Recipe:
    """``recipe``, or the architecture's own.

    Raises:
        ConfigError: there is none, it cannot be used, or the architecture cannot be trained here.
    """
    chosen = architecture.recipe if recipe is None else recipe
    if chosen is None:
        raise ConfigError(f"The architecture '{architecture.id}' has no recipe; it can be used but not trained.")
    if architecture.modality not in TRAINABLE:
        raise ConfigError(f"'{architecture.id}' makes {architecture.modality}, which cannot be trained yet.")
    check_recipe(chosen)
    return chosen


def build_networks(networks: NetworkClasses, config: Arguments, seed: int) -> tuple[Generator[Any], Discriminator]:
    """Generator and discriminator at random initialisation, checked against each other.

    Raises:
        ConfigError: arguments that cannot be used or do not fit together, or no discriminator.
    """
    if "discriminator" not in networks:
        raise ConfigError("An architecture without a discriminator cannot be trained.")
    generator = build_random(networks["generator"], config.get("generator", {}), seed=seed)
    discriminator = build_random(networks["discriminator"], config.get("discriminator", {}), seed=(seed + 1) % SEED_LIMIT)
    if not isinstance(generator, ImageGenerator | VectorGenerator) or not isinstance(discriminator, Discriminator):
        raise ConfigError(f"{type(generator).__name__} and {type(discriminator).__name__} are no GAN that can be trained.")
    _check_pair(generator, discriminator)
    return generator, discriminator


def start_from(generator: Generator[Any], discriminator: Discriminator, weights: Weights) -> None:
    """Loads weights to begin with into freshly built networks.

    Raises:
        ConfigError: they do not fit.
    """
    networks: dict[Role, Network] = {"generator": generator, "discriminator": discriminator}
    for role, network in networks.items():
        if role in weights:
            try:
                load_state(network, weights[role], assign=False)  # copied: training must not change the caller's
            except CheckpointError as e:
                raise ConfigError(f"The {role}'s weights to start from do not fit: {e.message}", hint=e.hint) from e


def prepare_examples(generator: Generator[Any], data: Dataset, processes: Processes, reporter: Reporter) -> Examples:
    """The data shaped like the generator's output. With several processes the main one comes first, so that it fills the cache.

    Raises:
        DataError: examples that cannot be used, or of another kind than the generator makes.
    """
    check_kinds(generator, data)
    if not processes.main:
        processes.wait()
    examples = data.prepare(generator.output_shape)
    if processes.main:
        processes.wait()
    for skipped in data.skipped:
        reporter.note(f"Skipped {skipped.path}: {skipped.reason}")
    return examples


def check_kinds(generator: Generator[Any], data: Dataset) -> None:
    """Refuses data of another kind than the generator makes.

    Raises:
        DataError: it is.
    """
    if data.modality != generator.modality:
        raise DataError(
            f"{data.name} holds {_kind(data.modality)}, but the generator makes {_kind(generator.modality)}.",
            hint="Choose other data or an architecture for this kind of data.",
        )


def record_data(data: Dataset, source: str | None) -> DataRecord:
    """What a run directory says of its data; call it after `prepare_examples`, which sets broken files aside."""
    skipped = tuple(str(s.path) for s in data.skipped)
    return DataRecord(
        source=data.name if source is None else source, name=data.name, sha256=data.sha256, pictures=len(data), skipped=skipped
    )


def _kind(modality: str) -> str:
    return {"image": "images", "vector": "points"}.get(modality, modality)


def _check_pair(generator: Generator[Any], discriminator: Discriminator) -> None:
    """One forward pass in evaluation mode: arguments that do not fit together show before the run begins."""
    shape = generator.output_shape
    classes = torch.zeros(2, dtype=torch.int64) if discriminator.num_classes else None
    if generator.num_classes and discriminator.num_classes and generator.num_classes != discriminator.num_classes:
        raise ConfigError(
            f"The generator has {generator.num_classes} classes and the discriminator {discriminator.num_classes}.",
            hint="Give both the same --config num_classes=….",
        )
    try:
        with torch.inference_mode():
            scores = discriminator.eval().judge(torch.zeros(2, *shape), classes).scores
    except (RuntimeError, InvalidValueError) as e:
        raise ConfigError(
            f"The discriminator does not take what the generator makes, {list(shape)}: {e}.",
            hint="Give both networks the same image size and channels.",
        ) from e
    _check_classes(generator, discriminator)
    if scores.shape != (2,):
        raise ConfigError(f"The discriminator makes scores of shape {list(scores.shape)} of 2 examples {list(shape)}, not [2].")


def _check_classes(generator: Generator[Any], discriminator: Discriminator) -> None:
    """Refuses a generator without classes beside a discriminator that cannot judge without; one with a classifier can."""
    if not discriminator.num_classes or generator.num_classes:
        return
    try:
        with torch.inference_mode():
            discriminator.judge(torch.zeros(2, *generator.output_shape))
    except InvalidValueError as e:
        raise ConfigError(
            f"The discriminator judges given one of {discriminator.num_classes} classes, but the generator has none.",
            hint="Give both the same --config num_classes=….",
        ) from e
