"""BLEU and self-BLEU: numbers worked out by hand, and nltk's."""

import math
import warnings

import pytest

from ganzoo.errors import InvalidValueError
from ganzoo.text.metrics import References, bleu_scores, self_bleu_scores
from tests.text.metrics.corpora import sentences

ORDERS = (2, 3, 4, 5)
HYPOTHESIS = ["the", "cat", "sat", "on", "the", "mat"]
ONE, OTHER = ["the", "cat", "is", "on", "the", "mat"], ["a", "cat", "sat", "there", "on", "the", "old", "mat"]


def test_by_hand_with_clipping_over_all_references() -> None:
    """1-grams: all 6 occur, ``the`` twice in the first reference. 2-grams: the cat, cat sat, on the, the mat of 5. 3-grams: on
    the mat of 4. 4-grams: none of 3. The closest length is 6: no penalty.
    """
    found = bleu_scores([HYPOTHESIS], [ONE, OTHER])
    assert found[2] == pytest.approx((6 / 6 * 4 / 5) ** (1 / 2), abs=1e-15)
    assert found[3] == pytest.approx((6 / 6 * 4 / 5 * 1 / 4) ** (1 / 3), abs=1e-15)
    assert found[4] == pytest.approx((6 / 6 * 4 / 5 * 1 / 4 * 0.1 / 3) ** (1 / 4), abs=1e-15)
    assert found[5] == pytest.approx((6 / 6 * 4 / 5 * 1 / 4 * 0.1 / 3 * 0.1 / 2) ** (1 / 5), abs=1e-15)
    # only the second reference: `the` once, so 5 of 6; cat sat and on the of 5; and too short by 2
    assert bleu_scores([HYPOTHESIS], [OTHER], [2])[2] == pytest.approx((5 / 6 * 2 / 5) ** 0.5 * math.exp(1 - 8 / 6), abs=1e-15)


def test_the_counts_of_two_references_are_not_added_up() -> None:
    assert bleu_scores([["a", "a", "a"]], [["a"], ["a", "b", "b"], ["a", "a", "c"]], [1])[1] == pytest.approx(2 / 3)


def test_the_mean_over_hypotheses_and_edges() -> None:
    refs = [ONE, OTHER]
    both = bleu_scores([HYPOTHESIS, ["nothing", "fits"]], refs, ORDERS)
    alone = bleu_scores([HYPOTHESIS], refs, ORDERS)
    assert both == {n: pytest.approx(alone[n] / 2) for n in ORDERS}  # not one word in common: 0, without smoothing
    assert bleu_scores([[]], refs) == dict.fromkeys(ORDERS, 0.0)
    assert bleu_scores([["cat"]], refs, [2])[2] == pytest.approx((1 * 0.1 / 1) ** 0.5 * math.exp(1 - 6 / 1))
    assert bleu_scores([ONE], refs, [2, 5]) == {2: pytest.approx(1.0), 5: pytest.approx(1.0)}
    assert bleu_scores([["a", "b"]], [["a"], ["a", "b", "c"]], [1])[1] == 1.0  # as close to 1 as to 3: the shorter


def test_self_bleu_by_hand() -> None:
    """The last has ``x`` twice as no other has: clipped to one; the twins find each other."""
    found = self_bleu_scores([["a", "b"], ["a", "b"], ["x", "x", "a"], ["x", "c", "d"]], [1])
    assert found[1] == pytest.approx((1 + 1 + 2 / 3 + 1 / 3) / 4)


def test_self_bleu_leaves_out_the_sentence_and_its_length() -> None:
    assert self_bleu_scores([["a", "b", "c"]] * 3, [3])[3] == pytest.approx(1.0)
    assert self_bleu_scores([["a", "b"], ["a", "b", "c", "d"]], [1])[1] == pytest.approx(
        (1 * math.exp(1 - 4 / 2) + 2 / 4) / 2
    )  # the first is compared with a length of 4 only, not with its own


def test_self_bleu_is_bleu_against_all_the_others() -> None:
    made = sentences(60, 3)
    others = [bleu_scores([each], made[:i] + made[i + 1 :]) for i, each in enumerate(made)]
    found = self_bleu_scores(made)
    for n in ORDERS:
        assert found[n] == pytest.approx(math.fsum(each[n] for each in others) / 60, abs=1e-14)


@pytest.mark.parametrize("kind", ["bleu", "self"])
def test_it_equals_nltk(kind: str) -> None:
    nltk = pytest.importorskip("nltk.translate.bleu_score", reason="nltk is in the extra 'dev'")
    smooth = nltk.SmoothingFunction(epsilon=0.1).method1
    hypotheses, references = sentences(40, 1), sentences(40, 2, longest=9)
    hypotheses[7] = hypotheses[3]
    found = bleu_scores(hypotheses, references) if kind == "bleu" else self_bleu_scores(hypotheses)
    for n in ORDERS:
        weights = (1 / n,) * n
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of every order without a match
            values = [
                nltk.sentence_bleu(
                    references if kind == "bleu" else hypotheses[:i] + hypotheses[i + 1 :],
                    each,
                    weights,
                    smoothing_function=smooth,
                )
                for i, each in enumerate(hypotheses)
            ]
        assert abs(found[n] - math.fsum(values) / 40) < 1e-12
        assert 0.01 < found[n] < 0.99


def test_a_table_is_used_again() -> None:
    made, table = sentences(20, 5), References(sentences(30, 6))
    assert bleu_scores(made, table) == bleu_scores(made, sentences(30, 6)) == bleu_scores(made, table)


def test_nothing_to_compare() -> None:
    with pytest.raises(InvalidValueError, match="at least one hypothesis"):
        bleu_scores([], [ONE])
    with pytest.raises(InvalidValueError, match="at least one reference"):
        bleu_scores([ONE], [])
    with pytest.raises(InvalidValueError, match="at least 2 sentences"):
        self_bleu_scores([ONE])
