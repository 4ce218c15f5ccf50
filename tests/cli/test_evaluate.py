"""``ganzoo evaluate``."""

import json
import tomllib
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from ganzoo import spec
from ganzoo.metrics import read_record
from tests.cli.conftest import Run
from tests.metrics.text_toys import LINES, bigrams

DATA = ["--data", "photos", "--features", "digits", "--samples", "50", "--device", "cpu"]


def test_evaluate(run: Run, here: Path, model: Path, photos: Path) -> None:
    told = run("evaluate", model, *DATA)
    assert told.code == 0, told.err
    header, *lines = told.out.splitlines()
    assert header.split() == ["MEASURED", "SAMPLES", "FRECHET-DISTANCE", "PRECISION", "RECALL"]
    assert lines[0].split()[:2] == ["model", "50"]
    assert lines[1].split()[:3] == ["random", "initialisation", "50"]
    for word in ("votes", "features digits (836b7e059af6; not Inception", "50 samples of seed 0", "ganzoo 0."):
        assert word in told.out
    (report,) = json.loads(run("evaluate", model, *DATA, "--no-controls", "--json").out)
    assert [m["of"] for m in report["measurements"]] == ["model"]
    assert report["protocol"]["reference_samples"] == 12


def test_the_evaluation_is_kept_beside_the_model(run: Run, here: Path, model: Path, photos: Path) -> None:
    told = run("evaluate", model, *DATA, "--metrics", "pr,dc", "--truncation", "0.7", "--seed", "5", "--no-controls")
    assert "tiny/evaluation.json" in told.err
    (kept,) = read_record(here / "tiny" / "evaluation.json")
    assert kept.name == str(model) and kept.protocol.truncation == 0.7 and kept.protocol.seed == 5
    assert set(kept.model.figures) == {"precision", "recall", "density", "coverage"}
    run("evaluate", model, *DATA, "--no-controls")
    assert len(read_record(here / "tiny" / "evaluation.json")) == 2
    assert run("generate", model, "-o", "x.png").code == 0  # the folder is still a model


def test_a_run_is_measured_by_the_model_that_it_made(run: Run, here: Path, model: Path, photos: Path) -> None:
    (here / "run" / "checkpoints").mkdir(parents=True)
    told = run("evaluate", "run", *DATA)
    assert told.code == 1 and "The run in run has made no model yet" in told.err and "ganzoo resume run" in told.err
    (here / "tiny").rename(here / "run" / "model")
    assert run("evaluate", "run", *DATA, "--no-controls").code == 0
    assert [e.name for e in read_record(here / "run" / "model" / "evaluation.json")] == ["run"]


def test_a_checkpoint_file_is_measured_and_nothing_is_written(run: Run, here: Path, model: Path, photos: Path) -> None:
    before = {p.name for p in here.iterdir()}
    assert run("evaluate", "g.pth", *DATA, "--no-controls").code == 0
    assert {p.name for p in here.iterdir()} == before


def test_several_models_stand_in_one_table_and_unlike_ones_apart(run: Run, here: Path, model: Path, photos: Path) -> None:
    (here / "unseen").mkdir()
    for picture in sorted((here / "photos").iterdir())[:6]:
        (here / "unseen" / picture.name).write_bytes(picture.read_bytes())
    told = run("evaluate", model, "g.pth", *DATA, "--no-controls", "--held-out", "unseen")
    header, *lines = told.out.splitlines()[:6]
    rows = [line.split() for line in lines]
    assert header.split()[:3] == ["MODEL", "MEASURED", "SAMPLES"]
    assert [row[:3] for row in rows] == [
        ["tiny", "model", "50"],
        ["tiny", "model", "6"],
        ["held-out", "real", "data"],
        ["g.pth", "model", "50"],
        ["g.pth", "model", "6"],
    ]
    assert rows[0][1:] == rows[3][1:]  # the same weights
    run("evaluate", model, *DATA, "--no-controls", "--samples", "40")
    stored = run("evaluate", "tiny/evaluation.json")
    assert stored.code == 0
    above, below = stored.out.split("Not to be compared with the first table:")
    assert "samples: 40 instead of 50" in below and " 50 " in above and " 40 " in below


