import gzip
import zlib
from importlib.resources import files
from pathlib import Path

import pytest

from ganzoo.data import warn_if_separable
from ganzoo.errors import DataError, InvalidValueError
from ganzoo.tokenizers import WordTokenizer, join_words, split_words
from ganzoo_wordnet import ganzoo_datasets, glosses, make_corpus
from ganzoo_wordnet.glosses import SPLITS, wordnet_glosses

CORPUS = files("ganzoo_wordnet") / "corpus"
DATA = """\
  1 This software and database is being provided to you, the LICENSEE, by
  2
  3 WordNet 3.1 Copyright 2011 by Princeton University.
00001740 03 n 01 entity 0 000 | a large bird that (often) sings; any of many; "birds sing"; "a | b"
00001741 03 n 01 entity 0 000 | a large bird that sings
00001742 03 n 01 entity 0 000 | a large bird
00001743 03 n 01 entity 0 000 | (ethnic slur) offensive term for a large bird that sings
00001744 03 n 01 entity 0 000 | the large bird that sings a song:
00001745 03 n 01 entity 0 000 | a song that a large bird sings or `whistles'
00001746 03 n 01 entity 0 000 | a song that the large bird sings
00001747 03 n 01 entity 0 000 | a song that the zebra sings
"""


def test_the_splits_are_whole_and_share_nothing() -> None:
    splits = {name: wordnet_glosses(split=name) for name in SPLITS}
    assert {name: len(data) for name, data in splits.items()} == {"train": 16689, "valid": 951, "test": 915, "all": 18555}
    train, valid, test, everything = (set(splits[name].lines) for name in SPLITS)
    assert train | valid | test == everything and len(everything) == 18555
    assert splits["train"].validation is not None and set(splits["train"].validation.lines) == valid
    assert splits["test"].validation is None
    for name, data in splits.items():
        assert data.name == f"wordnet-glosses/{name}" and data.licence is not None and "WordNet" in data.licence
        assert (data.blank, data.cleaned, data.duplicates) == (0, 0, 0)


def test_the_content_is_pinned() -> None:
    """Figures of two machines are comparable only if these are equal."""
    assert wordnet_glosses(split="all").sha256 == "eb19df73881145a337d58828aa95f66632766fc0645e20285f636ba841017568"
    assert wordnet_glosses(split="train").sha256 == "7cd856185c963d7a9b8d41ab7eb280aa46bbe23af113dd5f69180fa26fe05942"


def test_a_vocabulary_of_the_training_split_covers_every_split() -> None:
    train = wordnet_glosses()
    tokenizer = WordTokenizer.of(train.lines, 5000)
    assert tokenizer.size == 4660
    lengths = set()
    for name in SPLITS:
        for line in wordnet_glosses(split=name).lines:
            ids = tokenizer.encode(line)
            assert tokenizer.unknown not in ids
            lengths.add(len(ids))
    assert (min(lengths), max(lengths)) == (4, 16)


def test_the_sentences_are_natural_text() -> None:
    lines = wordnet_glosses(split="all").lines
    assert "a native or inhabitant of Malaysia" in lines
    assert sum(join_words(split_words(line)) != line for line in lines) == 3  # plural genitives: "customers' orders"


def test_training_and_test_sentences_are_of_one_kind() -> None:
    assert warn_if_separable(wordnet_glosses().lines, wordnet_glosses(split="test").lines) is None
    everything = wordnet_glosses(split="all").lines
    half = len(everything) // 2
    assert warn_if_separable(everything[:half], everything[half:]) is not None  # by the file's order they would not be


def test_the_notice_is_there_and_the_corpus_is_small() -> None:
    text = (CORPUS / "NOTICE.txt").read_text()
    assert "WordNet 3.1 Copyright 2011 by Princeton University" in text and "AS IS" in text
    assert len((CORPUS / "glosses.txt.gz").read_bytes()) < 300_000


def test_other_splits_do_not_exist() -> None:
    with pytest.raises(InvalidValueError, match=r"no split 'dev'\.\nUse train, valid, test, all"):
        wordnet_glosses(split="dev")


def test_the_summary_tells_the_truth() -> None:
    (part,) = ganzoo_datasets()
    assert f"{len(wordnet_glosses(split='all')):,} definitions" in part.summary


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"a\n" * 1000)[:-5], gzip.compress(b"\xff\n")])
def test_a_damaged_file(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "glosses.txt.gz").write_bytes(content)
    monkeypatch.setattr(glosses, "files", lambda _: tmp_path)
    with pytest.raises(DataError, match=r"damaged|there is no text|too few"):
        wordnet_glosses()


def test_what_a_definition_is() -> None:
    lines = DATA.splitlines()
    assert list(make_corpus.definitions(lines)) == [
        "a large bird that sings",
        "a large bird that sings",
        "a large bird",
        "the large bird that sings a song",
        "a song that a large bird sings or `whistles'",
        "a song that the large bird sings",
        "a song that the zebra sings",
    ]


def test_which_definitions_are_kept() -> None:
    """Out go what is too short, what has odd marks, and what has a word that less than three of those kept have."""
    kept = make_corpus.choose(make_corpus.definitions(DATA.splitlines()))
    assert kept == []  # "song" is in three, but one of them has the zebra; without it "song" is too rare, and so on
    more = [*make_corpus.definitions(DATA.splitlines()), "the bird that sings a song", "the song of a bird that sings"]
    assert make_corpus.choose(more) == [
        "a large bird that sings",
        "the large bird that sings a song",
        "a song that the large bird sings",
        "the bird that sings a song",
    ]


def test_the_corpus_is_written_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon"]
    data = [f"0000174{i} 03 n 01 entity 0 000 | the {a} of {b} things" for i, a in enumerate(words) for b in words]
    (tmp_path / "data.noun").write_text("\n".join([*DATA.splitlines()[:3], *data]) + "\n")
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr("sys.argv", ["make_corpus", str(tmp_path), str(tmp_path / name)])
        make_corpus.main()
        written.append([(tmp_path / name / file).read_bytes() for file in ("glosses.txt.gz", "NOTICE.txt")])
    assert written[0] == written[1]
    lines = zlib.decompress(written[0][0], wbits=31).decode().splitlines()
    assert len(lines) == 25 and lines[1] == "the alpha of beta things"
    assert written[0][1].decode().splitlines() == [
        "This software and database is being provided to you, the LICENSEE, by",
        "",
        "WordNet 3.1 Copyright 2011 by Princeton University.",
    ]
