"""The Kneser-Ney model: it sums to 1, and gives what the formulas give by hand and written out naively."""

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from ganzoo.errors import InvalidValueError
from ganzoo.text.metrics import KneserNey
from ganzoo.text.metrics.ngram import discounts
from tests.text.metrics.corpora import WORDS, sentences

CONTEXTS = [[], ["the"], ["the", "dog"], ["never", "seen"], ["dog", "dog", "dog", "dog", "dog", "dog"], ["very", "the", "of"]]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("context", CONTEXTS)
def test_the_next_words_sum_to_1(order: int, start: bool, context: list[str]) -> None:
    found = KneserNey(sentences(200, 1), order=order).next_words(context, start=start)
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)
    assert min(found.values()) > 0
    assert set(found) == {"", None, *WORDS}


def test_they_sum_to_1_with_few_and_with_extreme_counts() -> None:
    for corpus in ([["a"]], [["a", "b"]] * 1000, [[]], [["a"] * 30], [["a", "b", "a"], ["b"], []]):
        for context in ([], ["a"], ["a", "b"], ["z"]):
            model = KneserNey(corpus, vocabulary=["a", "b", "c"])
            assert sum(model.next_words(context).values()) == pytest.approx(1.0, abs=1e-12)
            assert min(model.next_words(context).values()) > 0


def test_a_bigram_model_by_hand() -> None:
    """Sentences "a b" twice and "a c". Bigrams: <a 3, ab 2, ac 1, b> 2, c> 1, written < and > for start and end. Counts of
    counts: two 1, two 2, one 3, no 4: one discount for all, 2 / (2 + 2 x 2) = 1/3. Left neighbours: a {<}, b {a}, c {a},
    > {b, c}: 5 in all; three 1, one 2, no 3: discount 3 / (3 + 2) = 3/5. Outcomes: a, b, c, end, unknown.
    """
    model = KneserNey([["a", "b"], ["a", "b"], ["a", "c"]], order=2)
    rest = 4 * 3 / 5 / 5  # four kinds of word have something taken off
    low = {"a": 0.4 / 5 + rest / 5, "b": 0.4 / 5 + rest / 5, "c": 0.4 / 5 + rest / 5, "": 1.4 / 5 + rest / 5, None: rest / 5}
    assert sum(low.values()) == pytest.approx(1)
    assert model.next_words([], start=False) == {key: pytest.approx(value) for key, value in low.items()}
    third = 1 / 3
    after_a = {key: 2 * third / 3 * value for key, value in low.items()}
    after_a["b"] += (2 - third) / 3
    after_a["c"] += (1 - third) / 3
    assert model.next_words(["a"]) == {key: pytest.approx(value) for key, value in after_a.items()}
    assert model.next_words(["a"], start=False) == model.next_words(["a"])
    assert model.next_words(["new"]) == {key: pytest.approx(value) for key, value in low.items()}
    first = third / 3 * low["a"] + (3 - third) / 3  # only `a` begins a sentence
    assert model.next_words([])["a"] == pytest.approx(first)
    end = third / 2 * low[""] + (2 - third) / 2  # after `b`
    assert model.perplexity([["a", "b"]]) == pytest.approx((first * after_a["b"] * end) ** (-1 / 3))


