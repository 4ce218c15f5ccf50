"""How varied samples are: distinct n-grams (Li et al. 2016, sec. 4.1) and distinct sentences."""

from collections.abc import Mapping, Sequence

from ganzoo.errors import InvalidValueError
from ganzoo.metrics import Sets, needs
from ganzoo.text.metrics.bleu import ngrams
from ganzoo.text.metrics.corpus import generated_words

ORDERS = (1, 2, 3)


def distinct_ngrams(sentences: Sequence[Sequence[str]], n: int) -> float:
    """Distinct n-grams over all n-grams of ``sentences``, in [0, 1]; 0 where no sentence has ``n`` words.

    It falls with the number of sentences: compare equal counts only.

    Raises:
        InvalidValueError: no sentences.
    """
    _check(sentences)
    total = sum(max(0, len(sentence) - n + 1) for sentence in sentences)
    return len({gram for sentence in sentences for gram in ngrams(sentence, n)}) / total if total else 0.0


def unique_rate(sentences: Sequence[Sequence[str]]) -> float:
    """Distinct sentences over all sentences, in (0, 1].

    Raises:
        InvalidValueError: no sentences.
    """
    _check(sentences)
    return len(set(map(tuple, sentences))) / len(sentences)


def _check(sentences: Sequence[Sequence[str]]) -> None:
    if not sentences:
        raise InvalidValueError("Variety needs at least one sentence.")


@needs(features=False, modalities=("text",))
def distinct_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``distinct``."""
    sentences = generated_words(sets)
    found = {f"distinct-{n}": distinct_ngrams(sentences, n) for n in ORDERS}
    return {**found, "unique-rate": unique_rate(sentences)}
