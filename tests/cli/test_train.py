"""``ganzoo train`` and ``ganzoo resume``: tiny runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run, Told, listing
from tests.support.distributions import card, make_distribution

SMALL = ["--config", "image_size=8", "--config", "width=4", "--config", "channels=1", "--set", "batch_size=4"]


def train(run: Run, photos: Path, *more: object, images: int = 16, out: str = "run") -> Told:
    return run("train", "dcgan", "--data", photos, "--out", out, "--images", images, "--device", "cpu", *SMALL, *more)


def test_train_and_generate(run: Run, here: Path, photos: Path) -> None:
    told = train(run, photos)
    assert told.code == 0, told.err
    assert told.out == "run/model\nTry it: ganzoo generate run/model -n 64 -o grid.png\n"
    assert {"config.json", "metrics.jsonl", "model/config.json", "model/generator.safetensors"} <= listing(here / "run")
    assert run("generate", "run/model", "-n", 4, "-o", "grid.png").code == 0
    again = train(run, photos)
    assert again.code == 1
    assert "There is a run in run already.\nGo on with it: ganzoo resume run" in again.err


def test_train_json(run: Run, photos: Path) -> None:
    report = json.loads(train(run, photos, "--json").out)
    assert report == {"run": "run", "images": 16, "model": "run/model"}


def test_the_same_seed_trains_the_same_model(run: Run, here: Path, photos: Path) -> None:
    for out, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert train(run, photos, "--seed", seed, out=out).code == 0
    a, b, c = ((here / out / "model" / "generator.safetensors").read_bytes() for out in "abc")
    assert a == b != c


def test_a_dry_run_writes_nothing(run: Run, here: Path, photos: Path) -> None:
    before = listing(here)
    told = train(run, photos, "--dry-run")
    assert told.code == 0
    lines = [line.split() for line in told.out.splitlines()]
    assert ["batch_size", "4"] in lines and ["generator.lr", "0.0002"] in lines and ["samples", "4"] in lines
    plan = json.loads(train(run, photos, "--dry-run", "--json").out)
    assert (plan["examples"], plan["steps"], plan["shape"]) == (12, 4, [1, 8, 8])
    assert plan["recipe"]["batch_size"] == 4
    assert plan["intervals"] == {"log": 4, "samples": 4, "checkpoint": 4, "evaluate": 4}
    assert (plan["evaluation"], plan["started_from"]) == (None, None)
    assert listing(here) == before


def test_a_dry_run_tells_of_evaluation_and_transfer(run: Run, here: Path, photos: Path) -> None:
    assert train(run, photos, out="first").code == 0
    before = listing(here)
    more = ["--evaluate", "pixels:4", "--metrics", "fid,pr", "--best", "precision:max", "--from", "first/model", "--film"]
    plan = json.loads(train(run, photos, *more, "--dry-run", "--json").out)
    reference = str((here / photos).resolve())
    assert plan["evaluation"] == {
        "features": "pixels:4",
        "data": reference,
        "metrics": ["fid", "pr"],
        "samples": 2000,
        "best": "precision",
        "higher": True,
    }
    assert plan["started_from"] == str((here / "first" / "model").resolve())
    assert (plan["pretrained"], plan["film"]) == (["generator", "discriminator"], True)
    told = train(run, photos, *more, "--dry-run")
    assert "evaluation\n  features  pixels:4\n" in told.out and "film                      yes" in told.out
    assert listing(here) == before


SETTINGS = """
[recipe]
batch_size = 6
generator = {lr = {start = 1e-3, end = 0.0, shape = "linear"}}

[config]
width = 6

