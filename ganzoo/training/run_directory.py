"""A run directory: everything that a run is made of and everything that it makes, in one folder.

``config.json`` (what was resolved before it began), ``metrics.jsonl``, ``samples/``, ``checkpoints/``, at the end ``model/``,
and on request ``best/`` (the model with the best figure so far), ``film.webp`` and ``tensorboard/``.
"""

import json
import math
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import torch

import ganzoo
from ganzoo.errors import ConfigError, CorruptFileError, OutputError
from ganzoo.models import Samples
from ganzoo.paths import atomic_path, leftovers
from ganzoo.spec import Json, Name, PositiveInt, Recipe, Role, TextRecipe
from ganzoo.training.checkpoints import PARTIAL, Checkpoint, checkpoint_name, list_checkpoints, read_checkpoint
from ganzoo.training.invalid import reason, whole
from ganzoo.training.names import unknown

FORMAT = 3
CONFIG = "config.json"
LOCK = ".lock"
FIGURES = "figures.json"


class Intervals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often something is written or measured, in examples."""

    log: PositiveInt
    samples: PositiveInt
    checkpoint: PositiveInt
    evaluate: PositiveInt

    @classmethod
    def of(cls, total: int, step: int, changes: Mapping[str, int] | None = None) -> "Intervals":
        """A hundred lines of metrics, and ten grids, checkpoints and evaluations a run, but for ``changes``.

        Args:
            total: Examples of the whole run.
            step: Examples of a step: nothing happens more often.
            changes: Intervals by name.

        Raises:
            ConfigError: an interval that does not exist or is no number above 0.
        """
        tenth = max(step, total // 10)
        defaults = {"log": max(step, total // 100), "samples": tenth, "checkpoint": tenth, "evaluate": tenth}
        for name in changes or {}:
            if name not in defaults:
                raise unknown("interval", name, list(defaults))
        try:
            return msgspec.convert({**defaults, **whole(changes or {})}, cls)
        except msgspec.ValidationError as e:
            raise ConfigError(
                f"An interval cannot be used: {reason(e, cls)}.",
                hint="Intervals are whole numbers of examples (images, sentences).",
            ) from e


class EvaluationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is measured while a run goes on, and which figure decides which model was best.

    Attributes:
        features: Name of the feature space.
        data: The reference, as `ganzoo train --data` names it.
        metrics: Names of metrics.
        samples: How many are generated for one measurement.
        best: The figure that decides.
        higher: Whether a higher figure is better.
    """

    features: str
    data: str
    metrics: tuple[str, ...]
    samples: PositiveInt
    best: str
    higher: bool = False


class DataRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The examples: how they were named on the command line, what they are, and how many were usable."""

    source: str
    name: str
    sha256: str
    pictures: PositiveInt
    skipped: tuple[str, ...] = ()


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run was started with. Enough to build everything again, given the architecture's classes and the data.

    The number of threads is part of it: sums over a batch are split among them, so another number gives other roundings.
    """

    format: int = FORMAT
    architecture: Name
    plugin: str
    distribution: str
    config: dict[Role, dict[str, Json]]
    recipe: Recipe | TextRecipe
    data: DataRecord
    seed: int
    device: str
    threads: PositiveInt
    intervals: Intervals
    versions: dict[str, str]
    started_from: str | None = None
    evaluation: EvaluationConfig | None = None
    film: bool = False
    tensorboard: bool = False


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """What the model in ``best/`` reached: ``figures`` after ``images`` images."""

    images: int
    figures: dict[str, float]


class _Format(msgspec.Struct):
    format: int


def versions() -> dict[str, str]:
    """The versions that decide whether a run can be repeated bit by bit."""
    return {"ganzoo": ganzoo.__version__, "torch": str(torch.__version__), "python": platform.python_version()}


