import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.checkpoint import read_model
from ganzoo.data import ImageFolder, TensorDataset
from ganzoo.errors import ConfigError, CorruptFileError, DataError, InvalidValueError, OutputError, TrainingError
from ganzoo.models import ImageSamples
from ganzoo.nn import class_indices
from ganzoo.spec import Optimizer
from ganzoo.training import Options, Progress, Run, RunDirectory, Silent, describe, resume, train
from ganzoo.training.checkpoints import list_checkpoints
from tests.training.toy import EVERY, NETWORKS, RECIPE, TOY, ToyDiscriminator, ToyGenerator, toy_data


def run_toy(out: Path, **changes: Any) -> Run:
    """A run of the toy; ``changes`` are `Options`, or arguments of `train`."""
    direct = {name: changes.pop(name) for name in ("recipe", "config", "reporter") if name in changes}
    data = changes.pop("data", None) or toy_data()
    options = Options(**{"intervals": EVERY, "seed": 5, **changes})
    return train(TOY, NETWORKS, data, out, options=options, plugin="toy", **direct)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


class Stopping(Silent):
    """Does something after a number of steps, and remembers the notes."""

    def __init__(self, after: int, action: Any) -> None:
        self.left, self.action, self.notes = after, action, []

    def stepped(self, progress: Progress) -> None:
        self.left -= 1
        if self.left == 0:
            self.action()

    def note(self, text: str) -> None:
        self.notes.append(text)


def killed() -> None:
    raise SystemExit("killed")


def pressed() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_run_directory_holds_everything(tmp_path: Path) -> None:
    run = run_toy(tmp_path / "parent" / "run", source="somewhere")
    assert {p.name for p in run.path.iterdir()} == {".lock", "checkpoints", "config.json", "metrics.jsonl", "model", "samples"}
    config = RunDirectory(run.path).config()
    assert (config.architecture, config.plugin, config.seed, config.recipe) == ("toy", "toy", 5, RECIPE)
    assert config.config["generator"] == {"image_size": 8, "channels": 1, "width": 8}
    assert (config.data.source, config.data.pictures, config.data.sha256) == ("somewhere", 10, toy_data().sha256)
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [8, 16, 24, 32, 40, 48]
    assert [p.name for p in sorted((run.path / "samples").iterdir())] == ["000000024.png", "000000048.png"]
    assert [p.name for p in list_checkpoints(run.path / "checkpoints")] == ["000000024", "000000048"]


def test_the_model_is_the_average_in_the_layout_of_the_zoo(tmp_path: Path) -> None:
    run = run_toy(tmp_path / "run")
    assert run.model is not None and run.images == 48
    stored = read_model(run.model)
    generator = ToyGenerator(**stored.config.generator)
    generator.load_state_dict(stored.state("generator"))
    ToyDiscriminator(**(stored.config.discriminator or {})).load_state_dict(stored.state("discriminator"))
    checkpoint, _ = RunDirectory(run.path).latest_checkpoint()
    assert checkpoint is not None
    average, raw = checkpoint.networks["average"], checkpoint.networks["generator"]
    assert torch.equal(generator.state_dict()["last.weight"], average["last.weight"])
    assert not torch.equal(raw["last.weight"], average["last.weight"])
    samples: ImageSamples = generator.sample(3, seed=1)
    assert samples.tensor.shape == (3, 1, 8, 8)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path: Path) -> None:
    first, second, other = (run_toy(tmp_path / n, seed=s).model for n, s in (("a", 5), ("b", 5), ("c", 6)))
    assert first and second and other
    assert contents(first) == contents(second)
    assert contents(first)["generator.safetensors"] != contents(other)["generator.safetensors"]


@pytest.mark.parametrize("after", [3, 4, 5])
def test_a_killed_and_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, after: int) -> None:
    """Killed right after the third step (a checkpoint is due), and later, when steps must be repeated."""
    whole = run_toy(tmp_path / "whole")
    with pytest.raises(SystemExit):
        run_toy(tmp_path / "run", reporter=Stopping(after, killed))
    torch.manual_seed(123)  # a new process would have another global state
    again = resume(tmp_path / "run", NETWORKS, toy_data())
    assert whole.model and again.model
    assert contents(whole.model) == contents(again.model)
    assert contents(whole.path / "checkpoints" / "000000048") == contents(again.path / "checkpoints" / "000000048")
    assert contents(whole.path / "samples") == contents(again.path / "samples")
    metrics = [
        [{k: v for k, v in json.loads(line).items() if k != "images_per_second"} for line in text.splitlines()]
        for text in ((r.path / "metrics.jsonl").read_text() for r in (whole, again))
    ]
    assert metrics[0] == metrics[1]


