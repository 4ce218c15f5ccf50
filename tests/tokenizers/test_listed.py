"""Words, characters and ids: what is a token, in which order, and back to text."""

import os
import subprocess
import sys

import pytest
import torch

from ganzoo.errors import ConfigError, DataError, InvalidValueError
from ganzoo.tokenizers import CharTokenizer, IdTokenizer, Tokenizer, WordTokenizer, build_tokenizer, join_words, split_words

LINES = ["the dog sees the cat.", "the cat sleeps.", "a dog"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a self-made man's plan", ["a", "self-made", "man's", "plan"]),
        ("well, (in Nepal) and/or not", ["well", ",", "(", "in", "Nepal", ")", "and", "/", "or", "not"]),
        ("3.5% of 10,000 at 12:30", ["3.5", "%", "of", "10,000", "at", "12:30"]),
        ("e.g. so... -- or -ing", ["e.g", ".", "so", "...", "--", "or", "-", "ing"]),
        ("one,two a:b", ["one", ",", "two", "a", ":", "b"]),
        ("«déjà» “vu”", ["«", "déjà", "»", "“", "vu", "”"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("a\x00b\u2028c\u00a0d\ue000", ["a", "b", "c", "d\ue000"]),
        ("", []),
        (" \t ", []),
    ],
)
def test_what_a_word_is(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_words_are_normalised_and_lower_case_where_wanted() -> None:
    assert split_words("Cafe\u0301") == ["Caf\u00e9"]
    assert split_words("The CAT", lower=True) == ["the", "cat"]


@pytest.mark.parametrize(
    "text",
    [
        "a self-made man's \"plan\", (in Nepal) and/or 3.5% -- don't... U.S. $5!",
        "he said: 'no'; she did not.",
        "the cost is £3 [net], or so?",
    ],
)
def test_words_become_the_text_that_they_came_from(text: str) -> None:
    assert join_words(split_words(text)) == text


def test_the_vocabulary_is_ordered_by_count_then_by_code_point() -> None:
    tokenizer = WordTokenizer.of(LINES)
    assert tokenizer.vocabulary == (
        *("<pad>", "<bos>", "<eos>", "<unk>"),
        *("the", ".", "cat", "dog", "a", "sees", "sleeps"),
    )
    assert (tokenizer.pad, tokenizer.start, tokenizer.end, tokenizer.unknown) == (0, 1, 2, 3)
    assert WordTokenizer.of(reversed(LINES)) == tokenizer


def test_size_counts_the_special_tokens_and_the_rarest_words_go() -> None:
    assert WordTokenizer.of(LINES, 6).vocabulary[4:] == ("the", ".")
    assert WordTokenizer.of(LINES, 1000, min_count=2).vocabulary[4:] == ("the", ".", "cat", "dog")
    assert CharTokenizer.of(["abcab"], 6).vocabulary[4:] == ("a", "b")
    assert CharTokenizer.of(["abcab"]).size == 7
    assert WordTokenizer.of(["A a b"], lower=True).vocabulary[4:] == ("a", "b")


def test_the_vocabulary_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from ganzoo.tokenizers import WordTokenizer, CharTokenizer\n"
        "lines = [f'word{i % 97} and word{i % 89}' for i in range(500)]\n"
        "print(WordTokenizer.of(lines, 60).sha256, CharTokenizer.of(lines).sha256, set('abcdef'))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.split(maxsplit=2)
        for seed in ("0", "1")
    ]
    assert told[0][:2] == told[1][:2]
    assert told[0][2] != told[1][2]  # the seed did change the order of sets


def test_a_batch_ends_and_is_padded() -> None:
    tokenizer = WordTokenizer(["a", "b"])
    rows = tokenizer.batch(["a", "a b", "b b b", "zebra"], 3)
    assert rows.dtype == torch.int64
    assert rows.tolist() == [[4, 2, 0], [4, 5, 2], [5, 5, 5], [3, 2, 0]]
    assert [tokenizer.decode(row) for row in rows] == ["a", "a b", "b b b", "<unk>"]
    assert tokenizer.tokens(rows[0]) == ["a", "<eos>", "<pad>"]
    assert tokenizer.batch([], 3).shape == (0, 3)


def test_nothing_behind_the_end_is_text_and_special_tokens_are_none() -> None:
    assert WordTokenizer(["a", "b"]).decode([1, 4, 0, 2, 5]) == "a"
    assert WordTokenizer(["a", "b"]).decode([]) == ""


def test_sentences_that_are_too_long() -> None:
    tokenizer = WordTokenizer(["a", "b"])
    with pytest.raises(DataError, match=r"has 4 tokens, more than 3: 'a b a b'"):
        tokenizer.batch(["a", "a b a b"], 3)
    assert tokenizer.batch(["a b a b"], 3, "cut").tolist() == [[4, 5, 4]]
    assert tokenizer.batch(["a b a b", "b"], 3, "skip").tolist() == [[5, 2, 0]]
    with pytest.raises(DataError) as caught:
        tokenizer.batch(["a " * 500], 3)
    assert len(str(caught.value)) < 300
    with pytest.raises(InvalidValueError, match="at least 1 token"):
        tokenizer.batch(["a"], 0)
    with pytest.raises(InvalidValueError, match="'crop'"):
        tokenizer.batch(["a"], 3, "crop")  # type: ignore[arg-type]


def test_characters() -> None:
    tokenizer = CharTokenizer.of(["ab a", "b\tc"], lower=True)
    assert tokenizer.vocabulary[4:] == (" ", "a", "b", "c")
    assert tokenizer.decode(tokenizer.encode("Cab a")) == "cab a"
    assert tokenizer.encode("ax") == [5, 3]
    with pytest.raises(InvalidValueError, match="'ab' is more than one character"):
        CharTokenizer(["ab"])


def test_ids_are_tokens_themselves() -> None:
    tokenizer = IdTokenizer(5)
    assert (tokenizer.size, tokenizer.pad, tokenizer.start, tokenizer.end, tokenizer.unknown) == (5, None, 0, None, None)
    assert tokenizer.batch(["0 4 2", "1 1 1"], 3).tolist() == [[0, 4, 2], [1, 1, 1]]
    assert tokenizer.decode(torch.tensor([0, 4, 2])) == "0 4 2"
    assert tokenizer.tokens([3]) == ["3"]
    with pytest.raises(DataError, match="has 2 tokens, but every one must have 3"):
        tokenizer.batch(["1 2"], 3)
    for text in ("1 x", "5", "-1"):
        with pytest.raises(InvalidValueError, match="is not a list of ids from 0 to 4"):
            tokenizer.encode(text)
    for size in (0, -1, True, 2.5, 10**9):
        with pytest.raises(InvalidValueError, match="between 1 and 1000000"):
            IdTokenizer(size)  # type: ignore[arg-type]


@pytest.mark.parametrize("tokenizer", [WordTokenizer(["a"]), CharTokenizer(["a"]), IdTokenizer(5)])
def test_ids_outside_the_vocabulary(tokenizer: Tokenizer) -> None:
    for ids in ([0, 5], [-1], torch.tensor([7])):
        with pytest.raises(InvalidValueError, match="between 0 and 4"):
            tokenizer.decode(ids)
        with pytest.raises(InvalidValueError, match="between 0 and 4"):
            tokenizer.tokens(ids)


def test_a_prompt_of_unknown_words_is_refused_by_name() -> None:
    tokenizer = WordTokenizer(["the", "man"])
    assert tokenizer.encode_known("the man") == [4, 5]
    with pytest.raises(InvalidValueError, match="no token for 'zebra'") as caught:
        tokenizer.encode_known("the zebra man")
    assert "'the', 'man'" in str(caught.value)
    with pytest.raises(InvalidValueError, match="no token for 'z'"):
        CharTokenizer(["a"]).encode_known("az")
    assert IdTokenizer(5).encode_known("4") == [4]


@pytest.mark.parametrize("listed", [["a", "a"], [""], ["<pad>"], [3], ["\ud800"]])
def test_what_is_no_vocabulary(listed: list[str]) -> None:
    with pytest.raises(InvalidValueError):
        WordTokenizer(listed)


def test_a_vocabulary_of_nothing() -> None:
    for lines in ([], ["", "  "]):
        with pytest.raises(DataError, match="nothing to make a vocabulary of"):
            WordTokenizer.of(lines)
    with pytest.raises(DataError, match="No token occurs 2 times"):
        WordTokenizer.of(["a b"], min_count=2)
    for size, count in ((4, 1), (5000, 0)):
        with pytest.raises(InvalidValueError, match="more than its 4 special tokens"):
            WordTokenizer.of(["a"], size, count)


def test_special_tokens_in_the_data_are_ordinary_text() -> None:
    tokenizer = WordTokenizer.of(["a <eos> b"])
    assert tokenizer.end not in tokenizer.encode("a <eos> b")
    assert tokenizer.vocabulary[4:] == ("<", ">", "a", "b", "eos")


def test_tokenizers_by_kind() -> None:
    assert build_tokenizer("word", LINES, size=6) == WordTokenizer.of(LINES, 6)
    assert build_tokenizer("char", LINES, size=None, lower=True) == CharTokenizer.of(LINES, lower=True)
    with pytest.raises(ConfigError, match="no kind of tokenizer 'sentence'") as caught:
        build_tokenizer("sentence", LINES)
    assert "hf:" in str(caught.value)
