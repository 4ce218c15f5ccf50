import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganzoo.errors import OutputError
from ganzoo.training import EvaluationConfig, Options, Progress, Silent, resume, train
from tests.training.toy import EVERY, NETWORKS, TOY, toy_data

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
EVALUATION = EvaluationConfig(features="toy", data="toy", metrics=("toy",), samples=4, best="figure")
OPTIONS = Options(
    intervals={**EVERY, "evaluate": 16},
    seed=5,
    tensorboard=True,
    evaluation=EVALUATION,
    evaluator=lambda generator: {"figure": 2.5},
)


def events(path: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(path / "tensorboard"))
    read.Reload()
    return read


def steps(path: Path, tag: str) -> list[int]:
    return [event.step for event in events(path).Scalars(tag)]


class Dying(Silent):
    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self, progress: Progress) -> None:
        self.left -= 1
        if self.left == 0:
            raise SystemExit


def test_losses_figures_and_grids_can_be_read_back(tmp_path: Path) -> None:
    path = train(TOY, NETWORKS, toy_data(), tmp_path / "run", options=OPTIONS, plugin="toy").path
    read = events(path)
    scalars = {"d_loss", "g_loss", "d_real", "d_fake", "r1", "augment_p", "images_per_second"}
    assert {f"training/{name}" for name in scalars} <= set(read.Tags()["scalars"])
    assert steps(path, "training/d_loss") == list(range(8, 49, 8))
    assert [(e.step, e.value) for e in read.Scalars("evaluation/figure")] == [(0, 2.5), (16, 2.5), (32, 2.5), (48, 2.5)]
    shown = read.Images("samples")
    assert [event.step for event in shown] == [24, 48]
    with (
        Image.open(io.BytesIO(shown[0].encoded_image_string)) as seen,
        Image.open(path / "samples" / "000000024.png") as grid,
    ):
        assert seen.convert("RGB").tobytes() == grid.convert("RGB").tobytes()


def test_a_resumed_run_hides_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        train(TOY, NETWORKS, toy_data(), tmp_path / "run", options=OPTIONS, plugin="toy", reporter=Dying(6))
    assert steps(tmp_path / "run", "training/d_loss")[-1] == 40  # nothing is lost by a kill; the checkpoint is of 24 images
    resume(tmp_path / "run", NETWORKS, toy_data(), evaluator=OPTIONS.evaluator)
    assert steps(tmp_path / "run", "training/d_loss") == list(range(8, 49, 8))


def test_a_run_that_begins_anew_hides_everything_before(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        train(TOY, NETWORKS, toy_data(), tmp_path / "run", options=OPTIONS, plugin="toy", reporter=Dying(3))
    resume(tmp_path / "run", NETWORKS, toy_data(), evaluator=OPTIONS.evaluator)
    assert steps(tmp_path / "run", "training/d_loss") == list(range(8, 49, 8))
    assert steps(tmp_path / "run", "evaluation/figure") == [0, 16, 32, 48]


def test_events_that_cannot_be_written_are_an_error_for_people(tmp_path: Path) -> None:
    train(TOY, NETWORKS, toy_data(), tmp_path / "run", options=Options(intervals=EVERY, tensorboard=True), plugin="toy")
    for file in (tmp_path / "run" / "tensorboard").iterdir():
        file.unlink()
    (tmp_path / "run" / "tensorboard").rmdir()
    (tmp_path / "run" / "tensorboard").write_text("in the way")
    with pytest.raises(OutputError, match=r"TensorBoard events cannot be written to .*run/tensorboard"):
        resume(tmp_path / "run", NETWORKS, toy_data())
