"""Step after step: what is written when, what happens on Ctrl-C and on losses that are not finite."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch

import ganzoo
from ganzoo.building import load_state
from ganzoo.checkpoint import ModelConfig, write_model
from ganzoo.errors import CheckpointError, ConfigError, TrainingError
from ganzoo.models import Generator, Samples
from ganzoo.models.seeds import sample_seeds
from ganzoo.training.checkpoints import Checkpoint, write_checkpoint
from ganzoo.training.engine import Engine, Progress
from ganzoo.training.interruption import graceful_interrupt
from ganzoo.training.player import REMEDIES
from ganzoo.training.reporting import Reporter
from ganzoo.training.run_directory import Best, EvaluationConfig, RunConfig, RunDirectory

GRID = 64  # samples in a grid
GRID_SEED = 0

Evaluator = Callable[[Generator[Any]], Mapping[str, float]]


@dataclass(frozen=True)
class Run:
    """What a run came to.

    Attributes:
        path: Its directory.
        images: Real images shown.
        model: The folder of the finished model, or None where the run was interrupted.
        main: Whether this process is the one that wrote it, of several that trained together.
    """

    path: Path
    images: int
    model: Path | None
    main: bool = True


class Loop:
    """Plays an engine to the end of its recipe.

    Args:
        engine: Fresh, or restored from a checkpoint.
        run: What the run was started with.
        directory: Where everything goes; written by the main process only.
        reporter: Told what happens.
        evaluator: Measures the average of the generator, where the run has an evaluation.
    """

    def __init__(
        self, engine: Engine, run: RunConfig, directory: RunDirectory, reporter: Reporter, evaluator: Evaluator | None
    ) -> None:
        self.engine, self.run, self.directory, self.reporter = engine, run, directory, reporter
        self.evaluator = evaluator
        self.main = engine.processes.main
        self._clock = (time.monotonic(), engine.images)

    def play(self) -> Run:
        """Goes on to the end, or until interrupted.

        Raises:
            TrainingError: a loss or a weight that is not finite, and the recipe says stop.
            ConfigError: the evaluation does not give the figure that decides which model is best.
            OutputError: something cannot be written; the last checkpoint is kept.
        """
        self.reporter.started(self.engine.images, self.run.recipe.images)
        try:
            if self.engine.images == 0:
                self._begin()
            with graceful_interrupt(self.reporter.note) as interrupted:
                finished = self._steps(interrupted)
            if finished and self.main:
                self._export(self.directory.model)
            self.engine.processes.wait()
            if not finished:
                hint = f"Go on with: ganzoo resume {self.directory.path}"
                self.reporter.note(f"Stopped after {self.engine.images} images. {hint}")
            self.reporter.finished()
        finally:
            self.reporter.closed()
        return Run(self.directory.path, self.engine.images, self.directory.model if finished else None, self.main)

    def _begin(self) -> None:
        """What is measured meanwhile is measured once before: what is wrong with it shows at once, not hours later."""
        figures = self._evaluate()
        if self.main and figures:
            self.directory.rewind_metrics(-1)  # those of an earlier beginning that no checkpoint followed
            self.directory.append_metrics({"images": 0, "evaluation": figures})
            self.reporter.evaluated(figures, 0)

    def _steps(self, interrupted: Callable[[], bool]) -> bool:
        """Whether the end was reached."""
        while self.engine.images < self.run.recipe.images:
            try:
                progress = self.engine.step()
                self.reporter.stepped(progress)
                last = self.engine.images >= self.run.recipe.images
                stop = self._agreed(interrupted()) and not last
                self._write(progress, last=last, stop=stop)
            except TrainingError as e:
                self._go_back(e)
                continue
            if stop:
                return False
        return True

    def _write(self, progress: Progress, *, last: bool, stop: bool) -> None:
        """Whatever is due after this step; the checkpoint comes last, so that a resumed run repeats what is missing.

        Raises:
            TrainingError: weights that are not finite; nothing is written then.
        """
        every, step = self.run.intervals, self.engine.images_per_step
        sampling, saving, measuring = (
            last or _due(self.engine.images, step, interval) for interval in (every.samples, every.checkpoint, every.evaluate)
        )
        saving = saving or stop
        measuring = measuring and self.run.evaluation is not None
        if sampling or saving or measuring:
            self.engine.synchronise()
            check_finite(self.engine)
        figures = self._evaluate() if measuring else {}
        if last or figures or _due(self.engine.images, step, every.log):
            self._log(progress, figures)
        if sampling and self.main:
            self.reporter.sampled(self.directory.write_samples(self._grid(), self.engine.images), self.engine.images)
        if saving:
            save(self.engine, self.directory)

    def _log(self, progress: Progress, figures: Mapping[str, float]) -> None:
        now, (begin, images) = time.monotonic(), self._clock
        self._clock = (now, progress.images)
        speed = (progress.images - images) / max(now - begin, 1e-9)
        if not self.main:
            return
        record: dict[str, Any] = asdict(progress)
        record |= record.pop("more")
        record["images_per_second"] = round(speed, 2)
        if figures:
            record["evaluation"] = dict(figures)
        self.directory.append_metrics(record)
        self.reporter.logged(progress, speed)
        if figures:
            self.reporter.evaluated(figures, progress.images)

    def _evaluate(self) -> Mapping[str, float]:
        """Measures on the main process and keeps the model where it is the best so far; the random state is as before."""
        if self.evaluator is None or self.run.evaluation is None:
            return {}
        if not self.main:
            self.engine.processes.wait()
            return {}
        with torch.random.fork_rng(devices=[self.engine.device] if self.engine.device.type == "cuda" else []):
            figures = self.evaluator(self.engine.average.generator)
        self._keep_the_best(figures, self.run.evaluation)
        self.engine.processes.wait()
        return figures

    def _keep_the_best(self, figures: Mapping[str, float], evaluation: EvaluationConfig) -> None:
        if evaluation.best not in figures:
            raise ConfigError(
                f"The evaluation gives no figure '{evaluation.best}', so it cannot decide which model is best.",
                hint=f"It gives: {', '.join(figures)}. Choose one with --best.",
            )
        best, now = self.directory.best_figure(evaluation.best), figures[evaluation.best]
        if best is None or (now > best if evaluation.higher else now < best):
            self._export(self.directory.best)
            self.directory.write_best_figures(Best(images=self.engine.images, figures=dict(figures)))

    def _grid(self) -> Samples:
        """From seeds that never change; a conditional generator shows one class after the other."""
        generator, seeds = self.engine.average.generator, sample_seeds(GRID, GRID_SEED)
        options: dict[str, Any] = {"c": torch.arange(GRID) % generator.num_classes} if generator.num_classes else {}
        return cast(Samples, generator.sample(seeds=seeds, **options))

    def _go_back(self, error: TrainingError) -> None:
        """To the last checkpoint and other random numbers, where the recipe says so."""
        recipe = self.run.recipe
        tried = self.engine.rollbacks
        where = f"after {self.engine.images} images"
        if recipe.on_nan != "rollback" or tried >= recipe.rollbacks:
            gone_back = f", and the run went back {tried} times before" if tried else ""
            raise TrainingError(f"{error.message} It was {where}{gone_back}.", hint=error.hint) from error
        take_up(self.engine, self.directory, self.reporter)
        self.engine.reseed(tried + 1)
        self._clock = (time.monotonic(), self.engine.images)
        self.reporter.started(self.engine.images, recipe.images)
        self.reporter.note(
            f"{error.message} It was {where}; going on from {self.engine.images} images with other random numbers "
            f"({tried + 1} of {recipe.rollbacks})."
        )

    def _agreed(self, pressed: bool) -> bool:
        """Whether any of the processes was told to stop."""
        processes = self.engine.processes
        if processes.count == 1:
            return pressed
        return bool(processes.mean(torch.tensor(float(pressed), device=processes.device)) > 0)

    def _export(self, folder: Path) -> None:
        """The average and the discriminator in ganzoo's own layout."""
        run = self.run
        config = ModelConfig(
            library_name="ganzoo",
            ganzoo_version=ganzoo.__version__,
            architecture=run.architecture,
            plugin=run.plugin,
            distribution=run.distribution,
            generator=self.engine.average.generator.config,
            discriminator=self.engine.discriminator.config,
        )
        write_model(folder, config, self.engine.model_states(), overwrite=True)


