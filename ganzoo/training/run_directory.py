"""A run directory: everything that a run is made of and everything that it makes, in one folder.

``config.json`` (what was resolved before it began), ``metrics.jsonl``, ``samples/``, ``checkpoints/`` and, at the end,
``model/``.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import torch

import ganzoo
from ganzoo.errors import CheckpointError, ConfigError, CorruptFileError, OutputError
from ganzoo.models import Samples
from ganzoo.paths import atomic_path
from ganzoo.spec import Json, Name, PositiveInt, Recipe, Role
from ganzoo.training.checkpoints import Checkpoint, list_checkpoints, read_checkpoint
from ganzoo.training.engine import Progress

FORMAT = 1
CONFIG = "config.json"


class Intervals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often something is written, in images."""

    log: PositiveInt
    samples: PositiveInt
    checkpoint: PositiveInt

    @classmethod
    def of(cls, recipe: Recipe) -> "Intervals":
        """A hundred lines of metrics, ten grids and ten checkpoints a run."""
        step = recipe.batch_size * recipe.discriminator_steps
        return cls(
            log=max(step, recipe.images // 100),
            samples=max(step, recipe.images // 10),
            checkpoint=max(step, recipe.images // 10),
        )


class DataRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pictures: how they were named on the command line, what they are, and how many were usable."""

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
    recipe: Recipe
    data: DataRecord
    seed: int
    device: str
    threads: PositiveInt
    intervals: Intervals
    versions: dict[str, str]


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
        self.metrics = self.path / "metrics.jsonl"

    def create(self, config: RunConfig) -> None:
        """Makes the folder, and its parents, and writes ``config.json``.

        Raises:
            OutputError: there is a run in it already, other files are in it, or it cannot be written.
        """
        self.check_free()
        try:
            self.samples.mkdir(parents=True, exist_ok=True)
            self.checkpoints.mkdir(exist_ok=True)
            with atomic_path(self.path / CONFIG) as temporary:
                temporary.write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")
        except OSError as e:
            raise OutputError(f"The run directory {self.path} cannot be written: {e.strerror or e}.") from e

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
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise OutputError(f"{self.path} exists and is no empty folder.", hint="Choose a new folder for the run.")

    def config(self) -> RunConfig:
        """What the run was started with.

        Raises:
            ConfigError: there is no run in this folder, or its ``config.json`` is damaged or of another version.
        """
        file = self.path / CONFIG
        try:
            return msgspec.json.decode(file.read_bytes(), type=RunConfig)
        except FileNotFoundError as e:
            raise ConfigError(f"There is no run in {self.path}: it has no {CONFIG}.", hint="Give the --out of the run.") from e
        except (OSError, msgspec.DecodeError) as e:
            raise ConfigError(f"{file} cannot be used: {e}.") from e

    def latest_checkpoint(self) -> tuple[Checkpoint | None, list[str]]:
        """The latest checkpoint that is intact, and what was wrong with later ones. None where no checkpoint was written yet.

        Raises:
            CorruptFileError: there are checkpoints, and all of them are damaged.
        """
        problems: list[str] = []
        for path in reversed(list_checkpoints(self.checkpoints)):
            try:
                return read_checkpoint(path), problems
            except CheckpointError as e:
                problems.append(str(e))
        if problems:
            raise CorruptFileError("No checkpoint of this run can be used.\n  " + "\n  ".join(problems))
        return None, problems

    def append_metrics(self, progress: Progress, extra: Mapping[str, float]) -> None:
        """Adds one JSON line.

        Raises:
            OutputError: it cannot be written.
        """
        line = json.dumps({**asdict(progress), **extra})
        try:
            with self.metrics.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as e:
            raise OutputError(f"{self.metrics} cannot be written: {e.strerror or e}.") from e

    def rewind_metrics(self, images: int) -> None:
        """Drops lines after ``images``, and a line that was cut short, so that a resumed run writes none twice."""
        if not self.metrics.exists():
            return
        kept = [line for line in self.metrics.read_text(encoding="utf-8").splitlines() if _images(line) <= images]
        with atomic_path(self.metrics) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def write_samples(self, samples: Samples, images: int) -> Path:
        """Writes a grid named after the images seen."""
        return samples.save(self.samples / f"{images:09}{samples.suffixes[0]}")[0]


def _images(line: str) -> float:
    try:
        record: Any = json.loads(line)
        return float(record["images"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
