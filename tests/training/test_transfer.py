from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.training import Options, Progress, Run, RunDirectory, Silent, describe, resume, train
from tests.training.toy import EVERY, NETWORKS, RECIPE, TOY, ToyDiscriminator, ToyGenerator, toy_data

FROZEN = msgspec.structs.replace(RECIPE, freeze_layers=1)


class Dying(Silent):
    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self, progress: Progress) -> None:
        self.left -= 1
        if self.left == 0:
            raise SystemExit


def pretrained(seed: int = 1) -> dict[Any, dict[str, Tensor]]:
    torch.manual_seed(seed)
    return {"generator": ToyGenerator().state_dict(), "discriminator": ToyDiscriminator().state_dict()}


def run(path: Path, start: Mapping[Any, Mapping[str, Tensor]], reporter: Any = None, recipe: Any = FROZEN) -> Run:
    options = Options(intervals=EVERY, seed=5, start=start, started_from="elsewhere")
    return train(TOY, NETWORKS, toy_data(), path, recipe=recipe, options=options, plugin="toy", reporter=reporter)


def model(path: Path) -> bytes:
    return (path / "model" / "generator.safetensors").read_bytes()


def test_a_run_begins_with_the_given_weights_and_leaves_them_alone(tmp_path: Path) -> None:
    start = pretrained()
    before = {role: {k: v.clone() for k, v in state.items()} for role, state in start.items()}
    with pytest.raises(SystemExit):
        run(tmp_path / "run", start, Dying(1))
    checkpoint, _ = RunDirectory(tmp_path / "run").latest_checkpoint()
    assert checkpoint is not None and checkpoint.state["images"] == 0
    assert all(torch.equal(v, checkpoint.networks[role][k]) for role in start for k, v in start[role].items())
    assert all(torch.equal(v, before[role][k]) for role in start for k, v in start[role].items())
    assert RunDirectory(tmp_path / "run").config().started_from == "elsewhere"


@pytest.mark.parametrize("steps", [1, 4])
def test_a_resumed_run_began_with_the_same_weights(tmp_path: Path, steps: int) -> None:
    """Nobody gives them again: they are in the first checkpoint."""
    whole = run(tmp_path / "whole", pretrained())
    with pytest.raises(SystemExit):
        run(tmp_path / "run", pretrained(), Dying(steps))
    resume(tmp_path / "run", NETWORKS, toy_data())
    assert model(tmp_path / "run") == model(whole.path) != model(run(tmp_path / "other", pretrained(2)).path)


def test_frozen_layers_stay_and_others_learn(tmp_path: Path) -> None:
    start = pretrained()
    run(tmp_path / "run", start)
    checkpoint, _ = RunDirectory(tmp_path / "run").latest_checkpoint()
    assert checkpoint is not None
    after, before = checkpoint.networks["discriminator"], start["discriminator"]
    assert torch.equal(after["body.1.weight"], before["body.1.weight"])
    assert not torch.equal(after["body.4.weight"], before["body.4.weight"])


@pytest.mark.parametrize("layers", [2, 9])
def test_one_layer_at_least_must_learn(tmp_path: Path, layers: int) -> None:
    recipe = msgspec.structs.replace(FROZEN, freeze_layers=layers)
    for attempt in (lambda: run(tmp_path / "run", {}, recipe=recipe), lambda: told(tmp_path / "run", recipe)):
        with pytest.raises(ConfigError, match=f"freeze_layers is {layers}, but this discriminator has 2 layers"):
            attempt()
    assert not (tmp_path / "run").exists()


def told(path: Path, recipe: Any, **options: Any) -> dict[str, Any]:
    return describe(TOY, NETWORKS, toy_data(), path, recipe=recipe, options=Options(**options))


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    wide = {"generator": ToyGenerator(width=16).state_dict()}
    message = (
        r"The generator's weights to start from do not fit: (.|\n)*wrong shape: first\.weight \[16, 4\] instead of \[8, 4\]"
    )
    for attempt in (lambda: run(tmp_path / "run", wide), lambda: told(tmp_path / "run", FROZEN, start=wide)):
        with pytest.raises(ConfigError, match=message):
            attempt()
    assert not (tmp_path / "run").exists()


def test_a_plan_tells_where_a_run_begins(tmp_path: Path) -> None:
    plan = told(tmp_path / "run", FROZEN, start=pretrained(), started_from="elsewhere", film=True)
    assert (plan["started_from"], plan["pretrained"], plan["film"]) == ("elsewhere", ["generator", "discriminator"], True)
    assert list(tmp_path.iterdir()) == []
