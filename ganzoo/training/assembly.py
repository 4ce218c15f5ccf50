"""From names and arguments to networks and examples that fit together, checked before a run begins."""

from collections.abc import Callable
from typing import Any, TypeVar

from ganzoo.building import load_state
from ganzoo.data import Dataset
from ganzoo.errors import CheckpointError, ConfigError, DataError
from ganzoo.models import Generator
from ganzoo.spec import AnyRecipe, Architecture
from ganzoo.training.methods import Networks, Weights, method_of
from ganzoo.training.processes import Processes
from ganzoo.training.run_directory import DataRecord

T = TypeVar("T")


def choose_recipe(architecture: Architecture, recipe: AnyRecipe | None) -> AnyRecipe:
    """``recipe``, or the architecture's own.

    Raises:
        ConfigError: there is none, it cannot be used, or it is for another kind of architecture.
    """
    chosen = architecture.recipe if recipe is None else recipe
    if chosen is None:
        raise ConfigError(f"The architecture '{architecture.id}' has no recipe; it can be used but not trained.")
    method = method_of(chosen)
    if architecture.modality not in method.modalities:
        raise ConfigError(
            f"'{architecture.id}' makes {architecture.modality}; this recipe is for {' or '.join(method.modalities)}.",
            hint="Leave the recipe out: an architecture that can be trained brings its own.",
        )
    method.check(chosen)
    return chosen


def start_from(networks: Networks, weights: Weights) -> None:
    """Loads weights to begin with into freshly built networks.

    Raises:
        ConfigError: they do not fit.
    """
    for role, network in networks.by_role().items():
        if role in weights:
            try:
                load_state(network, weights[role], assign=False)  # copied: training must not change the caller's
            except CheckpointError as e:
                raise ConfigError(f"The {role}'s weights to start from do not fit: {e.message}", hint=e.hint) from e


def prepare_in_turn(prepare: Callable[[], T], processes: Processes) -> T:
    """What ``prepare`` gives. With several processes the main one comes first, so that it fills the cache."""
    if not processes.main:
        processes.wait()
    prepared = prepare()
    if processes.main:
        processes.wait()
    return prepared


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
    """What a run directory says of its data; call it after they were prepared, which sets broken files aside."""
    skipped = tuple(str(s.path) for s in data.skipped)
    return DataRecord(
        source=data.name if source is None else source, name=data.name, sha256=data.sha256, pictures=len(data), skipped=skipped
    )


def _kind(modality: str) -> str:
    return {"image": "images", "vector": "points"}.get(modality, modality)