def save(engine: Engine, directory: RunDirectory) -> None:
    """Writes a checkpoint, on the main process.

    Raises:
        OutputError: it cannot be written; older ones are as they were.
    """
    state = engine.state()  # gathered from all processes
    if engine.processes.main:
        write_checkpoint(directory.checkpoints, engine.networks(), state)
    engine.processes.wait()


def take_up(engine: Engine, directory: RunDirectory, reporter: Reporter) -> None:
    """Restores the latest intact checkpoint, if there is one, and drops metrics of what came after it.

    Raises:
        CorruptFileError: all of them are damaged.
        CheckpointError: it belongs to other networks, or was written by another version of ganzoo.
    """
    checkpoint, problems = directory.latest_checkpoint()
    for problem in problems:
        reporter.note(f"{problem} Going back to the one before.")
    if checkpoint is not None:
        _restore(engine, checkpoint)
    if engine.processes.main:
        directory.rewind_metrics(-1 if checkpoint is None else engine.images)
    engine.processes.wait()


def _restore(engine: Engine, checkpoint: Checkpoint) -> None:
    hint = "It belongs to a run of another architecture, or of other arguments or another recipe."
    try:
        for name, network in engine.networks().items():
            load_state(network, checkpoint.networks[name], assign=False)
        engine.restore(checkpoint.state)
    except (CheckpointError, ConfigError) as e:
        raise CheckpointError(f"The checkpoint {checkpoint.path} does not fit this run. {e.message}", hint=hint) from e
    except (KeyError, RuntimeError, ValueError, TypeError, IndexError) as e:
        what = f"it has no {e}" if isinstance(e, KeyError) else str(e)
        raise CheckpointError(f"The checkpoint {checkpoint.path} does not fit this run: {what}.", hint=hint) from e


def check_finite(engine: Engine) -> None:
    """Refuses weights that are broken: a finite loss can have a gradient that is not, and nobody wants to go back to such.

    Raises:
        TrainingError: with the network's name.
    """
    for name, network in engine.networks().items():
        tensors = [t for t in network.state_dict().values() if t.is_floating_point()]
        if not torch.stack([t.detach().isfinite().all() for t in tensors]).all():
            raise TrainingError(f"The weights of the {name} are no longer finite.", hint=REMEDIES)


def _due(images: int, step: int, interval: int) -> bool:
    """Whether a multiple of ``interval`` was passed in the last step: depends on the images alone, so also after resuming."""
    return images // interval > (images - step) // interval
