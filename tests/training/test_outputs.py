"""Run directories that cannot be written, are full, in use, or hold what belongs to another run."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ganzoo.errors import CheckpointError, CorruptFileError, OutputError
from ganzoo.training import EvaluationConfig, Options, Progress, Run, RunDirectory, Silent, resume, train
from ganzoo.training.checkpoints import list_checkpoints, read_checkpoint
from tests.training.toy import EVERY, NETWORKS, RECIPE, TOY, toy_data

ROOT = Path(__file__).parents[2]
EVALUATION = EvaluationConfig(features="toy", data="toy", metrics=("toy",), samples=4, best="figure")


class After(Silent):
    """Does something after a number of steps; remembers notes."""

    def __init__(self, steps: int = 0, action: Callable[[], None] = lambda: None) -> None:
        self.left, self.action, self.notes = steps, action, []

    def stepped(self, progress: Progress) -> None:
        self.left -= 1
        if self.left == 0:
            self.action()

    def note(self, text: str) -> None:
        self.notes.append(text)


def figure(generator: Any) -> dict[str, float]:
    return {"figure": -float(generator.sample(2, seed=0).tensor.mean())}


def run(path: Path, reporter: Any = None, **changes: Any) -> Run:
    options = {"intervals": EVERY, "seed": 5, "film": True, "evaluation": EVALUATION, "evaluator": figure, **changes}
    return train(TOY, NETWORKS, toy_data(), path, options=Options(**options), plugin="toy", reporter=reporter)


def go_on(path: Path, **more: Any) -> Run:
    return resume(path, NETWORKS, toy_data(), evaluator=figure, **more)


def files(path: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in path.iterdir()}


def a_file(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    path.write_text("in the way")


def a_full_disk(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/full")


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("name", "obstacle", "message"),
    [
        ("metrics.jsonl", a_full_disk, r"run/metrics\.jsonl cannot be written: No space left on device"),
        ("samples", a_file, r"run/samples/000000048\.png cannot be written"),
        ("checkpoints", a_file, r"The checkpoint .*run/checkpoints/000000048 cannot be written"),
        ("best", a_file, r"run/best is a file, not a folder"),
        ("model", a_file, r"run/model is a file, not a folder"),
        ("film.webp", a_folder, r"The film .*run/film\.webp cannot be written"),
    ],
)
def test_what_cannot_be_written_is_named_and_the_run_goes_on_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, obstacle: Callable[[Path], None], message: str
) -> None:
    path, kept = tmp_path / "run", tmp_path / "kept"
    whole = run(tmp_path / "whole")

    def put() -> None:
        shutil.copytree(path, kept, ignore=shutil.ignore_patterns(".lock"))
        obstacle(path / name)

    with pytest.raises(OutputError, match=message):
        run(path, After(4, put))
    if name != "checkpoints":
        first = next(p for p in list_checkpoints(path / "checkpoints"))
        read_checkpoint(first)  # intact
    if (path / name).is_dir():
        (path / name).rmdir()
    else:
        (path / name).unlink()
    if (kept / name).is_dir():
        shutil.copytree(kept / name, path / name)
    elif (kept / name).exists():
        shutil.copy(kept / name, path / name)
    go_on(path)
    assert whole.model and files(path / "model") == files(whole.model)
    assert (path / "film.webp").read_bytes() == (tmp_path / "whole" / "film.webp").read_bytes()


def test_a_checkpoint_on_a_full_disk_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync, whole = os.fsync, run(tmp_path / "whole")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match="checkpoints/000000048 cannot be written: No space left on device"):
        run(tmp_path / "run", After(4, lambda: monkeypatch.setattr(os, "fsync", full)))
    assert [p.name for p in (tmp_path / "run" / "checkpoints").iterdir()] == ["000000024"]
    monkeypatch.setattr(os, "fsync", sync)
    again = go_on(tmp_path / "run")
    assert whole.model and again.model and files(again.model) == files(whole.model)


FULL_DISK = """
import sys
from pathlib import Path
from ganzoo.errors import OutputError
from tests.training.test_outputs import After, go_on, run

disk = Path(sys.argv[1])
filler = disk / "filler"

def fill():
    try:
        with filler.open("wb", buffering=0) as stream:
            while True:
                stream.write(bytes(512))
    except OSError:
        pass

try:
    run(disk / "run", After(5, fill))
except OutputError as e:
    print(e.message)
