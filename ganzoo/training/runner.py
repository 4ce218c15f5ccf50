"""A whole run: from resolved parts to a run directory with a model in it, and on again after whatever stopped it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch

import ganzoo
from ganzoo.building import build_random
from ganzoo.checkpoint import ModelConfig, write_model
from ganzoo.data import Dataset, ImageFolder, Pictures
from ganzoo.errors import ConfigError, CorruptFileError, DataError
from ganzoo.models import Discriminator, Generator, ImageGenerator, Network
from ganzoo.models.devices import resolve_device
from ganzoo.models.seeds import SEED_LIMIT, check_seed, sample_seeds
from ganzoo.spec import Architecture, Json, Recipe, Role
from ganzoo.training.checkpoints import write_checkpoint
from ganzoo.training.engine import Engine
from ganzoo.training.interruption import graceful_interrupt
from ganzoo.training.overrides import check_recipe
from ganzoo.training.reporting import Reporter, Silent
from ganzoo.training.run_directory import DataRecord, Intervals, RunConfig, RunDirectory, versions

GRID = 64  # samples in a grid
GRID_SEED = 0

NetworkClasses = Mapping[Role, type[Network]]
Arguments = Mapping[Role, Mapping[str, Json]]


@dataclass(frozen=True)
class Run:
    """What a run came to.

    Attributes:
        path: Its directory.
        images: Real images shown.
        model: The folder of the finished model, or None where the run was interrupted.
    """

    path: Path
    images: int
    model: Path | None


def train(
    architecture: Architecture,
    networks: NetworkClasses,
    data: Dataset,
    out: str | Path,
    *,
    recipe: Recipe | None = None,
    config: Arguments | None = None,
    seed: int = 0,
    device: str | None = None,
    intervals: Intervals | None = None,
    source: str | None = None,
    plugin: str,
    distribution: str = "ganzoo-hub",
    reporter: Reporter | None = None,
) -> Run:
    """Trains from scratch into a new run directory.

    Ctrl-C writes a checkpoint and returns a `Run` without a model; `resume` goes on from there. On the CPU, the same arguments,
    versions and number of threads give the same bits.

    Args:
        architecture: What is trained.
        networks: Its generator's and discriminator's classes.
        data: The pictures; scaled to the generator's size.
        out: The run directory; must not exist or be empty.
        recipe: How; the architecture's own recipe unless given.
        config: Constructor arguments by role.
        seed: Of everything random, in ``[0, 2**32)``.
        device: ``cpu`` (the default), ``cuda``, ``auto`` …
        intervals: How often something is written.
        source: How the data was named (a name or a folder), recorded so that the run can be resumed.
        plugin: Who brings the architecture, i.e. its entry point; recorded.
        distribution: What to install for that plugin; recorded.
        reporter: Told what happens; nobody unless given.

    Raises:
        ConfigError: a recipe or arguments that cannot be used, or an architecture that cannot be trained here.
        DataError: pictures that cannot be used.
        OutputError: the run directory cannot be written or is in use.
        TrainingError: a loss that is not finite; the last checkpoint is kept.
    """
    chosen = _recipe(architecture, recipe)
    directory = RunDirectory(out)
    directory.check_free()
    resolved = resolve_device(device)
    generator, discriminator = _build(networks, config or {}, check_seed(seed))
    reporter = Silent() if reporter is None else reporter
    pictures = _prepare(generator, data, reporter)
    run = RunConfig(
        architecture=architecture.id,
        plugin=plugin,
        distribution=distribution,
        config={"generator": generator.config, "discriminator": discriminator.config},
        recipe=chosen,
        data=_record(data, source),
        seed=seed,
        device=str(resolved),
        threads=torch.get_num_threads(),
        intervals=Intervals.of(chosen) if intervals is None else intervals,
        versions=versions(),
    )
    directory.create(run)
    with _own_randomness(resolved, seed):
        engine = Engine(generator.to(resolved), discriminator.to(resolved), pictures, chosen, seed=seed, device=resolved)
        return _play(engine, run, directory, reporter)


def resume(
    path: str | Path, networks: NetworkClasses, data: Dataset, *, device: str | None = None, reporter: Reporter | None = None
) -> Run:
    """Goes on with the run in ``path`` from its latest intact checkpoint.

    On the CPU and with the same versions the result is bit by bit that of a run that was never stopped; the number of threads
    is set to what it was.

    The caller finds the classes and the data by the names that ``RunDirectory(path).config()`` gives.

    Args:
        path: The run directory.
        networks: The architecture's generator and discriminator classes.
        data: The same pictures as before.
        device: Another device than before, if wanted.
        reporter: Told what happens; nobody unless given.

    Raises:
        ConfigError: no run there, or one that these classes do not fit.
        DataError: the pictures are not the ones that the run was started with.
        CorruptFileError: every checkpoint is damaged.
        OutputError: the run directory cannot be written.
        TrainingError: a loss that is not finite.
    """
    directory = RunDirectory(path)
    run = directory.config()
    resolved = resolve_device(run.device if device is None else device)
    reporter = Silent() if reporter is None else reporter
    generator, discriminator = _build(networks, run.config, run.seed)
    pictures = _prepare(generator, data, reporter)
    if data.sha256 != run.data.sha256:
        raise DataError(
            f"{data.name} has not the content that the run in {path} was started with ({run.data.name}).",
            hint="Put the data back as it was, or start a new run.",
        )
    with _threads(run.threads), _own_randomness(resolved, run.seed):
        engine = Engine(
            generator.to(resolved), discriminator.to(resolved), pictures, run.recipe, seed=run.seed, device=resolved
        )
        _take_up(engine, directory, reporter)
        return _play(engine, run, directory, reporter)


def describe(
    architecture: Architecture,
    networks: NetworkClasses,
    data: Dataset,
    out: str | Path,
    *,
    recipe: Recipe | None = None,
    config: Arguments | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """What `train` would do with these arguments, as plain values; nothing is written and no picture is decoded.

    Raises:
        ConfigError, OutputError: as `train`.
    """
    chosen = _recipe(architecture, recipe)
    RunDirectory(out).check_free()
    generator, discriminator = _build(networks, config or {}, check_seed(seed))
    steps = -(-chosen.images // (chosen.batch_size * chosen.discriminator_steps))
    return {
        "architecture": architecture.id,
        "out": str(out),
        "data": data.name,
        "pictures": len(data),
        "image_shape": list(generator.output_shape),
        "epochs": round(chosen.images / len(data), 2),
        "steps": steps,
        "generator_parameters": generator.parameter_count(),
        "discriminator_parameters": discriminator.parameter_count(),
        "seed": seed,
        "recipe": msgspec.to_builtins(chosen),
    }


# --- the parts of a run -----------------------------------------------------------------------------------------------


def _recipe(architecture: Architecture, recipe: Recipe | None) -> Recipe:
    chosen = architecture.recipe if recipe is None else recipe
    if chosen is None:
        raise ConfigError(f"The architecture '{architecture.id}' has no recipe; it can be used but not trained.")
    if architecture.modality != "image":
        raise ConfigError(f"Only image architectures can be trained; '{architecture.id}' makes {architecture.modality}.")
    check_recipe(chosen)
    return chosen


def _build(networks: NetworkClasses, config: Arguments, seed: int) -> tuple[Generator[Any], Discriminator]:
    if "discriminator" not in networks:
        raise ConfigError("An architecture without a discriminator cannot be trained.")
    generator = build_random(networks["generator"], config.get("generator", {}), seed=seed)
    discriminator = build_random(networks["discriminator"], config.get("discriminator", {}), seed=(seed + 1) % SEED_LIMIT)
    if not isinstance(generator, ImageGenerator) or not isinstance(discriminator, Discriminator):
        raise ConfigError(f"{type(generator).__name__} and {type(discriminator).__name__} are no image GAN.")
    _check_pair(generator, discriminator)
    return generator, discriminator


def _check_pair(generator: ImageGenerator, discriminator: Discriminator) -> None:
    """One forward pass in evaluation mode: arguments that do not fit together show before the run begins."""
    shape = generator.output_shape
    try:
        with torch.inference_mode():
            scores = discriminator.eval()(torch.zeros(2, *shape))
    except RuntimeError as e:
        raise ConfigError(
            f"The discriminator does not take the generator's images {list(shape)}: {e}.",
            hint="Give both networks the same image size and channels.",
        ) from e
    if scores.shape != (2,):
        raise ConfigError(f"The discriminator makes scores of shape {list(scores.shape)} of 2 images {list(shape)}, not [2].")


def _prepare(generator: Generator[Any], data: Dataset, reporter: Reporter) -> Pictures:
    channels, height, width = generator.output_shape
    if height != width:
        raise ConfigError(f"Training needs square images; this generator makes {height}x{width}.")
    pictures = data.prepare(height, channels)
    for skipped in data.skipped if isinstance(data, ImageFolder) else ():
        reporter.note(f"Skipped {skipped.path}: {skipped.reason}")
    return pictures


def _record(data: Dataset, source: str | None) -> DataRecord:
    skipped = tuple(str(s.path) for s in data.skipped) if isinstance(data, ImageFolder) else ()
    return DataRecord(
        source=data.name if source is None else source, name=data.name, sha256=data.sha256, pictures=len(data), skipped=skipped
    )


@contextmanager
def _own_randomness(device: torch.device, seed: int) -> Iterator[None]:
    """The global random state belongs to the run inside, for networks that draw from it, and is as before after it."""
    devices: Sequence[torch.device] = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _take_up(engine: Engine, directory: RunDirectory, reporter: Reporter) -> None:
    checkpoint, problems = directory.latest_checkpoint()
    for problem in problems:
        reporter.note(f"{problem} Going back to the one before.")
    if checkpoint is None:
        directory.rewind_metrics(0)
        return
    try:
        for name, network in engine.networks().items():
            network.load_state_dict(checkpoint.networks[name])
        engine.restore(checkpoint.state)
    except (RuntimeError, KeyError, ValueError) as e:
        raise CorruptFileError(f"The checkpoint in {directory.checkpoints} does not fit this run: {e}.") from e
    directory.rewind_metrics(engine.images)


def _play(engine: Engine, run: RunConfig, directory: RunDirectory, reporter: Reporter) -> Run:
    reporter.started(engine.images, run.recipe.images)
    with graceful_interrupt(reporter.note) as interrupted:
        finished = _loop(engine, run, directory, reporter, interrupted)
    if not finished:
        reporter.note(f"Stopped after {engine.images} images. Go on with: ganzoo resume {directory.path}")
        return Run(directory.path, engine.images, None)
    networks: dict[Role, Network] = {"generator": engine.average, "discriminator": engine.discriminator}
    return Run(directory.path, engine.images, _export(directory.model, run, networks))


def _export(folder: Path, run: RunConfig, networks: Mapping[Role, Network]) -> Path:
    """The result in ganzoo's own layout."""
    config = ModelConfig(
        library_name="ganzoo",
        ganzoo_version=ganzoo.__version__,
        architecture=run.architecture,
        plugin=run.plugin,
        distribution=run.distribution,
        generator=networks["generator"].config,
        discriminator=networks["discriminator"].config,
    )
    states = {role: network.state_dict() for role, network in networks.items()}
    return write_model(folder, config, states, overwrite=True).folder


