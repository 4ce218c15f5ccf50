import pytest
import torch

from ganzoo.data import TextDataset
from ganzoo.errors import DataError
from ganzoo.spec import Tokenization
from ganzoo.text.training.material import encode, hashed_below, prepare
from ganzoo.tokenizers import IdTokenizer, WordTokenizer
from ganzoo.training import Silent
from tests.text.training.toy import LINES, toy_text


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def words(size: int | None = 5000) -> WordTokenizer:
    return WordTokenizer.of(LINES, size)


def test_sentences_that_are_too_long_are_left_out_or_cut_and_that_is_told() -> None:
    data, tokenizer, notes = TextDataset(["a b", "a b c d"], "two"), WordTokenizer.of(["a b c d"]), Notes()
    skipped = encode(data, tokenizer, Tokenization(), 3, notes)
    assert [tokenizer.decode(row) for row in skipped] == ["a b"]
    assert notes.notes == ["two: 1 of 2 sentences have more than 3 tokens; left out."]
    cut = encode(data, tokenizer, Tokenization(longer="cut"), 3, notes)
    assert [tokenizer.decode(row) for row in cut] == ["a b", "a b c"]


def test_unknown_words_are_told() -> None:
    notes = Notes()
    encode(TextDataset(["the cat sees a zebra"], "one"), words(), Tokenization(), 8, notes)
    assert notes.notes == ["one: 20.0% of 5 tokens are not in the vocabulary."]


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(DataError, match=r"None of the 48 sentences of toy-text has at most 2 tokens.\n.*tokenizer.longer=cut"):
        encode(toy_text(), words(), Tokenization(), 2, Silent())


def test_what_is_held_out_depends_on_the_sentence_alone() -> None:
    tokenizer = words()
    here = prepare(toy_text(), tokenizer, Tokenization(), 8, 0.3, Silent())
    there = prepare(TextDataset(reversed(LINES), "reversed"), tokenizer, Tokenization(), 8, 0.3, Silent())
    assert len(here.train) + len(here.valid) == len(LINES) and 5 <= len(here.valid) <= 25
    assert {tokenizer.decode(row) for row in here.valid} == {tokenizer.decode(row) for row in there.valid}
    assert not {tokenizer.decode(row) for row in here.valid} & {tokenizer.decode(row) for row in here.train}


def test_equal_sentences_are_on_one_side() -> None:
    tokens = torch.randint(0, 9, (200, 5), generator=torch.Generator().manual_seed(0)).repeat(2, 1)
    out = hashed_below(tokens, 0.2)
    assert torch.equal(out[:200], out[200:]) and 0.1 < out.float().mean() < 0.3


def test_a_validation_set_of_the_data_is_taken() -> None:
    data = TextDataset(LINES[:40], "mine", validation=TextDataset(LINES[40:], "theirs"))
    material = prepare(data, words(), Tokenization(), 8, 0.5, Silent())
    assert (len(material.train), len(material.valid)) == (40, 8)


def test_a_validation_set_of_another_kind_is_told() -> None:
    notes = Notes()
    cats, dogs = ([f"a {pet} that likes number {i}" for i in range(80)] for pet in ("cat", "dog"))
    prepare(TextDataset(cats, "cats", validation=TextDataset(dogs, "dogs")), words(), Tokenization(), 8, 0.0, notes)
    assert [note for note in notes.notes if "a linear probe tells them apart 100% of the time" in note]
    notes = Notes()
    alike = TextDataset(cats[::2], "cats", validation=TextDataset(cats[1::2], "more cats"))
    prepare(alike, words(), Tokenization(), 8, 0.0, notes)
    assert not [note for note in notes.notes if "probe" in note]


def test_too_few_to_hold_some_out() -> None:
    with pytest.raises(DataError, match=r"has 1 sentences: too few to hold out a share of 0.05.\n.*validation=0"):
        prepare(TextDataset(["the cat"], "one"), words(), Tokenization(), 8, 0.05, Silent())
    assert len(prepare(TextDataset(["the cat"], "one"), words(), Tokenization(), 8, 0.0, Silent()).valid) == 0


def test_ids_are_taken_as_they_are_where_they_fit() -> None:
    ids = torch.arange(12).view(4, 3) % 7
    data = TextDataset.of_ids(ids, "ids", tokenizer=IdTokenizer(7))
    assert torch.equal(encode(data, IdTokenizer(7), Tokenization(), 3, Silent()), ids)
    with pytest.raises(DataError, match="sentences of 3 tokens out of 7; the model is made for 4 out of 7"):
        encode(data, IdTokenizer(7), Tokenization(), 4, Silent())
    with pytest.raises(DataError, match="the model is made for 3 out of 5"):
        encode(data, IdTokenizer(5), Tokenization(), 3, Silent())