print([p.name for p in (disk / "run" / "checkpoints").iterdir()])
filler.unlink()
print(go_on(disk / "run").images)
"""


def test_a_real_disk_that_is_full(tmp_path: Path) -> None:
    """A small file system in memory."""
    mount = 'mount -t tmpfs -o size=400k none "$1"'
    command = ["unshare", "-rm", "sh", "-c"]
    try:
        probe = subprocess.run([*command, mount, "sh", str(tmp_path)], check=False, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if probe.returncode:
        pytest.skip("this machine lets nobody mount a file system")
    train_there = [*command, mount + ' && exec "$0" -c "$2" "$1"', sys.executable, str(tmp_path), FULL_DISK]
    done = subprocess.run(train_there, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    message, checkpoints, images = done.stdout.splitlines() or pytest.fail(done.stderr)
    assert message.startswith(str(tmp_path / "run")) and "No space left on device" in message
    assert (checkpoints, images) == ("['000000024']", "48")


# --- in use -----------------------------------------------------------------------------------------------------------


def test_two_processes_never_train_in_one_run_directory(tmp_path: Path) -> None:
    path = tmp_path / "run"
    refused: list[str] = []

    def meanwhile() -> None:
        for other in (lambda: go_on(path), lambda: RunDirectory(path).locked().__enter__()):
            with pytest.raises(OutputError, match="Another process is training in") as error:
                other()
            refused.append(str(error.value))

    assert run(path, After(2, meanwhile)).model is not None
    assert len(refused) == 2
    assert go_on(path).model is not None  # afterwards it is free


def test_a_run_that_never_began_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    for name in ("samples", "checkpoints/000000000", "checkpoints/.partial-12"):
        (path / name).mkdir(parents=True)
    for name in (".lock", ".config.json.0123456789ab.json", "checkpoints/000000000/state.json"):
        (path / name).write_text("")
    assert run(path).model is not None
    assert not (path / ".config.json.0123456789ab.json").exists()


@pytest.mark.parametrize("name", ["checkpoints/000000024/state.json", "samples/000000024.png", "checkpoints", "notes.txt"])
def test_what_may_be_of_value_is_left_alone(tmp_path: Path, name: str) -> None:
    file = tmp_path / "run" / name
    file.parent.mkdir(parents=True)
    file.write_text("years of work")
    with pytest.raises(OutputError, match="no empty folder"):
        run(tmp_path / "run")
    assert file.read_text() == "years of work"


def test_half_written_files_of_a_killed_run_are_swept(tmp_path: Path) -> None:
    path = run(tmp_path / "run").path
    for name in (".metrics.jsonl.0123456789ab.jsonl", "samples/.000000048.png.0123456789ab.png"):
        (path / name).write_bytes(b"half")
    (path / ".best.0123456789ab").mkdir()
    (path / "samples" / ".hidden.png").write_bytes(b"mine")
    go_on(path)
    assert not list(path.rglob("*0123456789ab*"))
    assert (path / "samples" / ".hidden.png").exists()


# --- checkpoints of other runs ----------------------------------------------------------------------------------------


def of_another_width(path: Path) -> None:
    run(path)
    shutil.rmtree(path / "checkpoints")
    config: Any = {"generator": {"width": 6}, "discriminator": {"width": 6}}
    other = train(TOY, NETWORKS, toy_data(), path.with_name("other"), config=config, plugin="toy")
    shutil.copytree(other.path / "checkpoints", path / "checkpoints")


def of_another_recipe(path: Path) -> None:
    run(path)
    shutil.rmtree(path / "checkpoints")
    recipe = msgspec.structs.replace(RECIPE, regularizers={})
    other = train(TOY, NETWORKS, toy_data(), path.with_name("other"), recipe=recipe, plugin="toy")
    shutil.copytree(other.path / "checkpoints", path / "checkpoints")


def of_another_version(path: Path) -> None:
    run(path)
    for file in (path / "checkpoints").rglob("state.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            of_another_width,
            r"checkpoints/000000048 does not fit this run\. These weights do not fit ToyGenerator(.|\n)*another arch",
        ),
        (of_another_recipe, r"checkpoints/000000048 does not fit this run: it has no '(r1|lecam)'"),
        (of_another_version, r"checkpoints/000000048 has the format 99(.|\n)*version of ganzoo that wrote it"),
    ],
)
def test_a_checkpoint_of_another_run_or_version_is_refused(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    make(tmp_path / "run")
    before = sorted((tmp_path / "run" / "checkpoints").rglob("*"))
    with pytest.raises(CheckpointError, match=message) as refused:
        go_on(tmp_path / "run")
    assert not isinstance(refused.value, CorruptFileError)
    assert sorted((tmp_path / "run" / "checkpoints").rglob("*")) == before


def test_other_versions_than_before_are_told(tmp_path: Path) -> None:
    path = run(tmp_path / "run").path
    config = json.loads((path / "config.json").read_text())
    config["versions"]["torch"] = "1.0.0"
    (path / "config.json").write_text(json.dumps(config))
    reporter = After()
    go_on(path, reporter=reporter)
    assert reporter.notes[0].startswith("The run was started with torch 1.0.0, now ")


def test_metrics_are_valid_json_whatever_the_figures_are(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.append_metrics({"images": 8, "evaluation": {"figure": float("inf"), "other": 1.5}})
    assert json.loads(directory.metrics.read_text(), parse_constant=pytest.fail)["evaluation"] == {"figure": None, "other": 1.5}


@pytest.mark.parametrize(("count", "told"), [(1, 1), (3, 1), (4, 0)])
def test_fewer_examples_than_a_batch_are_told_and_train(tmp_path: Path, count: int, told: int) -> None:
    reporter = After()
    done = train(TOY, NETWORKS, toy_data(count), tmp_path / "run", plugin="toy", reporter=reporter)
    assert done.model is not None
    assert [f"has {count} examples" in note for note in reporter.notes] == [True] * told
