"""Runs that are killed go on as if nothing had happened; and nothing of what is restored could be left out."""

import copy
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from ganzoo.spec import Optimizer, Recipe
from ganzoo.training import Engine, Options, Progress, Run, RunDirectory, Silent, resume, train
from tests.training.toy import EVERY, FULL, NETWORKS, TOY, ToyDiscriminator, ToyGenerator, toy_data

ROOT = Path(__file__).parents[2]


def survive(tmp_path: Path, kind: str, count: int) -> tuple[int, list[list[str]]]:
    """How often a run touches files, and for each instant what differs from a run that was never killed."""
    command = [sys.executable, "-m", "tests.training.survival", str(tmp_path), kind, str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    return report["calls"], report["differences"]


def test_a_run_killed_at_ten_random_instants_comes_to_the_same_bits(tmp_path: Path) -> None:
    """Each is killed twice: the run, and the one that goes on with it."""
    assert survive(tmp_path, "times", 10)[1] == [[]] * 10


def test_a_run_killed_at_twelve_random_calls_to_the_file_system_comes_to_the_same_bits(tmp_path: Path) -> None:
    """Half of all calls are those of writing checkpoints: between their files, before the renaming, while old ones go."""
    calls, differences = survive(tmp_path, "calls", 12)
    assert calls > 100
    assert differences == [[]] * 12


@pytest.mark.slow
def test_a_run_killed_at_any_call_to_the_file_system_comes_to_the_same_bits(tmp_path: Path) -> None:
    calls, differences = survive(tmp_path, "every-call", 0)
    assert differences == [[]] * calls


# --- nothing that is restored could be left out -----------------------------------------------------------------------


class Killed(Silent):
    """Ends a run after three steps: in the middle of lazy intervals, of an epoch, and of all schedules."""

    def __init__(self) -> None:
        self.steps = 0

    def stepped(self, progress: Progress) -> None:
        self.steps += 1
        if self.steps == 4:
            raise SystemExit


def run(path: Path, recipe: Recipe = FULL, **more: Any) -> Run:
    options = Options(intervals={**EVERY, "checkpoint": 24}, seed=5)
    return train(TOY, NETWORKS, toy_data(), path, recipe=recipe, options=options, plugin="toy", **more)


def killed(path: Path, recipe: Recipe = FULL) -> None:
    with pytest.raises(SystemExit):
        run(path, recipe, reporter=Killed())


def weights(path: Path) -> bytes:
    return (path / "model" / "generator.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return weights(run(tmp_path_factory.mktemp("whole") / "run").path)


def test_the_control_of_the_next_tests(tmp_path: Path, whole: bytes) -> None:
    killed(tmp_path / "run")
    resume(tmp_path / "run", NETWORKS, toy_data())
    assert weights(tmp_path / "run") == whole


@pytest.mark.parametrize(
    "forgotten",
    [
        "images",
        "sampler",
        "rng.run",
        "rng.torch",
        "view",
        "players.generator.updates",
        "players.generator.optimizer",
        "players.generator.regularizers.path-length",
        "players.discriminator.updates",
        "players.discriminator.optimizer",
        "players.discriminator.regularizers.lecam",
    ],
)
def test_every_part_of_the_state_decides_the_future(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    """A resumed run that begins this part anew comes to something else."""
    restore = Engine.restore

    def forgetful(self: Engine, state: Mapping[str, Any]) -> None:
        changed, fresh = copy.deepcopy(dict(state)), self.state()
        *outer, last = forgotten.split(".")
        place = changed
        for name in outer:
            place, fresh = place[name], fresh[name]
        place[last] = fresh[last]
        restore(self, changed)

    killed(tmp_path / "run")
    monkeypatch.setattr(Engine, "restore", forgetful)
    resume(tmp_path / "run", NETWORKS, toy_data())
    assert weights(tmp_path / "run") != whole


@pytest.mark.parametrize("forgotten", ["generator", "discriminator", "average"])
def test_every_network_decides_the_future(tmp_path: Path, forgotten: str) -> None:
    killed(tmp_path / "run")
    right = average_after(tmp_path / "run", set())
    assert right == average_after(tmp_path / "run", set())
    assert right != average_after(tmp_path / "run", {forgotten})


def average_after(path: Path, forgotten: set[str]) -> list[float]:
    """What a step from the checkpoint on makes of the average, with some networks as they are at the beginning."""
    checkpoint, _ = RunDirectory(path).latest_checkpoint()
    assert checkpoint is not None
    torch.manual_seed(0)
    engine = Engine(ToyGenerator(), ToyDiscriminator(), toy_data().prepare((1, 8, 8)), FULL, seed=5)
    for name, network in engine.networks().items():
        if name not in forgotten:
            network.load_state_dict(checkpoint.networks[name])
    engine.restore(checkpoint.state)
    engine.step()
    return [float(p.double().sum()) for p in engine.average.generator.parameters()]


@pytest.mark.parametrize("name", ["adamw", "rmsprop", "sgd"])
def test_every_optimiser_goes_on(tmp_path: Path, name: Any) -> None:
    recipe = msgspec.structs.replace(FULL, generator=Optimizer(name=name, lr=1e-3), discriminator=Optimizer(name=name, lr=1e-3))
    killed(tmp_path / "run", recipe)
    resume(tmp_path / "run", NETWORKS, toy_data())
    assert weights(tmp_path / "run") == weights(run(tmp_path / "whole", recipe).path)


def test_the_scale_of_losses_in_half_precision_goes_on() -> None:
    recipe = msgspec.structs.replace(FULL, precision="float16")

    def engine() -> Engine:
        return Engine(ToyGenerator(), ToyDiscriminator(), toy_data().prepare((1, 8, 8)), recipe, seed=5)

    first, second = engine(), engine()
    first.scaler.load_state_dict({**first.scaler.state_dict(), "scale": 256.0, "_growth_tracker": 7})
    second.restore(json_and_tensors(first.state()))
    assert second.scaler.get_scale() == 256.0
    assert second.scaler.state_dict() == first.scaler.state_dict() != engine().scaler.state_dict()


def json_and_tensors(state: Mapping[str, Any]) -> dict[str, Any]:
    """``state`` on the way through a checkpoint: whatever is no tensor through JSON."""
    return {
        k: json_and_tensors(v) if isinstance(v, Mapping) else v if isinstance(v, torch.Tensor) else json.loads(json.dumps(v))
        for k, v in state.items()
    }
