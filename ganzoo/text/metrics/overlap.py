"""How much of the samples is copied: n-grams and whole sentences that occur in the reference word for word."""

from collections.abc import Iterable, Mapping, Sequence

from ganzoo.errors import InvalidValueError
from ganzoo.metrics import Sets, needs
from ganzoo.text.metrics.bleu import Ngram, ngrams
from ganzoo.text.metrics.corpus import generated_words, of_reference, reference_words

ORDERS = (3, 5)


def ngram_overlap(sentences: Sequence[Sequence[str]], known: frozenset[Ngram], n: int) -> float:
    """Share of the n-grams of ``sentences``, each as often as it occurs, that are among ``known``.

    0 where no sentence has ``n`` words.
    """
    total = sum(max(0, len(sentence) - n + 1) for sentence in sentences)
    return sum(gram in known for sentence in sentences for gram in ngrams(sentence, n)) / total if total else 0.0


def copied_rate(sentences: Sequence[Sequence[str]], known: Iterable[Sequence[str]]) -> float:
    """Share of ``sentences`` that stand among ``known`` as a whole.

    Raises:
        InvalidValueError: no sentences.
    """
    if not sentences:
        raise InvalidValueError("A share of copied sentences needs at least one sentence.")
    kept = set(map(tuple, known))
    return sum(tuple(sentence) in kept for sentence in sentences) / len(sentences)


@needs(features=False, modalities=("text",))
def overlap_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``overlap``. It tells memorisation where the reference is what the model was trained on."""
    sentences, known = generated_words(sets), reference_words(sets)
    found = {}
    for n in ORDERS:
        grams = of_reference(sets, f"{n}-grams", lambda n=n: frozenset(g for each in known for g in ngrams(each, n)))  # type: ignore[misc]
        found[f"overlap-{n}"] = ngram_overlap(sentences, grams, n)
    return {**found, "copied-rate": copied_rate(sentences, known)}
