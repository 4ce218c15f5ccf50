"""Sentences: from lines, files and ids; splits by hash; whether two sets can be told apart."""

import hashlib
from pathlib import Path

import pytest
import torch

from ganzoo import resources
from ganzoo.data import TextDataset, separability, split_by_hash, text_files, warn_if_separable
from ganzoo.data.splits import hash_share
from ganzoo.errors import DataError, InvalidValueError
from ganzoo.tokenizers import IdTokenizer

TOPICS = [
    f"the {a} {b} is near a {c}" for a in ("old", "new", "red") for b in ("cat", "dog", "cow", "hen") for c in "qrstuvwxyz"
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lines.txt"


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_of_lines(file: Path) -> None:
    file.write_bytes("\ufeffone  two \n\n \t\nthree\x00four\r\none  two\ncafé".encode())
    data = TextDataset.from_file(file)
    assert data.lines == ("one  two", "three four", "one  two", "café")
    assert (data.name, data.modality, len(data)) == ("lines", "text", 4)
    assert (data.blank, data.cleaned, data.duplicates) == (2, 1, 1)
    assert (data.ids, data.tokenizer, data.density, data.validation) == (None, None, None, None)
    assert data.sha256 == hashlib.sha256("one  two\nthree four\none  two\ncafé\n".encode()).hexdigest()


def test_separators_of_lines_that_are_no_line_feed(file: Path) -> None:
    file.write_text("one\u2028two\x85three\x0bfour\n", encoding="utf-8")
    assert TextDataset.from_file(file).lines == ("one two three four",)


def test_a_file_of_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "lines.JSONL"
    file.write_text('{"text": "one\\ntwo", "id": 1}\n\n{"text": "thr\\u00e9e"}\n{"text": " "}\n', encoding="utf-8")
    data = TextDataset.from_file(file, name="mine")
    assert (data.lines, data.name, data.blank, data.cleaned) == (("one two", "thrée"), "mine", 2, 1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1]", "has no text"),
        ('{"texts": "a"}', 'Each line is an object with the field text: {"text": "…"}'),
        ('{"text": 3}', "has no text"),
        ('{"text": "\\ud800"}', "half of a surrogate pair"),
    ],
)
def test_a_line_that_is_no_such_object(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(f'{{"text": "a"}}\n{line}\n')
    with pytest.raises(DataError, match=r"lines\.jsonl, line 2 ") as caught:
        TextDataset.from_file(file)
    assert words in str(caught.value)


def test_text_that_is_not_utf8_names_the_file_and_the_line(file: Path) -> None:
    file.write_bytes("eins\nzwei\ncaf\xe9 und mehr\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"lines\.txt, line 3 is not UTF-8: byte 0xe9 at position 4") as caught:
        TextDataset.from_file(file)
    assert "WINDOWS-1252" in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "mark"), [("UTF-16", ""), ("UTF-16-BE", "\ufeff"), ("UTF-32", ""), ("UTF-32-BE", "\ufeff")]
)
def test_a_byte_order_mark_tells_how_the_file_is_written(tmp_path: Path, encoding: str, mark: str) -> None:
    for name in ("lines.txt", "lines.jsonl"):
        (tmp_path / name).write_bytes(f'{mark}{{"text": "eins"}}\nzwei\n'.encode(encoding))
        with pytest.raises(DataError, match=rf"{name} is {encoding[:6]}, not UTF-8") as caught:
            TextDataset.from_file(tmp_path / name)
        assert f"iconv -f {encoding[:6]} -t UTF-8" in str(caught.value)


