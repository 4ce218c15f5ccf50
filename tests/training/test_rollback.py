"""What happens when a loss or a weight is no longer finite."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
import torch
from torch import Tensor

from ganzoo.errors import TrainingError
from ganzoo.spec import Recipe
from ganzoo.training import Options, Progress, Run, RunDirectory, Silent, resume, train
from ganzoo.training.checkpoints import list_checkpoints
from tests.training.toy import EVERY, FULL, TOY, ToyDiscriminator, ToyGenerator, toy_data


class Explosive(ToyGenerator):
    """Its output is no number where the first latent is above a limit: other random numbers may avoid that."""

    limit: ClassVar[float] = 1.5
    made: ClassVar[list["Explosive"]] = []

    def __init__(self, image_size: int = 8, channels: int = 1, width: int = 8) -> None:
        super().__init__(image_size, channels, width)
        self.made.append(self)

    def forward(self, z: Tensor) -> Tensor:
        output = super().forward(z)
        return output * float("nan") if self.training and bool((z[:, 0] > self.limit).any()) else output


NETWORKS: dict[Any, Any] = {"generator": Explosive, "discriminator": ToyDiscriminator}
ROLLBACK = msgspec.structs.replace(FULL, on_nan="rollback", rollbacks=300)


class Watching(Silent):
    """Remembers notes and how far the metrics went then; does something after a number of steps."""

    def __init__(self, path: Path, after: int = 0, action: Callable[[], None] = lambda: None) -> None:
        self.path, self.left, self.action = path, after, action
        self.notes: list[str] = []
        self.logged_then: list[list[int]] = []
        self.beginnings: list[int] = []

    def started(self, done: int, total: int, unit: str) -> None:
        self.beginnings.append(done)

    def stepped(self, progress: Progress) -> None:
        self.left -= 1
        if self.left == 0:
            self.action()

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.logged_then.append(images_logged(self.path))


def images_logged(path: Path) -> list[int]:
    file = path / "metrics.jsonl"
    return [json.loads(line)["images"] for line in file.read_text().splitlines()] if file.exists() else []


def run(path: Path, recipe: Recipe = ROLLBACK, reporter: Any = None) -> Run:
    options = Options(intervals={**EVERY, "checkpoint": 16}, seed=7)
    return train(TOY, NETWORKS, toy_data(), path, recipe=recipe, options=options, plugin="toy", reporter=reporter)


def die() -> None:
    raise SystemExit


def model(path: Path) -> bytes:
    return (path / "model" / "generator.safetensors").read_bytes()


def test_stop_is_clear_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"loss became nan\. It was after \d+ images\.\n.*on_nan=rollback"):
        run(tmp_path / "run", msgspec.structs.replace(ROLLBACK, on_nan="stop"))
    assert not (tmp_path / "run" / "model").exists()
    for path in list_checkpoints(tmp_path / "run" / "checkpoints"):
        assert all(int(path.name) <= images for images in images_logged(tmp_path / "run")[-1:])


def test_rolling_back_takes_other_random_numbers_and_says_so(tmp_path: Path) -> None:
    watching = Watching(tmp_path / "run")
    assert run(tmp_path / "run", reporter=watching).model is not None
    assert len(watching.notes) > 1
    for note, logged, begun in zip(watching.notes, watching.logged_then, watching.beginnings[1:], strict=True):
        assert f"going on from {begun} images with other random numbers" in note
        assert all(images <= begun for images in logged)  # what came after it is dropped
    assert images_logged(tmp_path / "run") == list(range(8, 49, 8))
    checkpoint, _ = RunDirectory(tmp_path / "run").latest_checkpoint()
    assert checkpoint is not None and checkpoint.state["rollbacks"] == len(watching.notes)


@pytest.mark.parametrize("after", [1, 2, 3, 5, 6])
def test_a_run_with_rollbacks_is_repeatable_after_a_kill(tmp_path: Path, after: int) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(SystemExit):
        run(tmp_path / "run", reporter=Watching(tmp_path / "run", after, die))
    resume(tmp_path / "run", NETWORKS, toy_data())
    assert model(tmp_path / "run") == model(whole.path)


def test_the_limit_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Explosive, "limit", -100.0)
    watching = Watching(tmp_path / "run")
    with pytest.raises(TrainingError, match=r"became nan\. It was after 0 images, and the run went back 2 times before\."):
        run(tmp_path / "run", msgspec.structs.replace(ROLLBACK, rollbacks=2), watching)
    assert [note.rpartition("(")[2] for note in watching.notes] == ["1 of 2).", "2 of 2)."]
    assert [path.name for path in list_checkpoints(tmp_path / "run" / "checkpoints")] == ["000000000"]


def spoil() -> None:
    with torch.no_grad():
        Explosive.made[-1].first.weight[0, 0] = float("inf")


@pytest.mark.parametrize("on_nan", ["stop", "rollback"])
def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_nan: Any) -> None:
    """A finite loss can have a gradient that is not; the next loss would tell, but then the checkpoint would be useless."""
    monkeypatch.setattr(Explosive, "limit", 100.0)
    recipe = msgspec.structs.replace(ROLLBACK, on_nan=on_nan)
    watching = Watching(tmp_path / "run", 4, spoil)  # right before the second checkpoint
    if on_nan == "stop":
        with pytest.raises(TrainingError, match=r"weights of the generator are no longer finite\. It was after 32 images"):
            run(tmp_path / "run", recipe, watching)
        assert list_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000016"
    else:
        assert run(tmp_path / "run", recipe, watching).model is not None
        assert watching.beginnings == [0, 16]
    assert b"nan" not in (tmp_path / "run" / "metrics.jsonl").read_bytes()
