"""What is measured while a run goes on, and the best model."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from ganzoo.checkpoint import read_model
from ganzoo.errors import ConfigError
from ganzoo.models import Generator
from ganzoo.training import EvaluationConfig, Options, Progress, Run, RunDirectory, Silent, resume, train
from tests.training.toy import EVERY, NETWORKS, TOY, toy_data

EVALUATION = EvaluationConfig(features="toy", data="toy", metrics=("toy",), samples=4, best="distance")


class Scripted:
    """Gives figures from a list, and remembers the weights that it was shown."""

    def __init__(self, *figures: float, name: str = "distance") -> None:
        self.figures, self.name, self.seen = list(figures), name, []

    def __call__(self, generator: Generator[Any]) -> Mapping[str, float]:
        torch.rand(3)  # whatever it draws must not change the run
        self.seen.append({k: v.clone() for k, v in generator.state_dict().items()})
        return {self.name: self.figures[len(self.seen) - 1], "other": 1.0}


def run(path: Path, evaluator: Any, evaluation: EvaluationConfig | None = EVALUATION, reporter: Any = None) -> Run:
    options = Options(intervals={**EVERY, "evaluate": 16}, seed=5, evaluation=evaluation, evaluator=evaluator)
    return train(TOY, NETWORKS, toy_data(), path, options=options, plugin="toy", reporter=reporter)


class Dying(Silent):
    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self, progress: Progress) -> None:
        self.left -= 1
        if self.left == 0:
            raise SystemExit


def same(state: Mapping[str, Any], folder: Path) -> bool:
    return all(torch.equal(value, state[name]) for name, value in read_model(folder).state("generator").items())


@pytest.mark.parametrize(
    ("figures", "higher", "best"),
    [
        ((9.0, 5.0, 2.0, 3.0), False, 2),
        ((9.0, 5.0, 2.0, 3.0), True, 0),
        ((1.0, 5.0, 5.0, 4.0), True, 1),  # the first of equals
    ],
)
def test_the_best_model_is_kept_with_its_figures(tmp_path: Path, figures: Any, higher: bool, best: int) -> None:
    """Measured before the run, after 16, 32 and 48 images."""
    evaluator = Scripted(*figures)
    path = run(tmp_path / "run", evaluator, msgspec.structs.replace(EVALUATION, higher=higher)).path
    assert [same(state, path / "best") for state in evaluator.seen] == [i == best for i in range(4)]
    record = json.loads((path / "best" / "figures.json").read_text())
    assert record == {"images": 16 * best, "figures": {"distance": figures[best], "other": 1.0}}
    measured = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert [line["evaluation"]["distance"] for line in measured if "evaluation" in line] == list(figures)


def test_measuring_changes_nothing(tmp_path: Path) -> None:
    models = [run(tmp_path / name, e, c).model for name, e, c in (("a", Scripted(*"1234"), None), ("b", lambda g: {}, None))]
    models.append(run(tmp_path / "c", Scripted(4.0, 3.0, 2.0, 1.0)).model)
    assert len({(m / "generator.safetensors").read_bytes() for m in models if m}) == 1


def test_a_resumed_run_keeps_the_best_so_far(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path / "run", Scripted(9.0, 1.0), reporter=Dying(4))  # the checkpoint is of 24 images, the best of 16
    again = Scripted(3.0, 2.0)
    resume(tmp_path / "run", NETWORKS, toy_data(), evaluator=again)
    assert len(again.seen) == 2  # nothing is measured before the first step of a resumed run
    assert RunDirectory(tmp_path / "run").best_figure("distance") == 1.0


def test_a_damaged_record_is_no_obstacle(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path / "run", Scripted(9.0, 1.0), reporter=Dying(4))
    (tmp_path / "run" / "best" / "figures.json").write_text("{")
    resume(tmp_path / "run", NETWORKS, toy_data(), evaluator=Scripted(3.0, 4.0))
    assert RunDirectory(tmp_path / "run").best_figure("distance") == 3.0


def test_a_figure_that_nobody_measures_shows_before_the_first_step(tmp_path: Path) -> None:
    stepped: Callable[[], None] = pytest.fail
    reporter = Dying(1)
    reporter.stepped = stepped  # type: ignore[method-assign, assignment]
    with pytest.raises(ConfigError, match=r"gives no figure 'distance'.*\nIt gives: fidelity, other\. Choose one with --best"):
        run(tmp_path / "run", Scripted(1.0, name="fidelity"), reporter=reporter)


def test_a_run_killed_while_it_measured_at_first_has_no_line_twice(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path / "run", Scripted(9.0), reporter=Dying(1))
    resume(tmp_path / "run", NETWORKS, toy_data(), evaluator=Scripted(9.0, 8.0, 7.0, 6.0))
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [0, 8, 16, 24, 32, 40, 48]