[intervals]
samples = 12
"""


def test_settings_from_a_file_and_more_specific_ones_over_them(run: Run, here: Path, photos: Path) -> None:
    (here / "my.toml").write_text(SETTINGS)
    told = train(run, photos, "--settings", "my.toml", "--every", "log=8", "--dry-run", "--json")
    plan = json.loads(told.out)
    assert plan["recipe"]["batch_size"] == 4  # --set comes last
    assert plan["recipe"]["generator"]["lr"] == {"start": 1e-3, "end": 0.0, "begin": 0, "until": None, "shape": "linear"}
    assert (plan["intervals"]["samples"], plan["intervals"]["log"]) == (12, 8)
    (here / "my.toml").write_text(SETTINGS.replace("batch_size", "batchsize"))
    told = train(run, photos, "--settings", "my.toml", "--dry-run")
    assert (told.code, told.err) == (1, "Error: There is no recipe field named 'batchsize'.\nDid you mean 'batch_size'?\n")


def test_a_run_with_everything(run: Run, here: Path, photos: Path) -> None:
    more = ["--evaluate", "pixels:4", "--samples", "6", "--film", "--set", "regularizers=r1", "--every", "samples=8"]
    told = train(run, photos, *more)
    assert told.code == 0, told.err
    assert {"film.webp", "best/generator.safetensors", "best/figures.json"} <= listing(here / "run")
    lines = [json.loads(line) for line in (here / "run" / "metrics.jsonl").read_text().splitlines()]
    measured = [line["evaluation"]["frechet-distance"] for line in lines if "evaluation" in line]
    assert [line["images"] for line in lines] == [0, 4, 8, 12, 16] and len(measured) == 5
    assert json.loads((here / "run/best/figures.json").read_text())["figures"]["frechet-distance"] == min(measured)
    assert "16/16 images  frechet-distance" in told.err and "  r1 " in told.err
    assert run("generate", "run/best", "-o", "grid.png").code == 0


def test_a_run_from_a_model(run: Run, here: Path, photos: Path, model: Path) -> None:
    assert train(run, photos, out="first").code == 0
    told = train(run, photos, "--from", "first", "--set", "freeze_layers=1", out="second")  # a run stands for its model
    assert told.code == 0, told.err
    assert "000000000" not in listing(here / "second" / "checkpoints")
    told = train(run, photos, "--from", "first/model", "--config", "width=5", out="third")
    assert (told.code, "was made with width=4; its weights do not fit width=5." in told.err) == (1, True)
    told = run("train", "sngan", "--data", photos, "--out", "third", "--from", "first/model")
    assert told.code == 1
    assert "'first/model' is no model of the architecture 'sngan': its generator is a DCGANGenerator." in told.err
    assert train(run, photos, "--from", "nowhere", out="third").code == 1
    assert not (here / "third").exists()


def test_a_discriminator_that_the_model_has_not_begins_at_random(run: Run, photos: Path, model: Path) -> None:
    """It takes the generator's arguments; one that is damaged is not taken for missing."""
    told = run("train", "dcgan", "--data", photos, "--out", "run", "--from", model, "--dry-run", "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["pretrained"] == ["generator"]
    assert train(run, photos, out="first").code == 0
    Path("first/model/discriminator.safetensors").write_bytes(b"")
    told = train(run, photos, "--from", "first/model", "--dry-run")
    assert told.code == 1 and "discriminator.safetensors" in told.err


@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["run", "dry-run"])
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "batchsize=4"], 1, "'batch_size'"),
        (["--set", "generator.rl=1"], 1, "'generator.lr'"),
        (["--set", "batch_size=-4"], 1, "batch_size=-4 cannot be used"),
        (["--set", "loss=hings"], 1, "hinge"),
        (["--set", "regularizers.r1.options.gamma=3"], 1, "no option of the regulariser 'r1' named 'gamma'"),
        (["--set", "accumulate=3"], 1, "A batch of 4 cannot be split into 3 equal pieces"),
        (["--set", "freeze_layers=40"], 1, "freeze_layers is 40"),
        (["--config", "width=wide"], 1, "width"),
        (["--settings", "my.toml"], 1, "my.toml cannot be read"),
        (["--every", "samples=often"], 1, "An interval cannot be used: Expected a whole number, got text (samples)"),
        (["--every", "sample=5"], 1, "Did you mean 'samples'"),
        (["--best", "precision"], 2, "--best means nothing without --evaluate"),
        (["--evaluate", "pixel"], 1, "Did you mean 'pixels'"),
        (["--evaluate", "pixels", "--metrics", "fud"], 1, "Did you mean 'fid'"),
        (["--evaluate", "pixels", "--best", "precision:most"], 1, "is not a figure with :min or :max"),
        (["--device", "gpu"], 1, "The device 'gpu' cannot be used"),
        (["--data", "gaussians-8"], 1, "holds points, but the generator makes images"),
        (["--set", "batch_size"], 1, "'batch_size' is not of the form key=value"),
        (["--config", "image_sise=8"], 1, "'dcgan' has no argument 'image_sise'.\nIt has: image_size."),
        (["--config", "image_size=9"], 1, "28 pixels or of a power of two"),
        (["--config", "image_size"], 1, "'image_size' is not of the form key=value"),
        (["--out", "photos"], 1, "photos exists and is no empty folder"),
        (["--out", "photos/00.png"], 1, "photos/00.png exists and is no empty folder"),
        (["--images", "0"], 2, "is not in the range"),
        (["--seed", "x"], 2, "'x' is not a valid integer"),
        (["--data", "./nowhere"], 1, "There is no folder nowhere"),
        (["--data", "nowhere"], 1, "There is no data set named 'nowhere'.\nThere is no file or folder of that name either."),
        (["--data", "mnist5k"], 1, "Did you mean 'mnist-5k'"),
        (["--data", "photos/00.png"], 1, "is a file, not a folder of pictures"),
        (["--data", "empty"], 1, "There are no pictures in empty"),
    ],
)
def test_train_with_wrong_arguments_writes_nothing(
    run: Run, here: Path, photos: Path, arguments: list[str], code: int, words: str, dry: list[str]
) -> None:
    (here / "empty").mkdir()
    (here / "empty" / "notes.txt").write_text("no picture")
    before = listing(here)
    told = train(run, photos, *arguments, *dry)
    assert told.code == code
    assert words in told.err
    assert listing(here) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device", "gpu"], "The device 'gpu' cannot be used"),
        (["--out", "photos/00.png/run"], "photos/00.png/run cannot be written"),
        (["--data", "broken"], "None of the 2 picture files in broken can be read:\n  a.png: not a picture"),
    ],
)
def test_train_with_what_cannot_be_used(run: Run, here: Path, photos: Path, arguments: list[str], words: str) -> None:
    (here / "broken").mkdir()
    (here / "broken" / "a.png").write_text("no picture")
    (here / "broken" / "b.jpg").touch()
    before = listing(here)
    told = train(run, photos, *arguments)
    assert told.code == 1
    assert words in told.err
    assert listing(here) == before