def test_the_lines_for_a_card(run: Run, here: Path, model: Path, photos: Path) -> None:
    told = run("evaluate", model, *DATA, "--metrics", "fid,modes", "--card")
    read = msgspec.convert(tomllib.loads(told.out)["metrics"], tuple[spec.Metric, ...])
    assert [m.of for m in read] == ["model", "random initialisation"]
    assert {"frechet-distance", "modes", "mode-kl", "rarest-class-share"} == set(read[0].figures)
    assert read[0].protocol.endswith(
        "ganzoo evaluate tiny --data photos --features digits --samples 50 --device cpu --metrics fid,modes"
    )
    stored = run("evaluate", "tiny/evaluation.json", "--card").out  # a command that reads a record repeats nothing
    assert "ganzoo evaluate" not in stored and told.out.count("ganzoo evaluate") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--features", "digit"], 1, "There is no feature space named 'digit'.\nDid you mean 'digits'"),
        (["--features", "digits:2"], 1, "The feature space 'digits' takes no variant"),
        (["--metrics", "fid,kit"], 1, "There is no metric named 'kit'.\nDid you mean 'kid'"),
        (["--metrics", "fid,fid"], 1, "Metrics are named once each"),
        (["--metrics", "modes", "--features", "pixels"], 1, "The metric 'modes' needs class scores"),
        (["--samples", "1"], 2, "is not in the range"),
        (["--samples", "3"], 1, "no neighbour number 3"),
        (["--truncation", "0"], 2, "is not in the range"),
        (["--truncation", "inf"], 1, "must be a number above 0, not inf"),
        (["--truncation", "nan"], 1, "must be a number above 0, not nan"),
        (["--class", "1"], 1, "is unconditional; it cannot make class 1"),
        (["--data", "nowhere"], 1, "There is no data set named 'nowhere'"),
        (["--held-out", "./nowhere"], 1, "There is no folder nowhere"),
        (["--held-out", "./photos"], 1, "The held-out data photos are the reference"),
        (["--device", "gpu"], 1, "The device 'gpu'"),
    ],
)
def test_evaluate_with_wrong_arguments(
    run: Run, model: Path, photos: Path, arguments: list[str], code: int, words: str
) -> None:
    told = run("evaluate", model, "--data", photos, "--features", "digits", "--samples", "8", *arguments)
    assert told.code == code
    assert words in told.err


def test_what_is_missing(run: Run, here: Path, model: Path) -> None:
    assert "needs --data and --features" in run("evaluate", model).err
    assert run("evaluate").code == 2
    (here / "broken.json").write_text("{}")
    told = run("evaluate", "broken.json")
    assert told.code == 1 and "broken.json is no record of evaluations" in told.err
    assert "nothing.json" in run("evaluate", "nothing.json").err


# --- texts ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def text_model(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a model whose weights need not be read, and the text that it is measured against."""
    monkeypatch.setattr("ganzoo.loading.load", lambda *_, **__: bigrams())
    (here / "speaker").mkdir()
    (here / "lines.txt").write_text("\n".join(LINES) + "\n")
    (here / "unseen.txt").write_text("a b a\nc c\nb b a\n")
    return Path("./speaker")


TEXT = ["--data", "./lines.txt", "--samples", "20", "--device", "cpu"]


def test_texts_need_no_features(run: Run, here: Path, text_model: Path) -> None:
    told = run("evaluate", text_model, *TEXT, "--held-out", "./unseen.txt", "--temperature", "0.8", "--top-k", "5")
    assert told.code == 0, told.err
    header, *lines = told.out.splitlines()
    assert header.split()[:6] == ["MEASURED", "SAMPLES", "BLEU-2", "BLEU-3", "BLEU-4", "BLEU-5"]
    assert [line.split()[0] for line in lines[:4]] == ["model", "model", "held-out", "random"]
    assert "no features, reference lines" in told.out and "20 samples of seed 0, temperature 0.8, top-k 5" in told.out
    (kept,) = read_record(here / "speaker" / "evaluation.json")
    assert kept.protocol.top_k == 5 and "unique-rate" in kept.model.figures


