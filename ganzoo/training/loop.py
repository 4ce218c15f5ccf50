"""Step after step: what is written when, what happens on Ctrl-C and on losses that are not finite."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganzoo.building import load_state
from ganzoo.checkpoint import write_model
from ganzoo.checkpoint.folder import model_config
from ganzoo.errors import CheckpointError, ConfigError, TrainingError
from ganzoo.models import Generator
from ganzoo.models.seeds import sample_seeds
from ganzoo.training.checkpoints import Checkpoint, write_checkpoint
from ganzoo.training.game import Game, Progress
from ganzoo.training.interruption import graceful_interrupt
from ganzoo.training.player import REMEDIES
from ganzoo.training.reporting import Reporter
from ganzoo.training.run_directory import Best, EvaluationConfig, RunConfig, RunDirectory

GRID = tuple(sample_seeds(64, 0))  # the seeds of a grid never change

Evaluator = Callable[[Generator[Any]], Mapping[str, float]]


@dataclass(frozen=True)
class Run:
    """What a run came to.

    Attributes:
        path: Its directory.
        images: Examples shown.
        model: The folder of the finished model, or None where the run was interrupted.
        main: Whether this process is the one that wrote it, of several that trained together.
        modality: What the model makes.
        classes: How many classes it can be asked for; 0: it is unconditional.
    """

    path: Path
    images: int
    model: Path | None
    main: bool = True
    modality: str = "image"
    classes: int = 0


class Loop:
    """Plays a game to its end.

    Args:
        game: Fresh, or restored from a checkpoint.
        run: What the run was started with.
        directory: Where everything goes; written by the main process only.
        reporter: Told what happens.
        evaluator: Measures the finished generator, where the run has an evaluation.
    """

    def __init__(
        self, game: Game, run: RunConfig, directory: RunDirectory, reporter: Reporter, evaluator: Evaluator | None
    ) -> None:
        self.game, self.run, self.directory, self.reporter = game, run, directory, reporter
        self.evaluator = evaluator
        self.main = game.processes.main
        self._clock = (time.monotonic(), game.images)

    def play(self) -> Run:
        """Goes on to the end, or until interrupted.

        Raises:
            TrainingError: a loss or a weight that is not finite, and the recipe says stop.
            ConfigError: the evaluation does not give the figure that decides which model is best.
            OutputError: something cannot be written; the last checkpoint is kept.
        """
        self.reporter.started(self.game.images, self.game.total, self.game.unit)
        try:
            if self.game.images == 0:
                self._begin()
            with graceful_interrupt(self.reporter.note) as interrupted:
                finished = self._steps(interrupted)
            if finished and self.main:
                self._export(self.directory.model)
            self.game.processes.wait()
            if not finished:
                hint = f"Go on with: ganzoo resume {self.directory.path}"
                self.reporter.note(f"Stopped after {self.game.images} {self.game.unit}. {hint}")
            self.reporter.finished()
        finally:
            self.reporter.closed()
        model = self.directory.model if finished else None
        made = self.game.finished_generator
        return Run(self.directory.path, self.game.images, model, self.main, made.modality, made.num_classes)

    def _begin(self) -> None:
        """What is measured meanwhile is measured once before: what is wrong with it shows at once, not hours later."""
        figures = self._evaluate()
        if self.main and figures:
            self.directory.rewind_metrics(-1)  # those of an earlier beginning that no checkpoint followed
            self.directory.append_metrics({"images": 0, "evaluation": figures})
            self.reporter.evaluated(figures, 0)

    def _steps(self, interrupted: Callable[[], bool]) -> bool:
        """Whether the end was reached."""
        while self.game.images < self.game.total:
            before = self.game.images
            try:
                progress = self.game.step()
                self.reporter.stepped(progress)
                last = self.game.images >= self.game.total
                stop = self._agreed(interrupted()) and not last
                self._write(progress, before, last=last, stop=stop)
            except TrainingError as e:
                self._go_back(e)
                continue
            if stop:
                return False
        return True

    def _write(self, progress: Progress, before: int, *, last: bool, stop: bool) -> None:
        """Whatever is due after this step; the checkpoint comes last, so that a resumed run repeats what is missing.

        Raises:
            TrainingError: weights that are not finite; nothing is written then.
        """
        every = self.run.intervals
        sampling, saving, measuring = (
            last or _due(self.game.images, before, interval) for interval in (every.samples, every.checkpoint, every.evaluate)
        )
        saving = saving or stop
        measuring = measuring and self.run.evaluation is not None
        if sampling or saving or measuring:
            self.game.synchronise()
            check_finite(self.game)
        figures = self._evaluate() if measuring else {}
        if last or figures or progress.notable or _due(self.game.images, before, every.log):
            self._log(progress, figures)
        if sampling and self.main:
            self.reporter.sampled(self.directory.write_samples(self.game.grid(GRID), self.game.images), self.game.images)
        if saving:
            save(self.game, self.directory)

    def _log(self, progress: Progress, figures: Mapping[str, float]) -> None:
        now, (begin, images) = time.monotonic(), self._clock
        self._clock = (now, progress.images)
        speed = (progress.images - images) / max(now - begin, 1e-9)
        if not self.main:
            return
        record: dict[str, Any] = {"images": progress.images, **progress.figures}
        if progress.phase is not None:
            record["phase"] = progress.phase
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
            self.game.processes.wait()
            return {}
        device = self.game.processes.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            figures = self.evaluator(self.game.finished_generator)
        self._keep_the_best(figures, self.run.evaluation)
        self.game.processes.wait()
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
            self.directory.write_best_figures(Best(images=self.game.images, figures=dict(figures)))

    def _go_back(self, error: TrainingError) -> None:
        """To the last checkpoint and other random numbers, where the recipe says so."""
        recipe = self.run.recipe
        tried = self.game.rollbacks
        where = f"after {self.game.images} {self.game.unit}"
        if recipe.on_nan != "rollback" or tried >= recipe.rollbacks:
            gone_back = f", and the run went back {tried} times before" if tried else ""
            raise TrainingError(f"{error.message} It was {where}{gone_back}.", hint=error.hint) from error
        take_up(self.game, self.directory, self.reporter)
        self.game.reseed(tried + 1)
        self._clock = (time.monotonic(), self.game.images)
        self.reporter.started(self.game.images, self.game.total, self.game.unit)
        self.reporter.note(
            f"{error.message} It was {where}; going on from {self.game.images} {self.game.unit} with other random numbers "
            f"({tried + 1} of {recipe.rollbacks})."
        )

    def _agreed(self, pressed: bool) -> bool:
        """Whether any of the processes was told to stop."""
        processes = self.game.processes
        if processes.count == 1:
            return pressed
        return bool(processes.mean(torch.tensor(float(pressed), device=processes.device)) > 0)

    def _export(self, folder: Path) -> None:
        """The finished networks in ganzoo's own layout."""
        run = self.run
        names = self.game.finished_generator.class_names
        config = model_config(
            run.architecture, run.plugin, self.game.configs(), distribution=run.distribution, class_names=names
        )
        write_model(folder, config, self.game.model_states(), overwrite=True)


