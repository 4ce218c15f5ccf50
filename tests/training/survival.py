"""Trains the toy in processes that are killed, and goes on; imports torch once and forks, so that a kill costs no seconds.

``python -m tests.training.survival FOLDER KIND COUNT`` prints, as JSON, what differs from a run that was never killed: a list
for each instant, empty where nothing does.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from ganzoo.training import EvaluationConfig, Options, Progress, RunDirectory, Silent, resume, train
from ganzoo.training.run_directory import CONFIG
from tests.training.toy import EVERY, FULL, NETWORKS, TOY, toy_data

CHANGES = ("open", "os.", "shutil.")  # audit events of whatever touches files
EVALUATION = EvaluationConfig(features="toy", data="toy", metrics=("toy",), samples=4, best="brightness", higher=True)
STEPS = FULL.images // (FULL.batch_size * FULL.discriminator_steps)


def brightness(generator: Any) -> Mapping[str, float]:
    return {"brightness": float(generator.sample(4, seed=1).tensor.mean())}


class Heartbeat(Silent):
    """A byte a step, for the parent."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def stepped(self, progress: Progress) -> None:
        os.write(self.pipe, b".")


def go_on(path: Path, pipe: int) -> None:
    """What a person does: resumes the run, or starts it again where it had not begun."""
    if (path / CONFIG).exists():
        resume(path, NETWORKS, toy_data(), evaluator=brightness, reporter=Heartbeat(pipe))
        return
    options = Options(intervals={**EVERY, "evaluate": 16}, seed=5, evaluation=EVALUATION, evaluator=brightness)
    train(TOY, NETWORKS, toy_data(), path, recipe=FULL, options=options, plugin="toy", reporter=Heartbeat(pipe))


def fork(work: Callable[[int], None]) -> tuple[int, int]:
    """A child that does ``work`` on the end of a pipe: its id and the other end."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    code = 1
    try:
        work(write)
        code = 0
    except BaseException:  # noqa: BLE001  # the parent sees the code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def finish(path: Path) -> None:
    child, pipe = fork(lambda pipe: go_on(path, pipe))
    _, status = os.waitpid(child, 0)
    os.close(pipe)
    if status:
        raise SystemExit(f"{path} did not go on to its end: {status}")


def kill_after(path: Path, beats: int, seconds: float) -> None:
    """Kills a run a while after a number of steps."""
    child, pipe = fork(lambda pipe: go_on(path, pipe))
    seen = 0
    while seen < beats:
        read = os.read(pipe, 1)
        if not read:
            break
        seen += 1
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(pipe)


def on_file_calls(path: Path, action: Callable[[int], None]) -> None:
    """Calls ``action`` with a growing number right before each call of this process that touches a file below ``path``."""
    count, below = 0, os.fspath(path)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        path_like = arguments and isinstance(arguments[0], str | os.PathLike)
        if event.startswith(CHANGES) and path_like and os.fspath(arguments[0]).startswith(below):
            count += 1
            action(count)

    sys.addaudithook(hook)


def kill_at_call(path: Path, number: int) -> None:
    """Kills a run right before it touches a file for the ``number``-th time."""

    def die(count: int) -> None:
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def work(pipe: int) -> None:
        on_file_calls(path, die)
        go_on(path, pipe)

    child, pipe = fork(work)
    os.waitpid(child, 0)
    os.close(pipe)


def count_calls(path: Path) -> int:
    """How often a whole run touches files."""
    counter = path.with_suffix(".calls")

    def work(pipe: int) -> None:
        last = [0]
        on_file_calls(path, lambda count: last.__setitem__(0, count))
        go_on(path, pipe)
        counter.write_text(str(last[0]))

    child, pipe = fork(work)
    os.waitpid(child, 0)
    os.close(pipe)
    return int(counter.read_text())


def differences(whole: Path, again: Path) -> list[str]:
    """Files that only one of two runs has or that differ; metrics without their speed."""
    names = {p.relative_to(folder) for folder in (whole, again) for p in folder.rglob("*") if p.is_file()}
    return sorted(str(name) for name in names if content(whole / name) != content(again / name))


def content(file: Path) -> object:
    if not file.exists():
        return None
    if file.name != "metrics.jsonl":
        return file.read_bytes()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "images_per_second"} for line in lines]


def main(folder: Path, kind: str, count: int) -> None:
    torch.set_num_threads(1)
    rng = random.Random(20)
    whole = folder / "whole"
    go_on(folder / "warm", os.open(os.devnull, os.O_WRONLY))  # what is imported and set up now, no child needs to
    begin = time.monotonic()
    calls = count_calls(whole)
    step = (time.monotonic() - begin) / (STEPS + 2)
    assert RunDirectory(whole).config().recipe == FULL
    every = kind == "every-call"
    numbers = list(range(1, calls + 1)) if every else sorted(rng.sample(range(1, calls + 1), min(count, calls)))
    report = []
    for i in numbers if kind != "times" else range(count):
        run = folder / f"run-{i}"
        if kind == "times":
            for _ in range(2):  # the resumed run is killed as well
                kill_after(run, rng.randint(0, STEPS - 1), rng.random() * 2 * step)
        else:
            kill_at_call(run, i)
        finish(run)
        report.append(differences(whole, run))
    print(json.dumps({"calls": calls, "differences": report}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
