"""The data set ``grammar``: independent sentences of the grammar, drawn anew from a fixed seed."""

import random
from collections.abc import Iterator

from ganzoo.data import TextDataset
from ganzoo.errors import InvalidValueError
from ganzoo_grammar.english import english

SEED = 1701
SPLITS = {"train": 10_000, "valid": 1_000, "test": 1_000}
LICENCE = "CC0-1.0"


def grammar(*, split: str = "train") -> TextDataset:
    """Sentences of `ganzoo_grammar.english`, repetitions included: their distribution is exactly that of ``density``.

    Args:
        split: ``train``, ``valid`` or ``test``: independent draws. Beside ``train`` stands ``valid`` as its ``validation``.

    Raises:
        InvalidValueError: no such split.
    """
    if split not in SPLITS:
        raise InvalidValueError(f"grammar has no split '{split}'.", hint=f"Use {', '.join(SPLITS)}.")
    density = english()
    return TextDataset(
        list(draw(SPLITS[split], SEED + list(SPLITS).index(split))),
        f"grammar/{split}",
        tokenizer=density.tokenizer,
        density=density,
        validation=grammar(split="valid") if split == "train" else None,
        licence=LICENCE,
    )


def draw(n: int, seed: int) -> Iterator[str]:
    """``n`` sentences, the same for a ``seed`` everywhere: Python promises its Mersenne Twister's numbers."""
    density = english()
    uniforms = iter(random.Random(seed).random, None)
    for _ in range(n):
        yield density.tokenizer.decode(density.tokenizer.encode(" ".join(density.automaton.draw(uniforms))))