def save(game: Game, directory: RunDirectory) -> None:
    """Writes a checkpoint, on the main process.

    Raises:
        OutputError: it cannot be written; older ones are as they were.
    """
    state = game.state()  # gathered from all processes
    if game.processes.main:
        write_checkpoint(directory.checkpoints, game.networks(), state)
    game.processes.wait()


def take_up(game: Game, directory: RunDirectory, reporter: Reporter) -> None:
    """Restores the latest intact checkpoint, if there is one, and drops metrics of what came after it.

    Raises:
        CorruptFileError: all of them are damaged.
        CheckpointError: it belongs to other networks, or was written by another version of ganzoo.
    """
    checkpoint, problems = directory.latest_checkpoint()
    for problem in problems:
        reporter.note(f"{problem} Going back to the one before.")
    if checkpoint is not None:
        _restore(game, checkpoint)
    if game.processes.main:
        directory.rewind_metrics(-1 if checkpoint is None else game.images)
    game.processes.wait()


def load_networks(networks: Iterable[tuple[str, nn.Module]], directory: RunDirectory) -> None:
    """Loads the latest intact checkpoint's weights, if there is one: they hold what the game cannot be made without.

    Raises:
        CorruptFileError, CheckpointError: as `take_up`.
    """
    checkpoint, _ = directory.latest_checkpoint()
    if checkpoint is not None:
        with _fitting(checkpoint):
            _load(networks, checkpoint)


def _restore(game: Game, checkpoint: Checkpoint) -> None:
    with _fitting(checkpoint):
        _load(game.networks().items(), checkpoint)
        game.restore(checkpoint.state)


def _load(networks: Iterable[tuple[str, nn.Module]], checkpoint: Checkpoint) -> None:
    for name, network in networks:
        load_state(network, checkpoint.networks[name], assign=False)


@contextmanager
def _fitting(checkpoint: Checkpoint) -> Iterator[None]:
    """Whatever goes wrong inside, the checkpoint does not fit."""
    hint = "It belongs to a run of another architecture, or of other arguments or another recipe."
    try:
        yield
    except (CheckpointError, ConfigError) as e:
        raise CheckpointError(f"The checkpoint {checkpoint.path} does not fit this run. {e.message}", hint=hint) from e
    except (KeyError, RuntimeError, ValueError, TypeError, IndexError) as e:
        what = f"it has no {e}" if isinstance(e, KeyError) else str(e)
        raise CheckpointError(f"The checkpoint {checkpoint.path} does not fit this run: {what}.", hint=hint) from e


def check_finite(game: Game) -> None:
    """Refuses weights that are broken: a finite loss can have a gradient that is not, and nobody wants to go back to such.

    Raises:
        TrainingError: with the network's name.
    """
    for name, network in game.networks().items():
        tensors = [t for t in network.state_dict().values() if t.is_floating_point()]
        if not torch.stack([t.detach().isfinite().all() for t in tensors]).all():
            raise TrainingError(f"The weights of the {name} are no longer finite.", hint=REMEDIES)


def _due(images: int, before: int, interval: int) -> bool:
    """Whether a multiple of ``interval`` was passed in the last step: depends on the images alone, so also after resuming."""
    return images // interval > before // interval
