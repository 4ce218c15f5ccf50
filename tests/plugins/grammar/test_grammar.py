import itertools
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ganzoo.data import TextDataset
from ganzoo.errors import DataError, InvalidValueError
from ganzoo_grammar.automaton import Automaton, Rules
from ganzoo_grammar.density import GrammarDensity
from ganzoo_grammar.english import RULES, english
from ganzoo_grammar.metric import grammaticality
from ganzoo_grammar.sentences import draw, grammar

SMALL: Rules = {
    "S": [(3, "the N V"), (1, "a N V")],
    "N": [(1, "cat"), (1, "old M")],
    "M": [(1, "dog")],
    "V": [(4, "runs"), (1, "")],
}
SENTENCES = {
    "the cat runs": 0.75 * 0.5 * 0.8,
    "the cat": 0.75 * 0.5 * 0.2,
    "the old dog runs": 0.75 * 0.5 * 0.8,
    "the old dog": 0.75 * 0.5 * 0.2,
    "a cat runs": 0.25 * 0.5 * 0.8,
    "a cat": 0.25 * 0.5 * 0.2,
    "a old dog runs": 0.25 * 0.5 * 0.8,
    "a old dog": 0.25 * 0.5 * 0.2,
}


@pytest.fixture(scope="module")
def small() -> GrammarDensity:
    return GrammarDensity(Automaton(SMALL, "S"))


def test_every_sentence_with_its_probability(small: GrammarDensity) -> None:
    assert {" ".join(words): p for words, p in small.automaton.sentences()} == pytest.approx(SENTENCES)
    assert sum(SENTENCES.values()) == pytest.approx(1, abs=1e-15)
    rows = small.tokenizer.batch(SENTENCES, 6)
    assert small.log_prob(rows).sum(1).exp().tolist() == pytest.approx(list(SENTENCES.values()), abs=1e-15)
    assert (small.count, small.longest) == (8, 4)
    assert small.entropy == pytest.approx(-sum(p * math.log(p) for p in SENTENCES.values()), abs=1e-12)


def test_token_by_token(small: GrammarDensity) -> None:
    row = small.tokenizer.batch(["the cat"], 5)
    expected = [math.log(0.75), math.log(0.5), math.log(0.2), 0, 0]
    assert small.log_prob(row)[0].tolist() == pytest.approx(expected)


def test_all_rows_of_a_length_together_have_probability_one(small: GrammarDensity) -> None:
    """Every sequence of tokens, special ones included, up to a length: whole sentences, and beginnings that fill the row."""
    for length in (1, 2, 3, 4):
        rows = torch.tensor(list(itertools.product(range(small.tokenizer.size), repeat=length)))
        ended = (rows == 2).cumsum(1) > 0
        # Behind the end only one continuation counts: padding.
        rows = rows[((rows == 0) | ~ended | ((rows == 2) & ((rows == 2).cumsum(1) == 1))).all(1)]
        assert float(small.log_prob(rows).sum(1).exp().sum()) == pytest.approx(1, abs=1e-12)


