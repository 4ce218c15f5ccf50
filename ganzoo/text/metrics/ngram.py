"""Interpolated modified Kneser-Ney n-gram language models (Kneser and Ney 1995; Chen and Goodman 1999, sec. 3).

A sentence is its words and an end; a start stands before it and is never predicted. An n-gram of less than the full order
counts behind how many words it stands; one at the start of a sentence has none before it and counts how often it occurs.
Discounts come from the counts of counts, one for each of the counts 1, 2 and 3 or more. The lowest order is interpolated with
the uniform distribution over the vocabulary: the words given, the end, and one unknown word for all others.

An n-gram is a number: the number of its first words, times the size of the vocabulary, plus its last word. So all the n-grams
of a text are counted and looked up by sorting, order by order, without a loop over words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import InvalidValueError

ORDER = 5
FALLBACK = 0.75  # discount where the counts of counts tell none; what they tell for large texts
Ids = NDArray[np.int64]
Numbers = NDArray[np.float64]
_START, _END, _UNKNOWN, _FIRST = 0, 1, 2, 3
_NONE = -1


@dataclass(frozen=True)
class _Order:
    """The n-grams of one length: sorted codes, and what interpolation needs of each and of each context."""

    codes: Ids
    discounted: Numbers  # count less discount, [n-grams]
    totals: Numbers  # sum of counts, [contexts]
    left: Numbers  # sum of discounts, [contexts]


class KneserNey:
    """The model of some sentences.

    Args:
        sentences: Each as its words.
        vocabulary: The words it knows; those of ``sentences`` unless given. Perplexities compare only where they are equal.
        order: Words of an n-gram, at least 1.

    Attributes:
        vocabulary: The words it knows, sorted; the end and the unknown word come besides.

    Raises:
        InvalidValueError: no sentences, or an order below 1.
    """

    def __init__(self, sentences: Sequence[Sequence[str]], vocabulary: Iterable[str] | None = None, order: int = ORDER) -> None:
        if not sentences:
            raise InvalidValueError("A language model needs at least one sentence.")
        if order < 1:
            raise InvalidValueError(f"The order of a language model is at least 1, not {order}.")
        known = (word for sentence in sentences for word in sentence) if vocabulary is None else vocabulary
        self.vocabulary = tuple(sorted(set(known)))
        self._ids = {word: i for i, word in enumerate(self.vocabulary, _FIRST)}
        self._size = len(self.vocabulary) + _FIRST
        self._orders = self._count(sentences, order)

    @property
    def outcomes(self) -> int:
        """How many words may come next: the vocabulary, the end and the unknown word."""
        return self._size - 1

    def log_prob(self, sentences: Sequence[Sequence[str]]) -> Numbers:
        """Natural logarithm of the probability of every word and end, one after the other, ``[words + sentences]``."""
        tokens, starts = self._tokens(sentences)
        return np.log(self._probabilities(tokens, starts)[~starts])

    def perplexity(self, sentences: Sequence[Sequence[str]]) -> float:
        """``exp`` of the mean negative log-probability of a word, the ends of the sentences counted as words.

        Raises:
            InvalidValueError: no sentences.
        """
        if not sentences:
            raise InvalidValueError("A perplexity needs at least one sentence.")
        return float(np.exp(-self.log_prob(sentences).mean()))

    def next_words(self, words: Sequence[str], *, start: bool = True) -> dict[str | None, float]:
        """The probability of each word after ``words``; ``""`` is the end and None the unknown word. They sum to 1.

        Args:
            words: The context.
            start: It begins the sentence.
        """
        context = [self._ids.get(word, _UNKNOWN) for word in words]
        follow = np.arange(_END, self._size)
        rows = np.tile(np.array([_START] * start + context + [_END], dtype=np.int64), (len(follow), 1))
        rows[:, -1] = follow
        begins = np.zeros_like(rows, dtype=bool)
        begins[:, 0] = True  # of a row: no n-gram reaches into the one before
        found = self._probabilities(rows.ravel(), begins.ravel()).reshape(rows.shape)[:, -1]
        return dict(zip(["", None, *self.vocabulary], found.tolist(), strict=True))

    def _tokens(self, sentences: Sequence[Sequence[str]]) -> tuple[Ids, NDArray[np.bool_]]:
        """All sentences in one row of numbers, and where each begins."""
        ids, get = [], self._ids.get
        for sentence in sentences:
            ids.append(_START)
            ids.extend([get(word, _UNKNOWN) for word in sentence])
            ids.append(_END)
        tokens = np.array(ids, dtype=np.int64)
        return tokens, tokens == _START

    def _codes(self, shorter: Ids, tokens: Ids, starts: NDArray[np.bool_]) -> Ids:
        """Codes of the n-grams that end at each token, from the numbers of those one shorter; -1 where there is none."""
        codes = np.full(len(tokens), _NONE, dtype=np.int64)
        codes[1:] = np.where((shorter[:-1] == _NONE) | starts[1:], _NONE, shorter[:-1] * self._size + tokens[1:])
        return codes

    def _count(self, sentences: Sequence[Sequence[str]], order: int) -> list[_Order]:
        tokens, starts = self._tokens(sentences)
        places = np.arange(len(tokens)) - np.maximum.accumulate(np.where(starts, np.arange(len(tokens)), 0))
        codes, numbers = np.arange(self._size), tokens
        raw = np.bincount(tokens, minlength=self._size)
        first_place = np.zeros(self._size, dtype=np.int64)
        first_place[tokens] = places
        found, contexts = [], 0
        contexts_of: Ids = np.zeros(self._size, dtype=np.int64)
        for n in range(1, order + 1):
            longer = self._codes(numbers, tokens, starts)
            there = np.flatnonzero(longer != _NONE)
            unique, at, inverse, counts = np.unique(longer[there], True, True, True)
            adjusted = raw
            if n < order:  # an n-gram that begins a sentence stands only there: its place is its length less one
                preceded = np.bincount(numbers[there[at]], minlength=len(codes))
                adjusted = np.where(first_place == n - 1, raw, preceded)
            if n == 1:
                adjusted = np.where(codes == _START, 0, adjusted)
            found.append(_order(codes, adjusted, contexts_of, max(1, contexts)))
            contexts, contexts_of = len(codes), unique // self._size
            codes, raw, first_place = unique, counts, places[there[at]]
            numbers = np.full(len(tokens), _NONE, dtype=np.int64)
            numbers[there] = inverse.ravel()
        return found

    def _probabilities(self, tokens: Ids, starts: NDArray[np.bool_]) -> Numbers:
        """Of each token after those before it in its sentence; meaningless for starts."""
        found = np.full(len(tokens), 1.0 / self.outcomes)
        contexts, numbers = np.zeros(len(tokens), dtype=np.int64), tokens
        for n, level in enumerate(self._orders, 1):
            if n > 1:
                contexts = np.concatenate([[_NONE], numbers[:-1]])
                contexts[starts] = _NONE
                numbers = _look_up(level.codes, self._codes(numbers, tokens, starts))
            seen = np.flatnonzero((contexts != _NONE) & (level.totals[contexts] > 0))
            here = numbers[seen]
            own = np.where(here == _NONE, 0.0, level.discounted[here])
            rest = level.left[contexts[seen]] * found[seen]
            found[seen] = (own + rest) / level.totals[contexts[seen]]
        return found


def discounts(counts: NDArray[Any]) -> Numbers:
    """What is taken off the counts 1, 2 and 3 or more, ``[3]`` (Chen and Goodman 1999, eq. 17).

    Where the counts of counts give none, or one outside of (0, count]: one for all, ``n1 / (n1 + 2 n2)`` (Ney et al. 1994), or
    0.75 where not even that is between 0 and 1.
    """
    n1, n2, n3, n4 = (int((counts == n).sum()) for n in (1, 2, 3, 4))
    single = n1 / (n1 + 2 * n2) if n1 and n2 else FALLBACK
    if n1 and n2 and n3:
        several = np.array([1 - 2 * single * n2 / n1, 2 - 3 * single * n3 / n2, 3 - 4 * single * n4 / n3])
        if (several > 0).all() and n4:
            return several
    return np.full(3, single)


def _order(codes: Ids, counts: NDArray[Any], contexts: Ids, size: int) -> _Order:
    taken = np.concatenate([[0.0], discounts(counts)])[np.minimum(counts, 3)]
    return _Order(
        codes=codes,
        discounted=counts - taken,
        totals=np.bincount(contexts, counts, size).astype(np.float64),
        left=np.bincount(contexts, taken, size).astype(np.float64),
    )


def _look_up(codes: Ids, wanted: Ids) -> Ids:
    """The number of each wanted code among ``codes`` (sorted), -1 where it is not there."""
    if not len(codes):
        return np.full(len(wanted), _NONE, dtype=np.int64)
    at = np.searchsorted(codes, wanted).clip(max=len(codes) - 1)
    return np.where(codes[at] == wanted, at, _NONE)