def test_a_resumed_run_has_as_many_threads_as_before(tmp_path: Path) -> None:
    """Sums over a batch are split among the threads: another number would give other roundings."""
    before, seen = torch.get_num_threads(), []
    try:
        torch.set_num_threads(2)
        with pytest.raises(SystemExit):
            run_toy(tmp_path / "run", reporter=Stopping(3, killed))
        torch.set_num_threads(1)
        resume(tmp_path / "run", NETWORKS, toy_data(), reporter=Stopping(1, lambda: seen.append(torch.get_num_threads())))
        assert (seen, torch.get_num_threads()) == ([2], 1)
    finally:
        torch.set_num_threads(before)


def test_ctrl_c_writes_a_checkpoint_and_says_how_to_go_on(tmp_path: Path) -> None:
    reporter = Stopping(4, pressed)
    stopped = run_toy(tmp_path / "run", reporter=reporter)
    assert (stopped.model, stopped.images) == (None, 32)
    assert list_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000032"
    assert f"ganzoo resume {tmp_path / 'run'}" in reporter.notes[-1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finished, whole = resume(tmp_path / "run", NETWORKS, toy_data()), run_toy(tmp_path / "whole")
    assert finished.model and whole.model
    assert contents(finished.model) == contents(whole.model)


def test_a_scheduler_that_ends_the_job_gets_a_checkpoint_too(tmp_path: Path) -> None:
    """torchrun passes Ctrl-C on as SIGTERM as well: both together are one request."""

    def asked() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    reporter = Stopping(4, asked)
    assert run_toy(tmp_path / "run", reporter=reporter).model is None
    assert [note.partition(" ")[0] for note in reporter.notes] == ["Stopping", "Stopped"]
    assert list_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000032"
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_ignored_ctrl_c_stays_ignored(tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert run_toy(tmp_path / "run", reporter=Stopping(4, pressed)).model is not None


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    def twice() -> None:
        pressed()
        pressed()

    with pytest.raises(KeyboardInterrupt):
        run_toy(tmp_path / "run", reporter=Stopping(1, twice))
    assert list_checkpoints(tmp_path / "run" / "checkpoints") == []


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    run = run_toy(tmp_path / "run")
    assert run.model
    before = contents(run.model)
    assert resume(run.path, NETWORKS, toy_data()).images == 48
    assert contents(run.model) == before


def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(tmp_path: Path) -> None:
    whole = run_toy(tmp_path / "whole")
    shutil.copytree(whole.path, tmp_path / "run")
    (tmp_path / "run" / "checkpoints" / "000000048" / "average.safetensors").write_bytes(b"")
    reporter = Stopping(0, killed)
    again = resume(tmp_path / "run", NETWORKS, toy_data(), reporter=reporter)
    assert "000000048 is damaged" in reporter.notes[0] and "the one before" in reporter.notes[0]
    assert whole.model and again.model
    assert contents(whole.model) == contents(again.model)
    for path in list_checkpoints(tmp_path / "run" / "checkpoints"):
        (path / "state.json").unlink()
    with pytest.raises(CorruptFileError, match="No checkpoint of this run"):
        resume(tmp_path / "run", NETWORKS, toy_data())


def test_without_any_checkpoint_a_run_begins_anew(tmp_path: Path) -> None:
    whole = run_toy(tmp_path / "whole")
    with pytest.raises(SystemExit):
        run_toy(tmp_path / "run", reporter=Stopping(2, killed))
    again = resume(tmp_path / "run", NETWORKS, toy_data())
    assert whole.model and again.model and contents(whole.model) == contents(again.model)


def test_the_global_random_state_is_as_before(tmp_path: Path) -> None:
    torch.manual_seed(4711)  # not where another run may have left it
    before = torch.get_rng_state()
    run_toy(tmp_path / "run")
    assert torch.equal(before, torch.get_rng_state())


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    wild = Optimizer(lr=1e30)
    with pytest.raises(TrainingError, match=r"loss became (nan|inf)\. It was after \d+ images\.\n.*lower learning rate"):
        run_toy(tmp_path / "run", recipe=TOY.recipe and _with(discriminator=wild, generator=wild))
    assert RunDirectory(tmp_path / "run").latest_checkpoint()[1] == []


def _with(**changes: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(RECIPE, **changes)


def test_other_data_than_before_is_refused(tmp_path: Path) -> None:
    run_toy(tmp_path / "run")
    with pytest.raises(DataError, match="not the content"):
        resume(tmp_path / "run", NETWORKS, toy_data(seed=1))


def test_a_run_directory_is_never_overwritten(tmp_path: Path) -> None:
    run_toy(tmp_path / "run")
    with pytest.raises(OutputError, match="ganzoo resume"):
        run_toy(tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="no empty folder"):
        run_toy(tmp_path / "mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written|no empty folder"):
        run_toy(tmp_path / "file" / "run")


def test_resuming_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no run"):
        resume(tmp_path, NETWORKS, toy_data())
    for content, message in (
        ("", r"config\.json cannot be used"),
        ('{"library_name": "ganzoo"}', r"config\.json cannot be used"),
        ('{"format": 3}', r"config\.json cannot be used"),
        ('{"format": 2}', r"config\.json has the format 2; this version of ganzoo reads 3"),
    ):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(ConfigError, match=message):
            resume(tmp_path, NETWORKS, toy_data())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": {"generator": {"image_size": 16}}}, "does not take what the generator makes"),
        ({"config": {"generator": {"colour": 1}}}, "colour"),
        ({"seed": -1}, "seed"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises((ConfigError, InvalidValueError), match=message):
        run_toy(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_pictures_are_scaled_to_the_networks_and_skipped_files_are_told(tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, size in enumerate([(5, 9), (30, 20), (8, 8)]):
        Image.new("RGB", size, (i * 90, 0, 255)).save(folder / f"{i}.png")
    (folder / "broken.png").write_bytes(b"")
    reporter = Stopping(0, killed)
    config: Any = {"generator": {"channels": 3}, "discriminator": {"channels": 3}}
    run = train(TOY, NETWORKS, ImageFolder(folder), tmp_path / "run", config=config, plugin="toy", reporter=reporter)
    assert run.model and "broken.png" in reporter.notes[0]
    record = RunDirectory(run.path).config().data
    assert record.pictures == 3 and record.skipped == (str(folder / "broken.png"),)


def test_describing_writes_nothing(tmp_path: Path) -> None:
    told = describe(TOY, NETWORKS, toy_data(), tmp_path / "run", recipe=_with(images=50))
    assert (told["steps"], told["epochs"], told["examples"]) == (7, 5.0, 10)
    assert told["generator_parameters"] == ToyGenerator().parameter_count()
    assert list(tmp_path.iterdir()) == []


class Classy(ToyGenerator):
    """Each class has a brightness."""

    def __init__(self, image_size: int = 8, channels: int = 1, width: int = 8) -> None:
        super().__init__(image_size, channels, width)
        self.num_classes = 3

    def forward(self, z: Tensor, c: Tensor | int = 0) -> Tensor:
        return 0 * super().forward(z) + class_indices(c, 3, z)[:, None, None, None] / 3


def test_a_grid_of_a_conditional_generator_shows_all_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grids: list[ImageSamples] = []
    monkeypatch.setattr(RunDirectory, "write_samples", lambda self, samples, images: grids.append(samples) or tmp_path)
    data = TensorDataset(torch.zeros(6, 1, 8, 8, dtype=torch.uint8), "six", labels=torch.arange(6) % 3)
    networks: Any = {"generator": Classy, "discriminator": ToyDiscriminator}
    train(TOY, networks, data, tmp_path / "run", options=Options(intervals=EVERY), plugin="toy")
    assert len(grids) == 2
    assert torch.allclose(grids[0].tensor[:, 0, 0, 0], torch.arange(64) % 3 / 3)


@pytest.mark.parametrize(
    ("names", "expected"), [(("ant", "bee", "cat"), ("ant", "bee", "cat")), (("ant", "bee"), ()), ((), ())]
)
def test_a_finished_model_has_the_names_of_the_data(tmp_path: Path, names: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Where the data name as many classes as the generator has, and not else."""
    labels = torch.arange(6) % (len(names) or 3)
    data = TensorDataset(torch.zeros(6, 1, 8, 8, dtype=torch.uint8), "six", labels=labels, class_names=names)
    networks: Any = {"generator": Classy, "discriminator": ToyDiscriminator}
    train(TOY, networks, data, tmp_path / "run", options=Options(intervals=EVERY), plugin="toy")
    assert read_model(tmp_path / "run" / "model").config.class_names == expected
