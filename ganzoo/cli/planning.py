"""From what people type after ``ganzoo train`` to what the trainer takes. It imports torch: only commands that train use it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ganzoo import resources
from ganzoo.building import differences, skeleton
from ganzoo.cli.evaluate import model_folder
from ganzoo.data import Dataset
from ganzoo.errors import ConfigError
from ganzoo.loading import load, roles_of
from ganzoo.models import Network
from ganzoo.spec import AnyRecipe, Architecture, Role, TextRecipe
from ganzoo.training import (
    EvaluationConfig,
    Evaluator,
    NetworkClasses,
    Options,
    Weights,
    apply_settings,
    read_settings,
)
from ganzoo.training.methods import method_of

TABLES = ("recipe", "config", "intervals")
PLAYERS: tuple[Role, ...] = ("generator", "discriminator")


@dataclass(frozen=True)
class Plan:
    """Everything that `ganzoo.training.train` takes but the reporter."""

    architecture: Architecture
    networks: NetworkClasses
    data: Dataset
    out: Path
    recipe: AnyRecipe
    config: Mapping[Role, Mapping[str, Any]]
    options: Options
    plugin: str
    distribution: str


def plan_training(
    architecture: str,
    *,
    data: str,
    out: Path,
    seed: int = 0,
    images: int | None = None,
    recipe: str | None = None,
    file: Path | None = None,
    arguments: Iterable[str] = (),
    settings: Iterable[str] = (),
    every: Iterable[str] = (),
    start: str | None = None,
    evaluation: EvaluationConfig | None = None,
    film: bool = False,
    tensorboard: bool = False,
    device: str = "auto",
) -> Plan:
    """Resolves every name and validates every setting; nothing is written.

    Raises:
        GanzooError: whatever of it cannot be used.
    """
    plugin, found = resources.find_architecture(architecture)
    tables = read_settings(file, TABLES) if file is not None else {}
    base = resources.recipe_of(found, recipe)
    _check_images(base, images)
    overrides = [*settings, *([f"images={images}"] if images is not None else [])]

    def changed(begin_with: AnyRecipe) -> AnyRecipe:
        return apply_settings(begin_with, overrides, tables.get("recipe"))

    changed(base)  # first: what is misspelt shows before anything is opened or downloaded
    networks = resources.network_classes(found)
    config = resources.network_arguments(found, arguments, tables.get("config", {}))
    weights: Weights = {}
    begun: Network | None = None
    if start is not None:
        config, weights, begun = _beginning(found, networks, start, config)
    opened = resources.open_dataset(data)
    return Plan(
        architecture=found,
        networks=networks,
        data=opened,
        out=out,
        recipe=_settled(base, changed, opened, begun, data if start is None else start),
        config=config,
        options=Options(
            seed=seed,
            device=device,
            intervals={**tables.get("intervals", {}), **resources.parse_settings(every, "--every", "samples=10000")},
            source=resources.data_source(data),
            start=weights,
            started_from=None if start is None else resources.data_source(start),
            evaluation=evaluation,
            evaluator=None if evaluation is None else open_evaluator(evaluation),
            film=film,
            tensorboard=tensorboard,
        ),
        plugin=plugin.name,
        distribution=plugin.installed.distribution,
    )


def plan_evaluation(features: str, data: str, metrics: str, samples: int, best: str) -> EvaluationConfig:
    """What ``--evaluate`` and its companions ask for.

    Args:
        features: Name of the feature space.
        data: Name of the reference.
        metrics: Names between commas.
        samples: How many to generate.
        best: The figure that decides which model is best, ``:max`` behind it where more is better.

    Raises:
        ConfigError: ``best`` has something else behind it.
    """
    figure, _, direction = best.partition(":")
    if direction not in ("", "min", "max"):
        raise ConfigError(f"'{best}' is not a figure with :min or :max.", hint="For example: --best precision:max")
    return EvaluationConfig(
        features=features,
        data=resources.data_source(data),
        metrics=tuple(name.strip() for name in metrics.split(",") if name.strip()),
        samples=samples,
        best=figure,
        higher=direction == "max",
    )


def open_evaluator(evaluation: EvaluationConfig) -> Evaluator:
    """What measures it.

    Raises:
        UnknownNameError, MissingExtraError, DataError: a name or data that cannot be used.
    """
    return resources.open_evaluator(evaluation.features, evaluation.data, evaluation.metrics, evaluation.samples)


def _check_images(recipe: AnyRecipe, images: int | None) -> None:
    if images is not None and isinstance(recipe, TextRecipe):
        raise ConfigError(
            "--images is for architectures that make pictures or points; those that make text are trained for so many steps.",
            hint=f"For example: --set phases.{next(iter(recipe.phases), 'mle')}.steps=1000",
        )


def _settled(
    base: AnyRecipe, changed: Callable[[AnyRecipe], AnyRecipe], data: Dataset, begun: Network | None, source: str
) -> AnyRecipe:
    """``base`` with what ``data`` or the model that is begun with decide, and then the settings.

    Raises:
        ConfigError: a setting contradicts what they decide.
    """
    method = method_of(base)
    recipe = changed(method.settled(base, data, begun))
    wanted, had = (dict(_fields(msgspec.to_builtins(r))) for r in (recipe, method.settled(recipe, data, begun)))
    other = [name for name in wanted if wanted[name] != had[name]]
    if other:
        raise ConfigError(
            f"'{source}' has {', '.join(f'{name}={had[name]}' for name in other)}, which cannot be changed to "
            f"{', '.join(f'{name}={wanted[name]}' for name in other)}.",
            hint="Leave these settings out: those of the model or of the data are taken.",
        )
    return recipe


def _fields(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """By their dotted names."""
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _fields(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _beginning(
    architecture: Architecture, networks: NetworkClasses, start: str, config: Mapping[Role, Mapping[str, Any]]
) -> tuple[dict[Role, dict[str, Any]], Weights, Network]:
    """The weights of the model ``start``, its constructor arguments with ``config`` put over them, and its generator.

    A discriminator that the model has not begins at random, with the generator's arguments where they share them.

    Raises:
        ConfigError: it is a model of another architecture, or ``config`` contradicts it.
    """
    merged = {role: dict(arguments) for role, arguments in config.items()}
    weights: dict[Role, Mapping[str, Any]] = {}
    source = model_folder(start) or start
    present = roles_of(source)
    generator = load(source, role="generator")
    for role in (role for role in PLAYERS if role in networks):
        cls = networks[role]
        network = generator if role == "generator" else load(source, role=role) if role in present else None
        if network is None:
            merged[role] = _shared(architecture, role, generator) | merged[role]
            continue
        if type(network) is not cls:
            raise ConfigError(
                f"'{start}' is no model of the architecture '{architecture.id}': its {role} is a {type(network).__name__}.",
                hint="Train the architecture of that model, or begin with another one.",
            )
        weights[role] = network.state_dict()
        merged[role] = _extended(start, network, merged[role])
    return merged, weights, generator


def _shared(architecture: Architecture, role: Role, generator: Network) -> dict[str, Any]:
    names = [field.name for field in architecture.config if role in field.roles]
    return {name: generator.config[name] for name in names if name in generator.config}


def _extended(start: str, network: Network, given: Mapping[str, Any]) -> dict[str, Any]:
    """The network's arguments with those ``given`` put over them, where its weights still fit."""
    config = {**network.config, **given}
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if differences(skeleton(type(network), config).shapes, shapes):
        changed = {name: value for name, value in given.items() if network.config.get(name) != value}
        had = ", ".join(f"{name}={network.config.get(name)}" for name in changed)
        raise ConfigError(
            f"'{start}' was made with {had}; its weights do not fit {', '.join(f'{n}={v}' for n, v in changed.items())}.",
            hint="Leave these arguments out: those of the model are taken.",
        )
    return config