class RunDirectory:
    """The files of a run.

    Args:
        path: The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.model = self.path / "model"
        self.best = self.path / "best"
        self.metrics = self.path / "metrics.jsonl"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder, and its parents, and keeps other processes from training in it.

        The system ends the lock with the process, however that ends.

        Raises:
            OutputError: another process holds it, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / LOCK)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout as e:
            raise OutputError(f"Another process is training in {self.path}.", hint="Wait for its end, or stop it first.") from e
        except (OSError, NotImplementedError) as e:  # the latter from file systems that know no locks
            raise _not_writable(self.path, e) from e
        try:
            yield
        finally:
            lock.release()

    def create(self) -> None:
        """Makes the folders, empty. There is a run only when `begin` has written its ``config.json``.

        Raises:
            OutputError: there is a run in it already, other files are in it, or it cannot be written.
        """
        self.check_free()
        self.sweep()
        try:
            if self.checkpoints.is_dir():  # of a run that was killed before it began
                shutil.rmtree(self.checkpoints)
            self.samples.mkdir(parents=True, exist_ok=True)
            self.checkpoints.mkdir()
        except OSError as e:
            raise _not_writable(self.path, e) from e

    def begin(self, config: RunConfig) -> None:
        """Writes ``config.json``: from here on the run can be resumed.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            with atomic_path(self.path / CONFIG) as temporary:
                temporary.write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")
        except OSError as e:
            raise _not_writable(self.path, e) from e

    def sweep(self) -> None:
        """Removes the half-written files of a process that was killed; for who holds the lock.

        Raises:
            OutputError: they cannot be removed.
        """
        try:
            self._sweep()
        except OSError as e:
            raise _not_writable(self.path, e) from e

    def _sweep(self) -> None:
        for folder in (self.path, self.samples, self.model, self.best):
            for left in leftovers(folder):
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)

    def check_free(self) -> None:
        """Refuses a folder that holds something, so that no run overwrites another.

        Raises:
            OutputError: with what to do instead.
        """
        if (self.path / CONFIG).exists():
            raise OutputError(
                f"There is a run in {self.path} already.",
                hint=f"Go on with it: ganzoo resume {self.path}. Or choose another folder.",
            )
        if self.path.exists() and not (self.path.is_dir() and all(self._before_the_begin(p) for p in self.path.iterdir())):
            raise OutputError(f"{self.path} exists and is no empty folder.", hint="Choose a new folder for the run.")

    def _before_the_begin(self, path: Path) -> bool:
        """Whether ``path`` is something that a run leaves which was killed before it began, and nothing of value."""
        if path in (self.samples, self.checkpoints):
            return path.is_dir() and all(p.name.startswith(PARTIAL) or p.name == checkpoint_name(0) for p in path.iterdir())
        return path.name == LOCK or path in leftovers(self.path)

    def config(self) -> RunConfig:
        """What the run was started with.

        Raises:
            ConfigError: there is no run in this folder, or its ``config.json`` is damaged or of another version.
        """
        file = self.path / CONFIG
        try:
            content = file.read_bytes()
            found = msgspec.json.decode(content, type=_Format).format
            if found != FORMAT:
                raise ConfigError(
                    f"{file} has the format {found}; this version of ganzoo reads {FORMAT}.",
                    hint="Go on with the version of ganzoo that wrote it: `versions` in that file.",
                )
            return msgspec.json.decode(content, type=RunConfig)
        except FileNotFoundError as e:
            raise ConfigError(f"There is no run in {self.path}: it has no {CONFIG}.", hint="Give the --out of the run.") from e
        except (OSError, msgspec.DecodeError) as e:
            raise ConfigError(f"{file} cannot be used: {e}.") from e

    def latest_checkpoint(self) -> tuple[Checkpoint | None, list[str]]:
        """The latest checkpoint that is intact, and what was wrong with later ones. None where no checkpoint was written yet.

        Raises:
            CorruptFileError: there are checkpoints, and all of them are damaged.
            CheckpointError: the latest one was written by another version of ganzoo.
        """
        problems: list[str] = []
        for path in reversed(list_checkpoints(self.checkpoints)):
            try:
                return read_checkpoint(path), problems
            except CorruptFileError as e:
                problems.append(str(e))
        if problems:
            raise CorruptFileError("No checkpoint of this run can be used.\n  " + "\n  ".join(problems))
        return None, problems

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Adds one JSON line; numbers that are not finite become null, which JSON can say.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            with self.metrics.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(_finite(record), allow_nan=False) + "\n")
        except OSError as e:
            raise OutputError(f"{self.metrics} cannot be written: {e.strerror or e}.") from e

    def rewind_metrics(self, images: int) -> None:
        """Drops lines after ``images``, and a line that was cut short, so that a resumed run writes none twice.

        Raises:
            OutputError: the file cannot be written.
        """
        try:
            if not self.metrics.exists():
                return
            lines = self.metrics.read_text(encoding="utf-8", errors="replace").splitlines()
            with atomic_path(self.metrics) as temporary:
                kept = [line for line in lines if _images(line) <= images]
                temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        except OSError as e:
            raise OutputError(f"{self.metrics} cannot be written: {e.strerror or e}.") from e

    def best_figure(self, name: str) -> float | None:
        """The figure ``name`` of the model in ``best/``; None where there is none."""
        try:
            return msgspec.json.decode((self.best / FIGURES).read_bytes(), type=Best).figures.get(name)
        except (OSError, msgspec.DecodeError):  # damaged: then the next one is the best
            return None

    def write_best_figures(self, best: "Best") -> None:
        """Writes what the model in ``best/`` reached; after the model, so that a kill in between leaves a figure to beat.

        Raises:
            OutputError: it cannot be written.
        """
        file = self.best / FIGURES
        try:
            with atomic_path(file) as temporary:
                temporary.write_bytes(msgspec.json.format(msgspec.json.encode(best), indent=2) + b"\n")
        except OSError as e:
            raise OutputError(f"{file} cannot be written: {e.strerror or e}.") from e

    def write_samples(self, samples: Samples, images: int) -> Path:
        """Writes a grid named after the images seen: a picture where these samples can be one.

        Raises:
            OutputError: it cannot be written.
        """
        suffix = ".png" if ".png" in samples.suffixes else samples.suffixes[0]
        return samples.save(self.samples / f"{images:09}{suffix}")[0]


def _images(line: str) -> float:
    try:
        record: Any = json.loads(line)
        return float(record["images"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _not_writable(path: Path, e: Exception) -> OutputError:
    return OutputError(f"The run directory {path} cannot be written: {getattr(e, 'strerror', None) or e}.")
