"""A whole run: from resolved parts to a run directory with a model in it, and on again after whatever stopped it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch

from ganzoo.data import Dataset
from ganzoo.errors import ConfigError, DataError
from ganzoo.models.seeds import SEED_LIMIT, check_seed
from ganzoo.spec import AnyRecipe, Architecture
from ganzoo.training.assembly import choose_recipe, record_data, start_from
from ganzoo.training.film import Film
from ganzoo.training.game import Game
from ganzoo.training.loop import Evaluator, Loop, Run, load_networks, save, take_up
from ganzoo.training.methods import Arguments, NetworkClasses, Networks, Weights, method_of
from ganzoo.training.processes import Processes, processes
from ganzoo.training.reporting import Reporter, Several, Silent
from ganzoo.training.run_directory import EvaluationConfig, Intervals, RunConfig, RunDirectory, versions


@dataclass(frozen=True)
class Options:
    """What a run does besides training.

    Attributes:
        seed: Of everything random, in ``[0, 2**32)``.
        device: ``cpu`` (the default), ``cuda``, ``auto`` …
        intervals: How often something is written or measured; where one is missing, by the length of the run.
        source: How the data was named (a name or a folder), recorded so that the run can be resumed.
        start: Weights by role to begin with instead of random ones.
        started_from: Where they come from, recorded.
        evaluation: What is measured while the run goes on, recorded.
        evaluator: Measures it.
        film: Whether to make a film of the sample grids.
        tensorboard: Whether to write TensorBoard events.
    """

    seed: int = 0
    device: str | None = None
    intervals: Mapping[str, int] = field(default_factory=dict)
    source: str | None = None
    start: Weights = field(default_factory=dict)
    started_from: str | None = None
    evaluation: EvaluationConfig | None = None
    evaluator: Evaluator | None = None
    film: bool = False
    tensorboard: bool = False


def train(
    architecture: Architecture,
    networks: NetworkClasses,
    data: Dataset,
    out: str | Path,
    *,
    recipe: AnyRecipe | None = None,
    config: Arguments | None = None,
    options: Options | None = None,
    plugin: str,
    distribution: str = "ganzoo-hub",
    reporter: Reporter | None = None,
) -> Run:
    """Trains into a new run directory.

    Ctrl-C writes a checkpoint and returns a `Run` without a model; `resume` goes on from there. On the CPU, the same arguments,
    versions and number of threads give the same bits. Started by ``accelerate launch`` or ``torchrun``, all processes train
    together and the first one writes.

    Args:
        architecture: What is trained.
        networks: Its generator's and discriminator's classes.
        data: The real examples; brought to the form that the generator makes.
        out: The run directory; must not exist or be empty.
        recipe: How; the architecture's own recipe unless given.
        config: Constructor arguments by role.
        options: Everything else.
        plugin: Who brings the architecture, i.e. its entry point; recorded.
        distribution: What to install for that plugin; recorded.
        reporter: Told what happens; nobody unless given.

    Raises:
        ConfigError: a recipe or arguments that cannot be used, or an architecture that cannot be trained here.
        DataError: examples that cannot be used.
        OutputError: the run directory cannot be written or is in use.
        TrainingError: a loss that is not finite; the last checkpoint is kept.
    """
    options = Options() if options is None else options
    chosen = choose_recipe(architecture, recipe)
    _check_film(architecture, options)
    method = method_of(chosen)
    intervals = Intervals.of(*method.size(chosen), options.intervals)
    team = processes(options.device)
    directory = RunDirectory(out)
    if team.main:
        directory.check_free()
    team.wait()
    reporter = Silent() if reporter is None or not team.main else reporter
    built = _fresh(networks, data, chosen, config or {}, options)
    examples = method.examples(built, data, chosen, team, reporter)
    run = RunConfig(
        architecture=architecture.id,
        plugin=plugin,
        distribution=distribution,
        config={role: network.config for role, network in built.by_role().items()},
        recipe=chosen,
        data=record_data(data, options.source),
        seed=options.seed,
        device=str(team.device),
        threads=torch.get_num_threads(),
        intervals=intervals,
        versions=versions(),
        started_from=options.started_from,
        evaluation=options.evaluation,
        film=options.film,
        tensorboard=options.tensorboard,
    )
    observers = _observed(run, directory, reporter, team)
    no_seed_brings_back = bool(options.start) or method.data_in_networks
    with _surroundings(team, run), _game(built, examples, data, run, team) as game, _locked(directory, team):
        if team.main:
            directory.create()
        if no_seed_brings_back or chosen.on_nan == "rollback":  # the latter for where to go back to at first
            save(game, directory)
        if team.main:
            directory.begin(run)
        return Loop(game, run, directory, observers, options.evaluator).play()


def resume(
    path: str | Path,
    networks: NetworkClasses,
    data: Dataset,
    *,
    device: str | None = None,
    evaluator: Evaluator | None = None,
    reporter: Reporter | None = None,
) -> Run:
    """Goes on with the run in ``path`` from its latest intact checkpoint.

    On the CPU and with the same versions the result is bit by bit that of a run that was never stopped; the number of threads
    is set to what it was.

    The caller finds the classes, the data and the evaluator by the names that ``RunDirectory(path).config()`` gives.

    Args:
        path: The run directory.
        networks: The architecture's generator and discriminator classes.
        data: The same examples as before.
        device: Another device than before, if wanted.
        evaluator: Measures what the run measures while it goes on, if it does.
        reporter: Told what happens; nobody unless given.

    Raises:
        ConfigError: no run there, or one that these classes do not fit.
        DataError: the examples are not the ones that the run was started with.
        CorruptFileError: every checkpoint is damaged.
        CheckpointError: the checkpoint belongs to other networks, or to another version of ganzoo.
        OutputError: the run directory cannot be written, or another process trains in it.
        TrainingError: a loss that is not finite.
    """
    directory = RunDirectory(path)
    run = directory.config()
    team = processes(run.device if device is None else device)
    reporter = Silent() if reporter is None or not team.main else reporter
    with _locked(directory, team):
        method = method_of(run.recipe)
        built = method.build(networks, run.config, run.seed)
        if method.data_in_networks:  # of the data that the run was started with, or of those that its beginning was made from
            _check_data(directory, data, run)
            load_networks(built.by_role().items(), directory)
        method.endow(built, data, run.recipe)
        examples = method.examples(built, data, run.recipe, team, reporter)
        _check_data(directory, data, run)
        _tell_versions(run, reporter)
        observers = _observed(run, directory, reporter, team)
        if team.main:
            directory.sweep()
        with _surroundings(team, run), _game(built, examples, data, run, team) as game:
            take_up(game, directory, reporter)
            return Loop(game, run, directory, observers, evaluator).play()


def describe(
    architecture: Architecture,
    networks: NetworkClasses,
    data: Dataset,
    out: str | Path,
    *,
    recipe: AnyRecipe | None = None,
    config: Arguments | None = None,
    options: Options | None = None,
) -> dict[str, Any]:
    """What `train` would do with these arguments, as plain values; nothing is written and no example is decoded.

    Everything is built as for a run, so that whatever does not fit shows.

    Raises:
        ConfigError, OutputError, MissingExtraError: as `train`.
    """
    options = Options() if options is None else options
    chosen = choose_recipe(architecture, recipe)
    _check_film(architecture, options)
    method = method_of(chosen)
    intervals = Intervals.of(*method.size(chosen), options.intervals)
    team = processes(options.device)
    directory = RunDirectory(out)
    directory.check_free()
    built = _fresh(networks, data, chosen, config or {}, options)
    _watching(directory, film=options.film, tensorboard=options.tensorboard)
    blank = method.blank(built, data, chosen)
    method.game(built, blank, data, chosen, seed=options.seed, processes=team).close()
    generator = built.generator
    return {
        "architecture": architecture.id,
        "out": str(out),
        "device": str(team.device),
        "data": data.name,
        "examples": len(data),
        "shape": list(generator.output_shape),
        "classes": generator.num_classes,
        **method.outlook(chosen, len(data)),
        **{f"{role}_parameters": network.parameter_count() for role, network in built.by_role().items()},
        "seed": options.seed,
        "started_from": options.started_from,
        "pretrained": list(options.start),
        "film": options.film,
        "tensorboard": options.tensorboard,
        "evaluation": msgspec.to_builtins(options.evaluation),
        "intervals": msgspec.to_builtins(intervals),
        "recipe": msgspec.to_builtins(chosen),
    }


# --- the parts of a run -----------------------------------------------------------------------------------------------


def _fresh(networks: NetworkClasses, data: Dataset, recipe: AnyRecipe, config: Arguments, options: Options) -> Networks:
    """The networks that a run begins with."""
    method = method_of(recipe)
    built = method.build(networks, method.arguments(networks, config, data, recipe), check_seed(options.seed))
    start_from(built, options.start)  # first: what they hold of their own data comes with weights
    method.endow(built, data, recipe)
    return built


@contextmanager
def _game(networks: Networks, examples: Any, data: Dataset, run: RunConfig, team: Processes) -> Iterator[Game]:
    """The game of a run; what it does in the background ends with the block."""
    game = method_of(run.recipe).game(networks, examples, data, run.recipe, seed=run.seed, processes=team)
    try:
        yield game
    finally:
        game.close()


def _observed(run: RunConfig, directory: RunDirectory, reporter: Reporter, team: Processes) -> Reporter:
    """``reporter``, and what the run was asked to make besides."""
    if not team.main:
        return reporter
    more = _watching(directory, film=run.film, tensorboard=run.tensorboard)
    return Several(reporter, *more) if more else reporter


def _check_film(architecture: Architecture, options: Options) -> None:
    if options.film and architecture.modality == "text":
        raise ConfigError(
            f"A film is made of pictures, and '{architecture.id}' makes text.",
            hint="Leave --film out; the folder samples/ of the run tells how its sentences change.",
        )


def _watching(directory: RunDirectory, *, film: bool, tensorboard: bool) -> list[Reporter]:
    more: list[Reporter] = []
    if film:
        more.append(Film(directory.path))
    if tensorboard:
        from ganzoo.training.tensorboard import TensorBoard

        more.append(TensorBoard(directory.path))
    return more


def _check_data(directory: RunDirectory, data: Dataset, run: RunConfig) -> None:
    if data.sha256 != run.data.sha256:
        raise DataError(
            f"{data.name} has not the content that the run in {directory.path} was started with ({run.data.name}).",
            hint="Put the data back as it was, or start a new run.",
        )


def _tell_versions(run: RunConfig, reporter: Reporter) -> None:
    """Other versions compute other roundings: the run goes on, but not bit by bit."""
    now = versions()
    changed = [f"{name} {was}, now {now[name]}" for name, was in run.versions.items() if now.get(name, was) != was]
    if changed:
        reporter.note(f"The run was started with {'; '.join(changed)}: the result may differ in the last digits.")


def _locked(directory: RunDirectory, team: Processes) -> AbstractContextManager[None]:
    """The run directory for these processes alone; the main one holds the lock for all."""
    return directory.locked() if team.main else nullcontext()


@contextmanager
def _surroundings(team: Processes, run: RunConfig) -> Iterator[None]:
    """The global random state and the number of threads belong to the run inside, and are as before after it."""
    devices: Sequence[torch.device] = [team.device] if team.device.type == "cuda" else []
    with _threads(run.threads), _determinism(run.recipe.deterministic), torch.random.fork_rng(devices=devices):
        torch.manual_seed((run.seed + team.rank) % SEED_LIMIT)  # processes see other examples, so they need other dropout
        yield


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _determinism(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it starts, and refuses to work without
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]