def test_broken_pictures_among_good_ones_are_skipped_by_name(run: Run, here: Path, photos: Path) -> None:
    (here / photos / "zz-cut.png").write_bytes((here / photos / "00.png").read_bytes()[:60])
    told = train(run, photos)
    assert told.code == 0
    assert "Skipped photos/zz-cut.png" in told.err


def test_wrong_architectures(run: Run, here: Path, photos: Path, site: Path) -> None:
    make_distribution(site, "dist-acme", module="zoo_acme", plugin="acme", cards={"a.toml": card("zebra-one")})
    told = run("train", "dcgam", "--data", photos, "--out", "run")
    assert (told.code, told.err) == (1, "Error: There is no architecture named 'dcgam'.\nDid you mean 'dcgan'?\n")
    told = run("train", "zebra-one", "--data", photos, "--out", "run")
    assert told.code == 1
    assert "'zebra-one' is a model; its architecture is 'dcgan'." in told.err


def test_ctrl_c_writes_a_checkpoint_and_resume_goes_on_from_anywhere(run: Run, here: Path, photos: Path) -> None:
    arguments = ["train", "dcgan", "--data", str(photos), "--out", "run", "--images", "800", "--device", "cpu", *SMALL]
    process = subprocess.Popen(
        [sys.executable, "-m", "ganzoo", *arguments, "--set", "batch_size=2"],
        cwd=here,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "/800 images" in first, first + err
    assert (process.returncode, out) == (130, "")
    assert "Go on with: ganzoo resume run" in err
    assert "Traceback" not in err
    assert list((here / "run" / "checkpoints").iterdir())
    assert not (here / "run" / "model").exists()
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    told = run("resume", "../run", "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out) == {"run": "../run", "images": 800, "model": "../run/model"}
    assert run("generate", "../run/model", "-o", "grid.png").code == 0


def test_resume_what_is_no_run_or_without_its_data(run: Run, here: Path, photos: Path) -> None:
    for name in ("nowhere", "photos"):
        told = run("resume", name)
        assert told.code == 1
        assert f"There is no run in {name}" in told.err
    assert train(run, photos).code == 0
    (here / "run" / "config.json").write_text("{}")
    told = run("resume", "run")
    assert told.code == 1
    assert "run/config.json cannot be used" in told.err


def test_resume_with_other_pictures(run: Run, here: Path, photos: Path) -> None:
    assert train(run, photos).code == 0
    (here / photos / "00.png").unlink()
    told = run("resume", "run")
    assert told.code == 1
    assert "has not the content that the run in run was started with" in told.err
    (here / photos).rename(here / "moved")
    assert "There is no folder" in run("resume", "run").err


def test_a_run_that_goes_on_elsewhere_is_left_alone(run: Run, here: Path, photos: Path) -> None:
    from ganzoo.training import RunDirectory

    assert train(run, photos).code == 0
    with RunDirectory("run").locked():
        told = run("resume", "run")
    assert (told.code, told.err) == (1, "Error: Another process is training in run.\nWait for its end, or stop it first.\n")
    assert run("resume", "run").code == 0


def test_resume_with_moved_data_measures_against_it_too(run: Run, here: Path, photos: Path) -> None:
    assert train(run, photos, "--evaluate", "pixels:4", "--samples", "6").code == 0
    for folder in (here / "run" / "checkpoints").iterdir():
        shutil.rmtree(folder)
    (here / photos).rename(here / "moved")
    told = run("resume", "run", "--data", "moved", "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["images"] == 16


def test_conditional_networks_need_labels_that_fit(run: Run, here: Path, photos: Path) -> None:
    def plan(data: object, *more: object) -> Told:
        return run("train", "sngan", "--data", data, "--out", "run", "--dry-run", "--json", *more)

    told = plan(photos, "--config", "num_classes=2")
    assert told.code == 1 and "The networks have 2 classes, but the data has no labels." in told.err
    for name in ("cats", "dogs", "owls"):
        shutil.copytree(here / photos, here / "animals" / name)
    told = plan("animals", "--config", "num_classes=2")
    assert told.code == 1 and "has 2 classes, but the data has 3." in told.err and "num_classes=3" in told.err
    assert json.loads(plan("animals", "--config", "num_classes=3").out)["classes"] == 3


def test_what_a_conditional_run_says_to_try_works_and_its_classes_have_the_names_of_the_folders(run: Run, here: Path) -> None:
    for i in range(12):
        picture = here / "animals" / ("cat" if i % 2 else "dog") / f"{i}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 20 * i).save(picture)
    told = train(run, Path("animals"), "--config", "num_classes=2")
    assert told.out == "run/model\nTry it: ganzoo generate run/model -n 64 --class 0 -o grid.png\n", told.err
    assert run(*told.out.splitlines()[1].removeprefix("Try it: ganzoo ").split()).code == 0
    for name in ("cat", "dog", "0"):
        assert run("generate", "run/model", "--seed", 1, "--class", name, "-o", f"{name}.png").code == 0
    cat, dog, first = ((here / f"{name}.png").read_bytes() for name in ("cat", "dog", "0"))
    assert cat == first != dog
