import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.data import picture_cache
from ganzoo.data.hugging_face import HuggingFacePictures
from ganzoo.errors import DataError, MissingExtraError
from ganzoo.resources import data_source, open_dataset

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def datasets() -> Any:
    return pytest.importorskip("datasets", reason="needs the extra 'hf-datasets'")


def png(value: int) -> bytes:
    target = io.BytesIO()
    Image.fromarray(np.full((6, 9, 3), value, np.uint8)).save(target, "png")
    return target.getvalue()


@pytest.fixture
def rows(datasets: Any) -> Any:
    """Four pictures, the third broken, with classes and captions."""
    features = datasets.Features(
        {
            "picture": datasets.Image(),
            "kind": datasets.ClassLabel(names=["cat", "dog"]),
            "text": datasets.Value("string"),
        }
    )
    pictures = [{"bytes": content, "path": None} for content in (png(10), png(20), b"broken", png(40))]
    texts = ["ten", None, "thirty", "forty"]
    return datasets.Dataset.from_dict({"picture": pictures, "kind": [1, 0, 1, 0], "text": texts}, features=features)


def check(data: HuggingFacePictures) -> None:
    assert data.labels is not None and data.labels.tolist() == [1, 0, 1, 0] and data.class_names == ("cat", "dog")
    batch = data.prepare((3, 4, 4))[torch.arange(3)]
    assert batch.shape == (3, 3, 4, 4) and batch[:, 0, 0, 0].tolist() == [10, 20, 40]
    assert data.labels.tolist() == [1, 0, 0] and data.captions is not None and [*data.captions] == [("ten",), (), ("forty",)]
    assert [s.path.name for s in data.skipped] == ["row 2"]


@pytest.mark.parametrize("kind", ["disk", "dictionary", "file", "folder"])
def test_data_sets_on_this_disk(datasets: Any, rows: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "animals"
    if kind == "disk":
        rows.save_to_disk(path)
    elif kind == "dictionary":
        datasets.DatasetDict({"train": rows, "test": rows.select([0])}).save_to_disk(path)
    else:
        path.mkdir()
        rows.to_parquet(path / "train.parquet")
    check(HuggingFacePictures(str(path / "train.parquet" if kind == "file" else path)))
    named = open_dataset(f"hf-datasets:{path}:train" if kind != "file" else f"hf-datasets:{path}/train.parquet")
    assert isinstance(named, HuggingFacePictures) and len(named) == 4 and named.name.endswith("/train")
    if kind == "dictionary":
        assert len(open_dataset(f"hf-datasets:{path}:test")) == 1
        with pytest.raises(DataError, match="cannot be opened"):
            open_dataset(f"hf-datasets:{path}:validation")


def test_the_second_start_decodes_nothing(rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.save_to_disk(tmp_path / "animals")
    first = HuggingFacePictures(str(tmp_path / "animals"))
    expected = first.prepare((1, 4, 4))[torch.arange(3)]
    again = HuggingFacePictures(str(tmp_path / "animals"))
    monkeypatch.delattr("ganzoo.data.pictures.decode_all")
    assert torch.equal(again.prepare((1, 4, 4))[torch.arange(3)], expected) and again.sha256 == first.sha256
    assert picture_cache.entry_file(first.sha256, (1, 4, 4)).exists()


def test_two_parts_of_one_file_are_not_taken_for_each_other(datasets: Any, rows: Any, tmp_path: Path) -> None:
    (tmp_path / "animals").mkdir()
    rows.to_parquet(tmp_path / "animals" / "train.parquet")
    for split, value in (("train[:1]", 10), ("train[1:2]", 20)):
        data = HuggingFacePictures(str(tmp_path / "animals"), split=split)
        assert data.prepare((1, 4, 4))[torch.tensor([0])].unique().tolist() == [value]


def test_the_hub_is_asked_for_a_commit(datasets: Any, rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    asked: list[object] = []

    def info(self: object, repository: str, revision: str | None = None) -> object:
        asked.append(("info", repository, revision))
        return type("Info", (), {"sha": COMMIT})()

    def load(repository: str, **options: object) -> Any:
        asked.append(("load", repository, options))
        return rows

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", info)
    monkeypatch.setattr(datasets, "load_dataset", load)
    data = open_dataset("hf-datasets:acme/animals@v2:test")
    check(data)  # type: ignore[arg-type]
    assert data.name == f"acme/animals@{COMMIT[:12]}/test" and data.url is not None and COMMIT in data.url
    assert asked == [("info", "acme/animals", "v2"), ("load", "acme/animals", {"revision": COMMIT, "split": "test"})]
    asked.clear()
    open_dataset(f"hf-datasets:acme/animals@{COMMIT}")
    assert asked == [("load", "acme/animals", {"revision": COMMIT, "split": "train"})]
    asked.clear()
    open_dataset("hf-datasets:acme/animals")
    assert asked[0] == ("info", "acme/animals", None)


def test_files_that_rows_only_name_are_not_opened(datasets: Any, tmp_path: Path) -> None:
    secret = tmp_path / "private.png"
    secret.write_bytes(png(1))
    features = datasets.Features({"image": datasets.Image()})
    named = datasets.Dataset.from_dict({"image": [{"bytes": None, "path": str(secret)}]}, features=features)
    named.to_parquet(tmp_path / "named.parquet")
    with pytest.raises(DataError, match="the row only names a file"):
        HuggingFacePictures(str(tmp_path / "named.parquet")).prepare((3, 4, 4))


def test_unlabelled_splits_have_no_classes(datasets: Any, tmp_path: Path) -> None:
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    made = datasets.Dataset.from_dict({"image": [{"bytes": png(1), "path": None}], "label": [-1]}, features=features)
    made.save_to_disk(tmp_path / "x")
    assert HuggingFacePictures(str(tmp_path / "x")).labels is None


def test_columns_that_are_missing_or_too_many(datasets: Any, tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"a": [1]}).save_to_disk(tmp_path / "none")
    with pytest.raises(DataError, match="has no column of pictures.\nIts columns are a"):
        HuggingFacePictures(str(tmp_path / "none"))
    features = datasets.Features({"left": datasets.Image(), "right": datasets.Image()})
    both = datasets.Dataset.from_dict({k: [{"bytes": png(1), "path": None}] for k in features}, features=features)
    both.save_to_disk(tmp_path / "both")
    with pytest.raises(DataError, match="several columns of pictures: left, right"):
        HuggingFacePictures(str(tmp_path / "both"))


@pytest.mark.parametrize("text", ["mnist", "a/b/c", "", "/nowhere/x:train", "./nowhere", "a b/c"])
def test_names_that_are_none(datasets: Any, text: str) -> None:
    with pytest.raises(DataError, match=r"Write hf-datasets:ORG/NAME\[@REVISION\]\[:SPLIT\]"):
        open_dataset(f"hf-datasets:{text}")


def test_a_folder_without_data(datasets: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="cannot be opened"):
        open_dataset(f"hf-datasets:{tmp_path / 'empty'}")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"ganzoo-hub\[hf-datasets\]"):
        open_dataset("hf-datasets:acme/animals")


def test_a_run_records_paths_in_full_and_repositories_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "animals").mkdir()
    monkeypatch.chdir(tmp_path)
    for text in ("animals:test", "./animals:test"):
        assert data_source(f"hf-datasets:{text}") == f"hf-datasets:{tmp_path}/animals:test"
    assert data_source("hf-datasets:./animals") == f"hf-datasets:{tmp_path}/animals"
    assert data_source(f"hf-datasets:acme/animals@{COMMIT}:test") == f"hf-datasets:acme/animals@{COMMIT}:test"