def test_what_is_impossible(small: GrammarDensity) -> None:
    for text in ("cat the runs", "the", "the cat cat", "the cat runs runs", "the zebra"):
        assert not small.grammatical(text)
        assert float(small.log_prob(small.tokenizer.batch([text], 6)).sum()) == -math.inf
    special = torch.tensor([[1, 2, 0], [0, 0, 0], [3, 2, 0], [2, 0, 0]])
    assert small.log_prob(special).sum(1).tolist() == [-math.inf] * 4


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"S": [(1, "a S"), (1, "a")]}, "without end: S -> S"),
        ({"S": [(1, "T")], "T": [(1, "a U")], "U": [(1, "S b")]}, "without end: S -> T -> U -> S"),
        ({"S": [(1, "a b"), (1, "a c")]}, "which rule the word 'a' follows"),
        ({"S": [(0, "a"), (1, "b")]}, "weights of 'S' must be positive"),
        ({"S": []}, "weights of 'S' must be positive"),
    ],
)
def test_grammars_whose_probabilities_could_not_be_read_off(rules: Rules, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        Automaton(rules, "S")


def test_the_english_grammar() -> None:
    density = english()
    assert len(density.automaton.words) == 40
    assert (density.longest, density.count) == (12, 23_762_970)
    assert density.entropy == pytest.approx(11.3828, abs=1e-3)
    for moves in density.automaton.moves:
        assert not moves or sum(move.probability for move in moves) == pytest.approx(1, abs=1e-12)


def test_the_english_grammar_without_clauses_is_normalised_by_enumeration() -> None:
    short = {**RULES, "HOW": [(1.0, "")], "RELATIVE1": [(1.0, "")], "RELATIVE2": [(1.0, "")], "OBJECT": [(1.0, "ONE NOUN1")]}
    density = GrammarDensity(Automaton(short, "SENTENCE"))
    listed = dict(density.automaton.sentences())
    assert len(listed) == density.count
    rows = density.tokenizer.batch((" ".join(words) for words in listed), density.longest + 1)
    found = density.log_prob(rows).sum(1).exp()
    assert float(found.sum()) == pytest.approx(1, abs=1e-12)
    assert found.tolist() == pytest.approx(list(listed.values()), rel=1e-9)
    assert density.entropy == pytest.approx(float(-(found * found.log()).sum()), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("the dogs sleep.", True),
        ("the dogs sleeps.", False),
        ("the dog that follows the children sings.", True),
        ("the dog that follows the children sing.", False),
        ("two happy cats see every small bird.", True),
        ("two happy cat see every small bird.", False),
        ("the dogs sleep", False),
        ("the dogs sleep. the dogs sleep.", False),
        ("the zebra sleeps.", False),
        ("", False),
    ],
)
def test_grammaticality(text: str, right: bool) -> None:
    assert english().grammatical(text) is right


def test_the_data_set_is_drawn_from_its_density() -> None:
    data = grammar()
    assert (data.name, len(data), data.tokenizer, data.density) == ("grammar/train", 10_000, english().tokenizer, english())
    assert all(map(english().grammatical, data.lines))
    rows = english().tokenizer.batch(data.lines, english().longest)
    surprise = -english().log_prob(rows).sum(1)
    assert float(surprise.mean()) == pytest.approx(english().entropy, abs=4 * float(surprise.std()) / 100)
    assert data.lines[:2] == ("the dogs sleep.", "the cat that sees the cats follows a small cat.")
    assert data.validation is not None and data.validation.name == "grammar/valid" and len(data.validation) == 1000


def test_splits_are_independent_and_repeatable() -> None:
    first, test, valid = list(draw(5, 1)), grammar(split="test"), grammar(split="valid")
    assert first == list(draw(5, 1)) != list(draw(5, 2))
    assert test.lines != valid.lines and test.sha256 == grammar(split="test").sha256
    with pytest.raises(InvalidValueError, match=r"no split 'all'\.\nUse train, valid, test"):
        grammar(split="all")


def test_the_share_of_grammatical_samples() -> None:
    def sets(texts: list[str], data: TextDataset) -> Any:
        return SimpleNamespace(texts=texts, data=data)

    reference = grammar(split="test")
    texts = ["the dogs sleep.", "the dogs sleeps.", "a cat waits quietly.", "a"]
    assert grammaticality(sets(texts, reference)) == {"grammatical": 0.5}
    assert grammaticality(sets(list(reference.lines), reference)) == {"grammatical": 1.0}
    with pytest.raises(InvalidValueError, match="at least one sentence"):
        grammaticality(sets([], reference))
    with pytest.raises(DataError, match="mine is not drawn from a grammar"):
        grammaticality(sets(texts, TextDataset(texts, "mine")))
