"""Sentences to measure: made up, with repetitions, of unequal lengths."""

import random

WORDS = [
    "the",
    "a",
    "small",
    "old",
    "man",
    "dog",
    "river",
    "house",
    "sees",
    "finds",
    "near",
    "with",
    "of",
    "and",
    "red",
    "very",
]


def sentences(count: int, seed: int, *, longest: int = 12, shortest: int = 1) -> list[list[str]]:
    """Random sentences in which frequent words are frequent, so that n-grams of all orders occur several times."""
    rng = random.Random(seed)
    weights = [1 / (i + 1) for i in range(len(WORDS))]
    return [rng.choices(WORDS, weights, k=rng.randint(shortest, longest)) for _ in range(count)]