def test_lines_that_end_in_carriage_returns_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Macintosh of the last century: one line for ganzoo, hundreds for their owner."""
    for content in ("one\rtwo\rthree\r", "one\rtwo", "\ufeffone\r\rtwo"):
        file.write_text(content, encoding="utf-8", newline="")
        with pytest.raises(DataError, match=r"lines\.txt ends its lines in carriage returns") as caught:
            TextDataset.from_file(file)
        assert "tr '\\r' '\\n'" in str(caught.value)
    jsonl = file.with_suffix(".jsonl")
    jsonl.write_text('{"text": "a"}\r{"text": "b"}\r', newline="")
    with pytest.raises(DataError, match="carriage returns"):
        TextDataset.from_file(jsonl)
    monkeypatch.setattr(text_files, "LONGEST", 50)
    file.write_text("a sentence\r" * 20, newline="")
    with pytest.raises(DataError, match="carriage returns"):
        TextDataset.from_file(file)
    for content, lines in (("one\r", ("one",)), ("one\rtwo\nthree\n", ("one two", "three")), ("one\r\ntwo", ("one", "two"))):
        file.write_text(content, newline="")
        assert TextDataset.from_file(file).lines == lines


@pytest.mark.parametrize("name", ["lines.txt.gz", "lines.csv", "lines"])
def test_files_that_are_neither_pictures_nor_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("one\n")
    with pytest.raises(DataError, match=rf"{name} is neither pictures nor text") as caught:
        resources.open_dataset(str(tmp_path / name))
    assert ".txt or .jsonl" in str(caught.value) and ".zip" in str(caught.value)


def test_a_folder_of_text_is_told_that_text_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one\n")
    with pytest.raises(DataError, match="There are no pictures in ") as caught:
        resources.open_dataset(str(tmp_path))
    assert "sentences come in one .txt or .jsonl file, not in a folder" in str(caught.value)


def test_a_file_without_text(file: Path, tmp_path: Path) -> None:
    for content in ("", "\n \n\x00\n", "\ufeff"):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=r"There is no text in .*lines\.txt"):
            TextDataset.from_file(file)
    with pytest.raises(DataError, match=r"no\.txt cannot be read: No such file"):
        TextDataset.from_file(tmp_path / "no.txt")


def test_a_line_without_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "LONGEST", 50)
    file.write_text("a" * 49 + "\n" + "b" * 51)
    with pytest.raises(DataError, match="line 2 has more than 50 bytes"):
        TextDataset.from_file(file)


def test_files_by_their_names(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("one\n")
    monkeypatch.chdir(file.parent)
    for text in ("lines.txt", "./lines.txt", str(file)):
        data = resources.open_dataset(text)
        assert isinstance(data, TextDataset) and data.lines == ("one",)
    file.rename(file.with_suffix(".jsonl")).write_text('{"text": "two"}')
    opened = resources.open_dataset("lines.jsonl")
    assert isinstance(opened, TextDataset) and opened.lines == ("two",)
    with pytest.raises(DataError, match=r"no\.txt cannot be read"):
        resources.open_dataset("./no.txt")
    assert resources.data_source("lines.jsonl") == str(file.with_suffix(".jsonl"))


# --- data sets --------------------------------------------------------------------------------------------------------


def test_one_sentence_is_a_data_set() -> None:
    data = TextDataset(["one"], "x")
    assert (len(data), data.duplicates) == (1, 0)


def test_lines_that_cannot_be_used() -> None:
    for lines in ([], ["", " "]):
        with pytest.raises(DataError, match="x: there is no text in it"):
            TextDataset(lines, "x")
    with pytest.raises(DataError, match="x, sentence 2 holds half of a surrogate pair"):
        TextDataset(["a", "\udc80"], "x")


def test_text_takes_no_shape() -> None:
    with pytest.raises(DataError, match="x is text, which needs a tokenizer"):
        TextDataset(["one"], "x").prepare((1, 8, 8))


def test_sentences_that_come_as_ids() -> None:
    ids = torch.tensor([[3, 0, 1], [2, 2, 2]])
    data = TextDataset.of_ids(ids, "oracle", tokenizer=IdTokenizer(4), licence="CC0-1.0")
    assert data.ids is not None and torch.equal(data.ids, ids)
    assert (data.lines, data.tokenizer, data.licence) == (("3 0 1", "2 2 2"), IdTokenizer(4), "CC0-1.0")
    for bad in (ids.float(), ids[0], ids[:0], ids.int()):
        with pytest.raises(DataError, match=r"sentences are int64 \[N, T\]"):
            TextDataset.of_ids(bad, "oracle", tokenizer=IdTokenizer(4))
    with pytest.raises(InvalidValueError, match="between 0 and 2"):
        TextDataset.of_ids(ids, "oracle", tokenizer=IdTokenizer(3))


def test_the_documentation_names_the_licences_of_the_built_in_text() -> None:
    from ganzoo.text.oracle.dataset import LICENCE as ORACLES
    from ganzoo_grammar.sentences import LICENCE as GRAMMAR
    from ganzoo_wordnet.glosses import LICENCE as GLOSSES

    table = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    rows = {row[1].strip(" `"): row[-2].strip() for row in (line.split("|") for line in table.splitlines()) if len(row) == 6}
    written = {"grammar": GRAMMAR, "text-oracle": ORACLES, "text-oracle-small": ORACLES}
    assert {name: rows[name].partition(",")[0] for name in written} == written
    assert rows["wordnet-glosses"].startswith("WordNet License") and GLOSSES.startswith("WordNet-3.1")


# --- splits -----------------------------------------------------------------------------------------------------------


def test_a_hash_decides_and_nothing_else() -> None:
    """SHA-256 of "a" begins with ca978112…, that of "b" with 3e23e816…, that of "c" with 2e7d2c03…"""
    assert hash_share("a") == pytest.approx(0xCA978112CA1BBDCA / 2**64)
    shares = {"low": 0.2, "middle": 0.3, "high": 0.5}
    assert split_by_hash("cabca", shares) == {"low": ["c", "c"], "middle": ["b"], "high": ["a", "a"]}


def test_the_parts_are_whole_and_as_large_as_wanted() -> None:
    lines = [f"sentence {i}" for i in range(4000)]
    parts = split_by_hash(lines, {"train": 0.9, "valid": 0.05, "test": 0.05})
    assert sorted(line for part in parts.values() for line in part) == sorted(lines)
    for part, share in (("train", 0.9), ("valid", 0.05), ("test", 0.05)):
        assert abs(len(parts[part]) / 4000 - share) < 4 * (share * (1 - share) / 4000) ** 0.5
    backwards = split_by_hash(reversed(lines), {"train": 0.9, "valid": 0.05, "test": 0.05})
    assert {name: sorted(part) for name, part in parts.items()} == {name: sorted(part) for name, part in backwards.items()}


def test_splits_that_cannot_be_made() -> None:
    for shares in ({}, {"a": 0.5}, {"a": 1.5, "b": -0.5}, {"a": 1.0, "b": 0.0}):
        with pytest.raises(InvalidValueError, match="1 together"):
            split_by_hash(["x"], shares)
    with pytest.raises(DataError, match="too few sentences to split: none for"):
        split_by_hash(["one sentence"], {"train": 0.5, "test": 0.5})


# --- separability -----------------------------------------------------------------------------------------------------


def test_a_hash_split_cannot_be_told_apart() -> None:
    lines = [f"{line} and {more}" for line in TOPICS for more in ("one", "two", "three")]
    parts = split_by_hash(lines, {"train": 0.5, "test": 0.5})
    found = separability(parts["train"], parts["test"])
    assert abs(found.accuracy - 0.5) < 4 * found.error and not found.clear
    assert warn_if_separable(parts["train"], parts["test"]) is None


def test_a_split_by_the_order_of_a_file_is_noticed_and_the_words_are_named() -> None:
    """A file that is sorted by what its sentences are about, cut in the middle."""
    lines = sorted(
        (f"{line} and {more}" for line in TOPICS for more in ("one", "two", "three")), key=lambda line: line.split()[2]
    )
    here, there = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    found = separability(here, there)
    assert found.clear and found.accuracy > 0.95
    assert set(found.first_words[:2]) == {"cat", "cow"} and set(found.second_words[:2]) == {"dog", "hen"}
    text = warn_if_separable(here, there)
    assert text is not None and f"{found.accuracy:.0%} of the time" in text and "'cat'" in text and "'hen'" in text


def test_a_share_of_one_topic_is_enough() -> None:
    """As in the captions that text GANs were compared on: one topic in a third of one half and in nothing of the other."""
    lines = [f"{line} and {more}" for line in TOPICS for more in range(20)]
    parts = split_by_hash(lines, {"here": 0.5, "there": 0.5})
    there = [line for line in parts["there"] if "old" not in line]
    assert separability(parts["here"], there).clear
    assert not separability(parts["here"], parts["there"]).clear


def test_two_languages_are_told_apart_always() -> None:
    other = [line.replace("the", "der").replace("is near a", "ist bei") for line in TOPICS]
    assert separability(TOPICS, other).accuracy == 1.0


def test_the_order_of_the_lines_and_repetitions_do_not_matter() -> None:
    here, there = TOPICS[:70], TOPICS[50:]
    assert separability(here, there) == separability([*reversed(here), *here], there)


def test_too_few_sentences_to_tell() -> None:
    with pytest.raises(DataError, match="at least 40 of each, not 3"):
        separability(TOPICS, ["a", "b", "c", "c"])
    assert warn_if_separable(TOPICS, ["a", "b", "c"]) is None
    marks = [f"{'!' * i}" for i in range(1, 50)]
    assert warn_if_separable(marks, [mark + "?" for mark in marks]) is None
