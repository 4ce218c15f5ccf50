"""The method of adversarial recipes: two networks that answer each other at every step, on images or points."""

from typing import Any

import torch

from ganzoo.building import build_random
from ganzoo.data import Dataset, Examples, TensorExamples
from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models import Discriminator, Generator, ImageGenerator, Network, VectorGenerator
from ganzoo.models.seeds import SEED_LIMIT
from ganzoo.spec import Modality, Recipe
from ganzoo.training.assembly import check_kinds, prepare_in_turn
from ganzoo.training.engine import Engine
from ganzoo.training.methods import Arguments, NetworkClasses, Networks
from ganzoo.training.processes import Processes
from ganzoo.training.reporting import Reporter
from ganzoo.training.settings import check_adversarial


class AdversarialMethod:
    """Makes an `Engine` of a `ganzoo.spec.Recipe`."""

    modalities: tuple[Modality, ...] = ("image", "vector")
    data_in_networks = False

    def check(self, recipe: Recipe) -> None:
        """See `check_adversarial`."""
        check_adversarial(recipe)

    def size(self, recipe: Recipe) -> tuple[int, int]:
        """Real examples of the whole run, and of a step."""
        return recipe.images, recipe.batch_size * recipe.discriminator_steps

    def outlook(self, recipe: Recipe, count: int) -> dict[str, Any]:
        """Epochs and steps."""
        images, step = self.size(recipe)
        return {"epochs": round(images / count, 2), "steps": -(-images // step)}

    def settled(self, recipe: Recipe, data: Dataset, begun: Network | None) -> Recipe:
        """``recipe``: every field can be set."""
        return recipe

    def arguments(self, networks: NetworkClasses, config: Arguments, data: Dataset, recipe: Recipe) -> Arguments:
        """``config``: the data decide on nothing."""
        return config

    def build(self, networks: NetworkClasses, config: Arguments, seed: int) -> Networks:
        """Generator and discriminator.

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
        return Networks(generator, discriminator)

    def endow(self, networks: Networks, data: Dataset, recipe: Recipe) -> None:
        """Names the generator's classes, where the data name as many."""
        generator = networks.generator
        if generator.num_classes and generator.num_classes == len(data.class_names):
            generator.name_classes(data.class_names)

    def examples(self, networks: Networks, data: Dataset, recipe: Recipe, processes: Processes, reporter: Reporter) -> Examples:
        """The data shaped like the generator's output.

        Raises:
            DataError: examples that cannot be used, or of another kind than the generator makes.
        """
        check_kinds(networks.generator, data)
        examples = prepare_in_turn(lambda: data.prepare(networks.generator.output_shape), processes)
        for skipped in data.skipped:
            reporter.note(f"Skipped {skipped.path}: {skipped.reason}")
        if len(examples) < recipe.batch_size:
            reporter.note(f"The data has {len(examples)} examples: a batch of {recipe.batch_size} shows some more than once.")
        return examples

    def blank(self, networks: Networks, data: Dataset, recipe: Recipe) -> Examples:
        """Zeros, as many as there are data."""
        check_kinds(networks.generator, data)
        shape = networks.generator.output_shape
        return TensorExamples(torch.zeros(1, *shape).expand(len(data), *shape))

    def game(
        self, networks: Networks, examples: Examples, data: Dataset, recipe: Recipe, *, seed: int, processes: Processes
    ) -> Engine:
        """The engine.

        Raises:
            ConfigError: settings that do not fit these networks.
        """
        assert networks.discriminator is not None  # `build` saw to it
        return Engine(
            networks.generator,
            networks.discriminator,
            examples,
            recipe,
            seed=seed,
            processes=processes,
            labels=data.labels,
        )


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
