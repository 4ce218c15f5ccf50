"""What text metrics are shown, cut into words: once for all of them."""

from collections.abc import Callable
from typing import TypeVar

from ganzoo.metrics import Sets

T = TypeVar("T")
Sentence = tuple[str, ...]


def generated_words(sets: Sets) -> list[Sentence]:
    """The samples, each as its words."""
    return sets.generated.once(("words", sets.words), lambda _: list(map(tuple, sets.sentences)))


def reference_words(sets: Sets) -> list[Sentence]:
    """The texts of the reference, each as its words."""
    return of_reference(sets, "words", lambda: [tuple(sets.words.split(text)) for text in sets.reference_texts])


def held_out_words(sets: Sets) -> list[Sentence] | None:
    """The held-out texts, each as its words; None where there are none."""
    texts = sets.held_out_texts
    if texts is None:
        return None
    return of_reference(sets, "held-out words", lambda: [tuple(sets.words.split(text)) for text in texts])


def of_reference(sets: Sets, name: str, compute: Callable[[], T]) -> T:
    """``compute()``, kept with the reference: it is the same for every set of samples that is measured against it."""
    return sets.reference.once((name, sets.words.name), lambda _: compute())