def test_a_sweep_is_a_table_a_record_and_a_picture(run: Run, here: Path, text_model: Path) -> None:
    options = ["--metrics", "bleu,reverse-lm", "--sweep", "0.5:1.5:3", "--plot", "curve.png", "--no-controls"]
    told = run("evaluate", text_model, *TEXT, "--held-out", "./unseen.txt", *options)
    assert told.code == 0, told.err
    header, *lines = told.out.splitlines()
    assert header.split()[:3] == ["MEASURED", "TEMPERATURE", "SAMPLES"]
    assert [line.split()[1:3] for line in lines if line.startswith("model")] == [
        [t, n] for t in ("0.5", "1", "1.5") for n in ("20", "3")
    ]
    assert "curve.png" in told.err
    with Image.open("curve.png") as picture:
        assert picture.size == (3 * 320, 2 * 220 + 24)  # a panel for each of six figures
        assert len({pixel for _, pixel in picture.getcolors(100_000)}) > 3
    assert [e.protocol.temperature for e in read_record(here / "speaker" / "evaluation.json")] == [0.5, 1.0, 1.5]
    again = run("evaluate", "speaker/evaluation.json")  # one table as before, though three protocols
    assert "Not to be compared" not in again.out and again.out.splitlines()[0] == header
    told = run("evaluate", text_model, *TEXT, "--metrics", "distinct", "--sweep", "0.9:1.2", "--no-controls", "--json")
    assert [e["protocol"]["temperature"] for e in json.loads(told.out)] == [0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--metrics", "fid"], 1, "The metric 'fid' needs a feature space"),
        (["--metrics", "bleu", "--features", "digits"], 1, "'digits' is made for images"),
        (["--metrics", "ppl", "--features", "raw"], 1, "'raw' is made for images and vectors"),
        (["--data", "./empty.txt"], 1, "empty.txt"),
        (["--held-out", "./lines.txt"], 1, "The held-out data lines are the reference"),
        (["--temperature", "0"], 2, "is not in the range"),
        (["--temperature", "-1"], 2, "is not in the range"),
        (["--temperature", "nan"], 1, "temperature must be a number above 0"),
        (["--top-k", "0"], 2, "is not in the range"),
        (["--top-p", "1.5"], 2, "is not in the range"),
        (["--top-p", "0.5"], 1, "no sampling option 'top-p'"),
        (["--sweep", "0.7"], 2, "'0.7' is not of the form LOW:HIGH"),
        (["--sweep", "a:b"], 2, "not of the form"),
        (["--sweep", "1:0.5"], 2, "does not go up, above 0, in 2 to 100 steps"),
        (["--sweep", "0:1"], 2, "does not go up"),
        (["--sweep", "0.5:nan"], 2, "does not go up"),
        (["--sweep", "0.5:1:1"], 2, "does not go up"),
        (["--sweep", "0.5:1:2:3"], 2, "does not go up"),
        (["--sweep", "0.5:1", "--temperature", "1"], 2, "Either one --temperature or a --sweep"),
        (["--plot", "x.png"], 2, "--plot draws the curves of a --sweep"),
        (["--plot", "nowhere/x.png", "--sweep", "0.5:1:2"], 1, "nowhere"),
        (["--plot", "x.docx", "--sweep", "0.5:1:2"], 1, "x.docx"),
    ],
)
def test_texts_with_wrong_arguments(
    run: Run, here: Path, text_model: Path, arguments: list[str], code: int, words: str
) -> None:
    (here / "empty.txt").touch()
    told = run("evaluate", text_model, *TEXT, *arguments)
    assert (told.code, words in told.err) == (code, True), told.err


def test_pictures_need_features(run: Run, model: Path, photos: Path) -> None:
    told = run("evaluate", model, "--data", photos)
    assert told.code == 2 and "needs --data and --features" in told.err
    assert "'temperature'" in run("evaluate", model, *DATA, "--temperature", "0.5").err
