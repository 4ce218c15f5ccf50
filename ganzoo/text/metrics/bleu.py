"""BLEU of samples against all references, and self-BLEU of samples against all the other ones (Zhu et al. 2018, sec. 3).

The value is the mean over sentences of BLEU with uniform weights over the orders 1 to n (Papineni et al. 2002), the closest
length of a reference (the shorter of two), and 0.1 in place of matches that are zero (Chen and Cherry 2014, method 1).

With every sentence as a reference, the n-grams of a hypothesis are clipped to the largest count that any reference has. That
table is made once, and leaving a sentence out needs only the second largest count beside it: nothing is counted pair by pair.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ganzoo.errors import InvalidValueError
from ganzoo.metrics import Sets, needs
from ganzoo.text.metrics.corpus import generated_words, of_reference, reference_words

ORDERS = (2, 3, 4, 5)
SMOOTHING = 0.1
Ngram = tuple[str, ...]


def ngrams(words: Sequence[str], n: int) -> Iterator[Ngram]:
    """The n-grams of a sentence, in order."""
    return zip(*(words[start:] for start in range(n)), strict=False)


class References:
    """A set of sentences as BLEU sees it: for each n-gram the two largest counts in one sentence, and the lengths.

    Args:
        sentences: Each as its words.
        longest: The highest order that will be asked for.

    Raises:
        InvalidValueError: no sentences.
    """

    def __init__(self, sentences: Sequence[Sequence[str]], longest: int = max(ORDERS)) -> None:
        if not sentences:
            raise InvalidValueError("BLEU needs at least one reference.")
        self._longest = longest
        self._lengths = Counter(map(len, sentences))
        self._first: dict[Ngram, int] = {}
        self._second: dict[Ngram, int] = {}
        for sentence in sentences:
            self._add(sentence)

    def _add(self, sentence: Sequence[str]) -> None:
        first, second = self._first, self._second
        for n in range(1, self._longest + 1):
            for gram, count in Counter(ngrams(sentence, n)).items():
                most = first.get(gram, 0)
                if count > most:
                    first[gram] = count
                    if most:
                        second[gram] = most
                elif count > second.get(gram, 0):
                    second[gram] = count

    def scores(self, hypothesis: Sequence[str], *, member: bool = False) -> list[float]:
        """BLEU of one hypothesis for every order from 1 to the longest, each in [0, 1].

        Args:
            hypothesis: Its words; without any it scores 0.
            member: It is one of the sentences, and is compared with all the others.
        """
        logs, found = 0.0, []
        penalty = self._brevity(len(hypothesis), member)
        for n in range(1, self._longest + 1):
            matches, total = self._matches(hypothesis, n, member)
            if n == 1 and not matches:
                return [0.0] * self._longest
            logs += math.log((matches or SMOOTHING) / total)
            found.append(penalty * math.exp(logs / n))
        return found

    def _matches(self, hypothesis: Sequence[str], n: int, member: bool) -> tuple[int, int]:
        first, second, matches, total = self._first, self._second, 0, 0
        for gram, count in Counter(ngrams(hypothesis, n)).items():
            total += count
            most = first.get(gram, 0)
            if member and count == most:  # it may be the only one with so many
                most = second.get(gram, 0)
            matches += min(count, most)
        return matches, max(1, total)

    def _brevity(self, length: int, member: bool) -> float:
        others = (each for each, count in self._lengths.items() if count > 1 or not (member and each == length))
        closest = min(others, key=lambda each: (abs(each - length), each))
        return 1.0 if length > closest else math.exp(1 - closest / length) if length else 0.0


def bleu_scores(
    hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[str]] | References, orders: Sequence[int] = ORDERS
) -> dict[int, float]:
    """Mean BLEU by order of ``hypotheses``, each against all ``references``.

    Args:
        hypotheses: Each as its words.
        references: Each as its words; or a table of them that is used more than once.
        orders: Which n, each at least 1.

    Raises:
        InvalidValueError: no hypotheses or no references.
    """
    if not hypotheses:
        raise InvalidValueError("BLEU needs at least one hypothesis.")
    table = references if isinstance(references, References) else References(references, max(orders))
    return _mean([table.scores(each) for each in hypotheses], orders)


def self_bleu_scores(sentences: Sequence[Sequence[str]], orders: Sequence[int] = ORDERS) -> dict[int, float]:
    """Mean BLEU by order of each sentence against all the other ones (the sentence itself, not its twins, is left out).

    Raises:
        InvalidValueError: fewer than 2 sentences.
    """
    if len(sentences) < 2:
        raise InvalidValueError("Self-BLEU needs at least 2 sentences.")
    table = References(sentences, max(orders))
    return _mean([table.scores(each, member=True) for each in sentences], orders)


def _mean(scores: Sequence[Sequence[float]], orders: Sequence[int]) -> dict[int, float]:
    return {n: math.fsum(each[n - 1] for each in scores) / len(scores) for n in orders}


@needs(features=False, modalities=("text",))
def bleu_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``bleu``: every sample against every text of the reference."""
    table = of_reference(sets, "bleu", lambda: References(reference_words(sets)))
    return {f"bleu-{n}": value for n, value in bleu_scores(generated_words(sets), table).items()}


@needs(features=False, modalities=("text",))
def self_bleu_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``self-bleu``: every sample against all the other samples."""
    return {f"self-bleu-{n}": value for n, value in self_bleu_scores(generated_words(sets)).items()}
