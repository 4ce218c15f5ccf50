"""Distinct n-grams, unique and copied texts: counted by hand."""

import pytest

from ganzoo.errors import InvalidValueError
from ganzoo.metrics import builtin_metrics, evaluate_generator
from ganzoo.text.metrics import copied_rate, distinct_ngrams, ngram_overlap, unique_rate
from tests.metrics.text_toys import silent, texts

MADE = [["a", "b", "a", "b"], ["a", "b"], ["c"], ["a", "b"]]


def test_distinct() -> None:
    assert distinct_ngrams(MADE, 1) == 3 / 9
    assert distinct_ngrams(MADE, 2) == 2 / 5  # ab ba ab, ab, ab
    assert distinct_ngrams(MADE, 3) == 1.0
    assert distinct_ngrams(MADE, 5) == 0.0  # none is that long
    assert unique_rate(MADE) == 3 / 4 and unique_rate([[], []]) == 1 / 2


def test_overlap() -> None:
    known = frozenset([("a", "b"), ("x", "y")])
    assert ngram_overlap(MADE, known, 2) == 4 / 5
    assert ngram_overlap([["a"]], known, 2) == 0.0
    assert copied_rate(MADE, [["a", "b"], ["a", "b", "a"]]) == 2 / 4


def test_a_collapsed_model_is_seen() -> None:
    metrics = builtin_metrics("distinct", "overlap", "self-bleu")
    made = evaluate_generator(silent(), texts(["c a", "b a c a"]), samples=50, metrics=metrics, controls=False).model.figures
    assert made["unique-rate"] == 1 / 50 and made["copied-rate"] == 1.0 and made["self-bleu-2"] == pytest.approx(1.0)
    assert made["distinct-1"] == 2 / 100 and made["overlap-3"] == 0.0


def test_nothing_to_count() -> None:
    for compute in (lambda: distinct_ngrams([], 1), lambda: unique_rate([]), lambda: copied_rate([], [["a"]])):
        with pytest.raises(InvalidValueError, match="at least one sentence"):
            compute()
