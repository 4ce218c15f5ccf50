import pytest
import torch

from ganzoo.data import TextDataset
from ganzoo.data.splits import hash_share
from ganzoo.errors import DataError
from ganzoo.spec import Tokenization
from ganzoo.text.training.material import encode, hashed_below, prepare, training_lines
from ganzoo.tokenizers import CharTokenizer, IdTokenizer, Tokenizer, WordTokenizer
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


def test_lines_without_a_token_are_counted_apart() -> None:
    notes = Notes()
    data = TextDataset(["a b", "\u200b", "a b a b", "\u200b\u200b"], "four")
    encode(data, WordTokenizer.of(["a b"]), Tokenization(), 3, notes)
    assert notes.notes == [
        "four: 1 of 4 sentences have more than 3 tokens; left out.",
        "four: 2 of 4 sentences have no token; left out.",
    ]
    with pytest.raises(DataError, match="None of the 1 sentences of none has a token"):
        encode(TextDataset(["\u200b"], "none"), WordTokenizer.of(["a b"]), Tokenization(), 3, Silent())


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
    assert {tokenizer.decode(row) for row in here.valid} == {line for line in LINES if hash_share(line) < 0.3}
    assert list(training_lines(toy_text(), 0.3)) == [tokenizer.decode(row) for row in here.train]


@pytest.mark.parametrize("other", [WordTokenizer.of(LINES, 7), WordTokenizer.of(LINES[:3]), CharTokenizer.of(LINES)])
def test_the_vocabulary_does_not_decide_what_is_held_out(other: Tokenizer) -> None:
    """Also where a sentence is too long for it."""
    material = prepare(toy_text(), other, Tokenization(), 22, 0.3, Silent())
    fitting = [line for line in LINES if len(other.encode(line)) <= 22]
    for part, held in ((material.train, False), (material.valid, True)):
        lines = [line for line in fitting if (hash_share(line) < 0.3) == held]
        assert lines and torch.equal(part, other.batch(lines, 22))


def test_all_sentences_make_the_vocabulary_where_the_data_bring_others_to_look_at() -> None:
    assert training_lines(toy_text(validation=TextDataset(["x y"], "v")), 0.3) == training_lines(toy_text(), 0.0) == LINES


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
    message = r"has 1 different sentence: too few to hold out a share of 0.05.\n.*validation=0"
    for count in (1, 50):
        few = TextDataset(["the cat"] * count, "one")
        with pytest.raises(DataError, match=message):
            prepare(few, words(), Tokenization(), 8, 0.05, Silent())
        with pytest.raises(DataError, match=message):
            training_lines(few, 0.05)
    assert len(prepare(TextDataset(["the cat"], "one"), words(), Tokenization(), 8, 0.0, Silent()).valid) == 0


def test_ids_are_taken_as_they_are_where_they_fit() -> None:
    ids = torch.arange(12).view(4, 3) % 7
    data = TextDataset.of_ids(ids, "ids", tokenizer=IdTokenizer(7))
    assert torch.equal(encode(data, IdTokenizer(7), Tokenization(), 3, Silent()), ids)
    with pytest.raises(
        DataError, match=r"sentences of 3 tokens out of IdTokenizer\(7 .*; the model is made for 4 out of Id.*\(7"
    ):
        encode(data, IdTokenizer(7), Tokenization(), 4, Silent())
    with pytest.raises(DataError, match=r"the model is made for 3 out of IdTokenizer\(5 tokens\)"):
        encode(data, IdTokenizer(5), Tokenization(), 3, Silent())


def test_ids_of_another_vocabulary_are_refused_also_where_they_would_fit() -> None:
    one, other = (WordTokenizer(each) for each in (["a", "b", "c"], ["c", "b", "a"]))
    ids = torch.tensor([[4, 5, 2], [6, 2, 0]])
    data = TextDataset.of_ids(ids, "ids", tokenizer=one)
    assert torch.equal(encode(data, WordTokenizer(["a", "b", "c"]), Tokenization(), 3, Silent()), ids)
    with pytest.raises(DataError, match=r"out of WordTokenizer\(7 tokens\)\. Their tokens are others\.\nBegin with a model"):
        encode(data, other, Tokenization(), 3, Silent())
    with pytest.raises(DataError, match="the model is made for 3 out of WordTokenizer"):
        encode(TextDataset.of_ids(ids, "ids", tokenizer=IdTokenizer(7)), one, Tokenization(), 3, Silent())
    beside = TextDataset.of_ids(ids, "ids", tokenizer=one, validation=TextDataset.of_ids(ids, "v", tokenizer=other))
    with pytest.raises(DataError, match="v has sentences of 3 tokens"):
        prepare(beside, one, Tokenization(), 3, 0.0, Silent())


def test_a_density_of_other_tokens_is_left_out_and_that_is_told() -> None:
    density = object()
    data = TextDataset(LINES, "toy", tokenizer=words(), density=density)  # type: ignore[arg-type]
    notes = Notes()
    assert prepare(data, WordTokenizer.of(LINES), Tokenization(), 8, 0.3, notes).density is density and not notes.notes
    assert prepare(data, words(9), Tokenization(), 8, 0.3, notes).density is None
    assert notes.notes[0] == "toy knows the density of its own tokens; this model has others, so it is not used."
