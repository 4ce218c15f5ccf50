"""Tokenizers as bytes, and as a buffer of a network; what is damaged is refused in words."""

import copy
import hashlib
import json
import zlib
from typing import Any

import pytest
import torch
from torch import nn

from ganzoo.errors import CheckpointError, ConfigError, CorruptFileError
from ganzoo.tokenizers import (
    CharTokenizer,
    IdTokenizer,
    Tokenizer,
    TokenizerBuffer,
    WordTokenizer,
    coding,
    decode_tokenizer,
    encode_tokenizer,
    tokenizer_of,
)

EVERY = [WordTokenizer(["the", "“é”"], lower=True), CharTokenizer(["a", " "]), IdTokenizer(5000)]


class Net(TokenizerBuffer):
    def __init__(self, vocab_size: int, tokenizer_bytes: int = 0) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.layer = nn.Linear(2, 2)
        self.init_tokenizer(tokenizer_bytes)


def packed(value: Any) -> torch.Tensor:
    return torch.frombuffer(bytearray(zlib.compress(json.dumps(value).encode())), dtype=torch.uint8)


@pytest.mark.parametrize("tokenizer", EVERY)
def test_what_is_written_is_read_again(tokenizer: Tokenizer) -> None:
    table = encode_tokenizer(tokenizer)
    assert (table.dtype, table.dim()) == (torch.uint8, 1)
    again = decode_tokenizer(table)
    assert type(again) is type(tokenizer)
    assert (again.to_json(), again.sha256) == (tokenizer.to_json(), tokenizer.sha256)
    assert again == tokenizer_of(json.loads(json.dumps(tokenizer.to_json())))


def test_the_hash_is_of_everything_that_matters() -> None:
    hashes = {t.sha256 for t in [*EVERY, WordTokenizer(["the", "“é”"]), WordTokenizer(["“é”", "the"], lower=True)]}
    assert len(hashes) == 5
    written = b'{"kind":"word","lower":false,"words":["a"]}'
    assert WordTokenizer(["a"]).sha256 == hashlib.sha256(written).hexdigest()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"kind": "word", "words": ["a", "a"], "lower": False}, "lists each token once"),
        ({"kind": "word", "words": ["a"]}, "missing required field"),
        ({"kind": "word", "words": ["a"], "lower": False, "code": "print(1)"}, "unknown field"),
        ({"kind": "pickle", "words": ["a"]}, "pickle"),
        ({"kind": "char", "characters": ["ab"], "lower": False}, "more than one character"),
        ({"kind": "ids", "size": 10**12}, "between 1 and"),
        ([], "Expected `object`"),
    ],
)
def test_json_that_is_no_tokenizer(value: Any, words: str) -> None:
    with pytest.raises(CorruptFileError, match="no tokenizer") as caught:
        decode_tokenizer(packed(value))
    assert words in str(caught.value)


def test_damaged_bytes() -> None:
    good = encode_tokenizer(EVERY[0])
    flipped = good.clone()
    flipped[len(flipped) // 2] ^= 255
    hostile = torch.frombuffer(bytearray(b"cposix\nsystem\n(S'id'\ntR."), dtype=torch.uint8)
    for table in (flipped, good[:-5], good[:0], torch.cat([good, good[:1]]), hostile, packed("x")[1:]):
        with pytest.raises(CorruptFileError):
            decode_tokenizer(table)
    for table in (good.float(), good[None]):
        with pytest.raises(CorruptFileError, match=r"saved as uint8 \[n\]"):
            decode_tokenizer(table)
    not_json = torch.frombuffer(bytearray(zlib.compress(b"[" * 100_000)), dtype=torch.uint8)
    with pytest.raises(CorruptFileError, match="cannot be read"):
        decode_tokenizer(not_json)


def test_a_bomb_does_not_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "LARGEST", 10_000)
    bomb = torch.frombuffer(bytearray(zlib.compress(b" " * 1_000_000)), dtype=torch.uint8)
    with pytest.raises(CorruptFileError, match="more than a tokenizer can have"):
        decode_tokenizer(bomb)


def test_a_network_carries_its_tokenizer() -> None:
    words = WordTokenizer(["a", "b"])
    size = len(encode_tokenizer(words))
    net = Net(6, size)
    assert not net.has_tokenizer
    with pytest.raises(ConfigError, match="has no tokenizer yet"):
        _ = net.tokenizer
    net.set_tokenizer(words)
    assert net.has_tokenizer
    assert net.tokenizer == words
    assert net.tokenizer is net.tokenizer  # decoded once
    twin = Net(6, size)
    twin.load_state_dict(net.state_dict())
    assert twin.tokenizer == words
    assert copy.deepcopy(net).tokenizer is net.tokenizer
    assert net.half().tokenizer_table.dtype == torch.uint8


def test_loading_other_weights_changes_the_tokenizer() -> None:
    one, other = WordTokenizer(["a", "b"]), WordTokenizer(["b", "a"])
    size = len(encode_tokenizer(one))
    net, twin = Net(6, size), Net(6, size)
    net.set_tokenizer(one)
    twin.set_tokenizer(other)
    assert net.tokenizer == one
    net.load_state_dict(twin.state_dict())
    assert net.tokenizer == other


def test_a_network_of_plain_ids() -> None:
    net = Net(7)
    assert net.has_tokenizer
    assert net.tokenizer == IdTokenizer(7)
    net.set_tokenizer(IdTokenizer(7))
    assert "tokenizer_table" in net.state_dict()
    with pytest.raises(ConfigError, match="vocabulary of 7"):
        net.set_tokenizer(IdTokenizer(8))


def test_a_tokenizer_that_does_not_fit() -> None:
    words = WordTokenizer(["a", "b"])
    net = Net(6, 3)
    with pytest.raises(ConfigError, match=r"has room for 3\.\nBuild it with tokenizer_bytes="):
        net.set_tokenizer(words)
    with pytest.raises(ConfigError, match="vocabulary of 6"):
        net.set_tokenizer(WordTokenizer(["a"]))
    for size in (-1, True, 2.0):
        with pytest.raises(ConfigError, match="whole number from 0 on"):
            Net(6, size)  # type: ignore[arg-type]


def test_a_checkpoint_whose_vocabulary_is_another_one() -> None:
    table = encode_tokenizer(WordTokenizer(["a", "b"]))
    net = Net(9, len(table))
    net.tokenizer_table.copy_(table)
    with pytest.raises(CheckpointError, match="tokenizer has 6 tokens, but its Net has 9"):
        _ = net.tokenizer
    net.tokenizer_table[5] ^= 255
    with pytest.raises(CorruptFileError):
        _ = net.tokenizer
