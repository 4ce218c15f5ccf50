"""``ganzoo dataset`` as a person uses it, bad pictures included."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "photos"
    for i, name in enumerate(("cat", "dog", "dog")):
        (root / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), i * 50, np.uint8)).save(root / name / f"{i}.png")
    return root


def test_a_folder_becomes_a_folder_or_a_zip_file(run: Run, photos: Path) -> None:
    told = run("dataset", "photos", "small", "--size", "8")
    assert told.code == 0 and told.out.splitlines()[0] == "small"
    assert "pictures  3" in told.out and "classes   2: cat, dog" in told.out and "skipped   0" in told.out
    with Image.open("small/00000/img00000002.png") as picture:
        assert picture.size == (8, 8) and picture.getpixel((4, 4)) == (100, 100, 100)
    assert run("dataset", "small", "small.zip", "--size", "6x4", "--crop", "pad", "--grey").code == 0
    assert Path("small.zip").is_file()
    assert "pictures  3" in run("dataset", "small.zip", "again").out


def test_skipped_files_are_told_with_the_reason_also_as_json(run: Run, photos: Path) -> None:
    (photos / "cat" / "broken.png").write_bytes(b"broken")
    told = run("dataset", "photos", "small", "--size", "8")
    assert "skipped   1" in told.out and "broken.png: not a picture, whatever its name says" in told.out
    report = json.loads(run("dataset", "photos", "again", "--size", "40", "--json").out)
    assert report == {
        "output": "again",
        "pictures": 3,
        "classes": ["cat", "dog"],
        "skipped": [{"path": "photos/cat/broken.png", "reason": "not a picture, whatever its name says"}],
        "notes": {"smaller than the wanted size, enlarged": 3},
    }


def test_one_picture_is_enough(run: Run, photos: Path) -> None:
    assert "pictures  1" in run("dataset", "photos/cat", "one").out


def test_an_empty_folder(run: Run, photos: Path) -> None:
    Path("empty").mkdir()
    told = run("dataset", "empty", "out")
    assert told.code == 1 and "no pictures in empty" in told.err


def test_labels_that_disagree_with_the_folders(run: Run, photos: Path) -> None:
    (photos / "dataset.json").write_text('{"cat/0.png": "dog", "dog/1.png": "cat", "dog/2.png": "dog"}')
    told = run("dataset", "photos", "out")
    assert told.code == 1 and "disagrees with the folders" in told.err and not Path("out").exists()


def test_what_is_there_is_never_overwritten(run: Run, photos: Path) -> None:
    for name in ("photos", "photos/cat/0.png"):
        told = run("dataset", "photos", name)
        assert told.code == 1 and "exists already; nothing is overwritten" in told.err


@pytest.mark.parametrize("size", ["0", "-3", "large", "x8", "8x0", "99999", "8x8x8"])
def test_sizes_that_are_none(run: Run, photos: Path, size: str) -> None:
    told = run("dataset", "photos", "out", "--size", size)
    assert told.code == 2 and "--size" in told.err


def test_a_data_set_that_is_not_made_of_files(run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from ganzoo import resources
    from ganzoo.data import TensorDataset

    monkeypatch.setattr(resources, "open_dataset", lambda text: TensorDataset(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), text))
    told = run("dataset", "toy", "out")
    assert told.code == 1 and "'toy' is not made of picture files" in told.err and "--data toy" in told.err