class Naive:
    """The same formulas with dictionaries and recursion, one n-gram at a time."""

    def __init__(self, corpus: list[list[str]], order: int) -> None:
        self.order, self.vocabulary = order, sorted({word for each in corpus for word in each})
        padded = [["<", *each, ">"] for each in corpus]
        raw: dict[int, Counter[tuple[str, ...]]] = {
            n: Counter(tuple(each[i : i + n]) for each in padded for i in range(len(each) - n + 1)) for n in range(1, order + 1)
        }
        self.counts: dict[int, dict[tuple[str, ...], int]] = {}
        for n in range(1, order + 1):
            if n == order:
                self.counts[n] = {gram: c for gram, c in raw[n].items() if gram != ("<",)}
                continue
            left = defaultdict(set)
            for gram in raw[n + 1]:
                left[gram[1:]].add(gram[0])
            kept = {gram: raw[n][gram] if gram[0] == "<" else len(left[gram]) for gram in raw[n]}
            self.counts[n] = {gram: c for gram, c in kept.items() if gram != ("<",)}
        self.taken = {n: discounts(np.array(list(self.counts[n].values()))) for n in self.counts}

    def probability(self, word: str, context: tuple[str, ...], n: int) -> float:
        if n == 0:
            return 1 / (len(self.vocabulary) + 2)
        lower = self.probability(word, context[1:], n - 1)
        if n > len(context) + 1:
            return self.probability(word, context, n - 1)
        followers = {gram: c for gram, c in self.counts[n].items() if gram[:-1] == context[len(context) - n + 1 :]}
        if not followers:
            return self.probability(word, context, n - 1)
        total, off = sum(followers.values()), {gram: self.taken[n][min(c, 3) - 1] for gram, c in followers.items()}
        gram = (*context[len(context) - n + 1 :], word)
        own = followers[gram] - off[gram] if gram in followers else 0.0
        lower = self.probability(word, context, n - 1)
        return (own + sum(off.values()) * lower) / total


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_it_equals_the_formulas_written_out(order: int) -> None:
    corpus = sentences(40, 4, longest=7)
    model, naive = KneserNey(corpus, order=order), Naive(corpus, order)
    for sentence in [*corpus[:6], ["dog", "unheard", "the", "man", "the"], []]:
        padded = ["<", *sentence, ">"]
        expected = [math.log(naive.probability(padded[i], tuple(padded[:i]), order)) for i in range(1, len(padded))]
        assert model.log_prob([sentence]).tolist() == pytest.approx(expected, abs=1e-12)


def test_sentences_do_not_look_at_each_other() -> None:
    model, other = KneserNey(sentences(50, 1)), sentences(8, 2)
    together = model.log_prob(other).tolist()
    assert together == list(itertools.chain.from_iterable(model.log_prob([each]).tolist() for each in other))


def test_more_context_tells_more_and_seen_text_is_likely() -> None:
    text = [["the", "old", "man", "sees", w, "and", v] for w in WORDS for v in WORDS[:5]]
    seen, shuffled = text[::2], [each[::-1] for each in text[1::2]]
    perplexities = [KneserNey(seen, order=n).perplexity(text[1::2]) for n in (1, 2, 3)]
    assert perplexities[0] > 2 * perplexities[1] > 2 * perplexities[2]
    model = KneserNey(seen)
    assert model.perplexity(shuffled) > 10 * model.perplexity(text[1::2])


def test_discounts() -> None:
    """n1..n4 = 10, 5, 3, 2: Y = 1/2; 1 - 2Y 5/10, 2 - 3Y 3/5, 3 - 4Y 2/3."""
    counts = np.repeat([1, 2, 3, 4, 9], [10, 5, 3, 2, 1])
    assert discounts(counts).tolist() == pytest.approx([0.5, 1.1, 3 - 4 / 3])
    assert discounts(np.repeat([1, 2], [2, 1])).tolist() == [0.5] * 3  # n3 is missing
    assert discounts(np.repeat([1, 2, 3, 4], [1, 1, 9, 9])).tolist() == [pytest.approx(1 / 3)] * 3  # 2 - 9 is none
    assert discounts(np.array([7, 7, 0])).tolist() == [0.75] * 3


def test_a_vocabulary_of_its_own_and_unknown_words() -> None:
    model = KneserNey([["a", "b"], ["a", "z"]], vocabulary=["b", "a", "c"])
    assert model.vocabulary == ("a", "b", "c") and model.outcomes == 5
    assert model.log_prob([["q"]]).tolist() == model.log_prob([["z"]]).tolist()  # both unknown


def test_what_cannot_be_a_model() -> None:
    with pytest.raises(InvalidValueError, match="at least one sentence"):
        KneserNey([])
    with pytest.raises(InvalidValueError, match="at least 1, not 0"):
        KneserNey([["a"]], order=0)
    with pytest.raises(InvalidValueError, match="at least one sentence"):
        KneserNey([["a"]]).perplexity([])