def _loop(engine: Engine, run: RunConfig, directory: RunDirectory, reporter: Reporter, interrupted: Callable[[], bool]) -> bool:
    """Plays to the end, or until interrupted; whether the end was reached."""
    every, step = run.intervals, engine.images_per_step
    begin, begin_images = time.monotonic(), engine.images
    while engine.images < run.recipe.images:
        progress = engine.step()
        reporter.stepped(progress)
        last = engine.images >= run.recipe.images
        if last or _due(engine.images, step, every.log):
            now = time.monotonic()
            speed = (engine.images - begin_images) / max(now - begin, 1e-9)
            begin, begin_images = now, engine.images
            directory.append_metrics(progress, {"images_per_second": round(speed, 2)})
            reporter.logged(progress, speed)
        if last or _due(engine.images, step, every.samples):
            directory.write_samples(engine.average.sample(seeds=sample_seeds(GRID, GRID_SEED)), engine.images)
        stop = interrupted() and not last
        if last or stop or _due(engine.images, step, every.checkpoint):
            write_checkpoint(directory.checkpoints, engine.networks(), engine.state())
        if stop:
            return False
    return True


def _due(images: int, step: int, interval: int) -> bool:
    """Whether a multiple of ``interval`` was passed in the last step: depends on the images alone, so also after resuming."""
    return images // interval > (images - step) // interval
