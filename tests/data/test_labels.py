import json
from pathlib import Path

import pytest
from PIL import Image

from ganzoo.data import ImageFolder
from ganzoo.errors import DataError


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), len(name)).save(root / name)
    return root


def index(root: Path, content: object) -> None:
    (root / "dataset.json").write_text(content if isinstance(content, str) else json.dumps(content))


def labels(root: Path) -> tuple[list[int] | None, tuple[str, ...]]:
    data = ImageFolder(root)
    return None if data.labels is None else data.labels.tolist(), data.class_names


def test_folders_are_classes(tmp_path: Path) -> None:
    assert labels(make(tmp_path, "dog/1.png", "cat/deep/2.png", "cat/1.png")) == ([0, 0, 1], ("cat", "dog"))


@pytest.mark.parametrize("names", [("1.png", "2.png"), ("cat/1.png", "cat/2.png"), ("cat/1.png", "dog/1.png", "x.png")])
def test_one_folder_or_pictures_beside_the_folders_are_no_classes(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert labels(make(tmp_path, *names)) == (None, ())


def test_nvidias_form_with_and_without_names(tmp_path: Path) -> None:
    make(tmp_path, "00000/a.png", "00001/b.png")
    pairs = [["00001/b.png", 2], ["00000/a.png", 0]]
    index(tmp_path, {"labels": pairs})
    assert labels(tmp_path) == ([0, 2], ())
    index(tmp_path, {"labels": pairs, "class_names": ["cat", "cow", "dog"]})
    assert labels(tmp_path) == ([0, 2], ("cat", "cow", "dog"))
    index(tmp_path, {"labels": None})
    assert labels(tmp_path) == (None, ())
    index(tmp_path, {"captions": []})
    assert labels(tmp_path) == ([0, 1], ("00000", "00001"))


def test_the_simple_form(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png", "c.png")
    index(tmp_path, {"a.png": "dog", "b.png": "cat", "c.png": "dog"})
    assert labels(tmp_path) == ([1, 0, 1], ("cat", "dog"))


def test_listed_classes_are_part_of_the_content_and_folders_are_in_the_names(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png")
    plain = ImageFolder(tmp_path).sha256
    hashes = {plain}
    for classes in ([0, 1], [1, 0]):
        index(tmp_path, {"labels": [["a.png", classes[0]], ["b.png", classes[1]]]})
        hashes.add(ImageFolder(tmp_path).sha256)
    assert len(hashes) == 3
    index(tmp_path, {"labels": None})
    assert ImageFolder(tmp_path).sha256 == plain


def test_labels_follow_when_a_broken_picture_is_set_aside(tmp_path: Path) -> None:
    make(tmp_path, "cat/1.png", "cat/2.png", "dog/1.png")
    (tmp_path / "cat" / "1.png").write_bytes(b"broken")
    data = ImageFolder(tmp_path)
    data.prepare((1, 4, 4))
    assert data.labels is not None and data.labels.tolist() == [0, 1] and data.class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"labels": [["cat/1.png", 0]]}, "does not list the pictures: dog/2.png"),
        ({"labels": [["cat/1.png", 0], ["dog/2.png", 1], ["dog/3.png", 1]]}, "lists pictures that are not there: dog/3.png"),
        ({"cat/1.png": "cat"}, "does not list the pictures: dog/2.png"),
        ({"cat/1.png": "cat", "dog/2.png": "dog", "../dog/2.png": "dog"}, r"not there: \.\./dog/2\.png"),
        ({"cat/1.png": "dog", "dog/2.png": "cat"}, r"disagrees with the folders.*: cat/1\.png \(dog\), dog/2\.png \(cat\)"),
        ({"labels": [["cat/1.png", 0], ["dog/2.png", -1]]}, "the class of 'dog/2.png' is -1"),
        ({"labels": [["cat/1.png", 0], ["dog/2.png", 10**30]]}, "not a whole number from 0 to 2147483647"),
        ({"labels": [["cat/1.png", 0], ["dog/2.png", 0.5]]}, "the class of 'dog/2.png' is 0.5"),
        ({"labels": [["cat/1.png", 0], ["dog/2.png", [0, 1]]]}, r"the class of 'dog/2.png' is \[0, 1\]"),
        ({"labels": [["cat/1.png", 0], ["dog/2.png", True]]}, "the class of 'dog/2.png' is True"),
        ({"labels": [["cat/1.png", 0], ["cat/1.png", 1]]}, "'cat/1.png' is listed twice"),
        ({"labels": {"cat/1.png": 0}}, "is not a pair of a picture and a class"),
        ({"labels": [["cat/1.png", 0], ["dog/2.png", 2]], "class_names": ["a", "b"]}, "a class 2, but only 2 class_names"),
        ({"labels": [["cat/1.png", 0], ["dog/2.png", 1]], "class_names": "ab"}, "class_names is not a list"),
        ({"cat/1.png": 0, "dog/2.png": 1}, "the class of 'cat/1.png' is 0, not a name"),
        ([1, 2], "it is not an object"),
        ('{"labels": [', "cannot be read as JSON"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: object, message: str) -> None:
    make(tmp_path, "cat/1.png", "dog/2.png")
    index(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        ImageFolder(tmp_path)
    assert "dataset.json" in str(caught.value)


def test_folders_that_are_not_called_like_classes_say_nothing(tmp_path: Path) -> None:
    make(tmp_path, "monday/1.png", "tuesday/2.png")
    index(tmp_path, {"monday/1.png": "dog", "tuesday/2.png": "cat"})
    assert labels(tmp_path) == ([1, 0], ("cat", "dog"))


def test_the_mark_that_editors_put_before_utf_8(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png")
    (tmp_path / "dataset.json").write_text('{"a.png": "dog", "b.png": "cat"}', encoding="utf-8-sig")
    assert labels(tmp_path) == ([1, 0], ("cat", "dog"))
