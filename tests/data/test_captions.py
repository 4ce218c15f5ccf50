import json
from pathlib import Path

import pytest
from PIL import Image

from ganzoo.data import ImageFolder
from ganzoo.errors import DataError


@pytest.fixture
def three(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "sub/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (4, 4)).save(tmp_path / name)
    return tmp_path


def captions(root: Path) -> list[tuple[str, ...]] | None:
    found = ImageFolder(root).captions
    return None if found is None else [found[i] for i in range(len(found))]


def test_nothing_is_captioned(three: Path) -> None:
    (three / "other.txt").write_text("not beside a picture")
    assert captions(three) is None


def test_texts_beside_the_pictures_one_a_line(three: Path) -> None:
    (three / "a.txt").write_text("a cat\n\n  a tabby \n", encoding="utf-8-sig")
    (three / "sub" / "c.txt").write_text("ein Käfer", encoding="utf-8")
    assert captions(three) == [("a cat", "a tabby"), (), ("ein Käfer",)]
    found = ImageFolder(three).captions
    assert found is not None and found[1:] == [(), ("ein Käfer",)]


def test_hugging_faces_metadata(three: Path) -> None:
    lines = [{"file_name": "a.png", "text": "a cat"}, {"file_name": "b.png", "text": None, "other": 3}]
    (three / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    with_mark = '{"file_name": "c.png", "captions": ["x", "y"]}'
    (three / "sub" / "metadata.jsonl").write_text(with_mark, encoding="utf-8-sig")
    assert captions(three) == [("a cat",), (), ("x", "y")]


def test_the_index_comes_first(three: Path) -> None:
    (three / "a.txt").write_text("beside")
    (three / "dataset.json").write_text(json.dumps({"captions": [["b.png", ["listed", "twice"]], ["a.png", "once"]]}))
    data = ImageFolder(three)
    assert captions(three) == [("once",), ("listed", "twice"), ()] and data.labels is None


def test_captions_follow_when_a_broken_picture_is_set_aside(three: Path) -> None:
    for name in ("a", "b"):
        (three / f"{name}.txt").write_text(f"caption of {name}")
    (three / "a.png").write_bytes(b"broken")
    data = ImageFolder(three)
    data.prepare((1, 4, 4))
    assert data.captions is not None and [*data.captions] == [("caption of b",), ()]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "metadata.jsonl, line 2"),
        ('{"file_name": ' + "[" * 100_000, "line 2 cannot be used: maximum recursion depth"),
        ('{"text": "x"}', "line 2 cannot be used: there is no file_name"),
        ('{"file_name": "z.png", "text": "x"}', "the picture z.png is not there"),
        ('{"file_name": "../a.png", "text": "x"}', r"the picture \.\./a\.png is not there"),
        ('{"file_name": "b.png", "text": 3}', "3 is not a text"),
        ('{"file_name": "b.png", "text": ["x", 3]}', "is not a text"),
    ],
)
def test_metadata_that_cannot_be_used_is_named_with_its_line(three: Path, line: str, message: str) -> None:
    (three / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "fine"}\n' + line)
    with pytest.raises(DataError, match=message):
        ImageFolder(three)


@pytest.mark.parametrize("entry", [["z.png", "x"], ["a.png"], "a.png", ["a.png", 3]])
def test_an_index_that_cannot_be_used(three: Path, entry: object) -> None:
    (three / "dataset.json").write_text(json.dumps({"captions": [entry]}))
    with pytest.raises(DataError, match=r"captions in .*dataset\.json cannot be used"):
        ImageFolder(three)


def test_a_text_that_is_no_text_is_named_when_it_is_asked_for(three: Path) -> None:
    (three / "b.txt").write_bytes(b"\xff\xfe\x00")
    found = ImageFolder(three).captions
    assert found is not None and found[0] == ()
    with pytest.raises(DataError, match=r"b\.txt cannot be read(.|\n)*Save the file as UTF-8"):
        found[1]
