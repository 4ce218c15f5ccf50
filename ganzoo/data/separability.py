"""Whether two sets of sentences can be told apart by their words alone. If they can, figures of one against the other mislead.

A linear probe (logistic regression on which words occur) is trained on half of the sentences and asked about the other half.
Two draws of one distribution give 1/2; parts of a file that was cut where one subject ends and another begins give more.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import DataError

WORDS = 2000  # the most frequent ones that the probe knows
SENTENCES = 4000  # of each set at most
FEWEST = 40  # of each set: with less, chance alone decides
MARGIN = 0.05  # above chance; less is of no use to anybody
ERRORS = 4  # standard errors above chance
_RIDGE = 1e-3
_STEPS = 150
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Separability:
    """What the probe found.

    Attributes:
        accuracy: Share of held-out sentences whose set it told; 0.5 is chance.
        error: Standard error of that share where the sets are alike.
        first_words: Words that speak for the first set most.
        second_words: Words that speak for the second set most.
    """

    accuracy: float
    error: float
    first_words: tuple[str, ...]
    second_words: tuple[str, ...]

    @property
    def clear(self) -> bool:
        """Whether the accuracy is above chance by 0.05 and by 4 standard errors."""
        return self.accuracy - 0.5 > max(MARGIN, ERRORS * self.error)


def separability(first: Iterable[str], second: Iterable[str]) -> Separability:
    """How well a linear probe tells ``first`` from ``second``, on sentences that it was not trained on.

    Equal sentences of one set count once; both sets are cut to the same number. Nothing is random: hashes decide.

    Raises:
        DataError: fewer than 40 different sentences in one of them.
    """
    ours, theirs = _chosen(first), _chosen(second)
    count = min(len(ours), len(theirs))
    if count < FEWEST:
        raise DataError(f"Two sets of sentences are compared with at least {FEWEST} of each, not {count}.")
    texts = [*ours[:count], *theirs[:count]]
    labels = torch.cat([torch.ones(count), torch.zeros(count)])
    held_out = (torch.arange(count) % 2 == 1).repeat(2)
    words = _frequent(text for text, out in zip(texts, held_out.tolist(), strict=True) if not out)
    bags = _bags(texts, words)
    weights, bias = _fit(bags[~held_out], labels[~held_out])
    right = ((bags[held_out] @ weights + bias > 0).float() == labels[held_out]).float()
    order = [words[i] for i in weights.argsort(descending=True).tolist()]
    return Separability(float(right.mean()), 0.5 / math.sqrt(len(right)), tuple(order[:3]), tuple(order[:-4:-1]))


def warn_if_separable(train: Sequence[str], test: Sequence[str]) -> str | None:
    """A sentence that warns of ``train`` and ``test`` sentences which a linear probe tells apart; None where it does not.

    None too where there are too few sentences to say anything.
    """
    try:
        found = separability(train, test)
    except DataError:
        return None
    if not found.clear:
        return None
    return (
        f"Training and test sentences are not of one kind: by their words alone a linear probe tells them apart"
        f" {found.accuracy:.0%} of the time (50% is chance; words such as {_listed(found.first_words)} against"
        f" {_listed(found.second_words)}). Split them by hash: ganzoo.data.split_by_hash."
    )


def _chosen(lines: Iterable[str]) -> list[str]:
    """Different sentences in the order of their hashes, so that no order of a file matters."""
    return sorted(set(lines), key=lambda line: hashlib.sha256(line.encode()).digest())[:SENTENCES]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _frequent(texts: Iterable[str]) -> list[str]:
    counts = Counter(word for text in texts for word in _words(text))
    kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:WORDS]
    if not kept:
        raise DataError("There are no words in these sentences.")
    return [word for word, _ in kept]


def _bags(texts: Sequence[str], words: Sequence[str]) -> Tensor:
    """Which of ``words`` occur in each text, ``[N, W]``; rows have length 1, or 0 where none does."""
    column = {word: i for i, word in enumerate(words)}
    bags = torch.zeros(len(texts), len(words))
    for row, text in enumerate(texts):
        bags[row, [column[word] for word in _words(text) if word in column]] = 1
    return F.normalize(bags, dim=1)


def _fit(bags: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Weights ``[W]`` and bias of a logistic regression with a little shrinkage, by Nesterov's accelerated gradient."""
    inputs = torch.cat([bags, torch.ones(len(bags), 1)], dim=1)
    shrinkage = torch.full((inputs.shape[1],), _RIDGE)
    shrinkage[-1] = 0
    step = 1 / (0.25 * 2 + _RIDGE)  # rows have length sqrt 2, and the logistic function a slope of 1/4 at most
    weights = ahead = torch.zeros(inputs.shape[1])
    for i in range(_STEPS):
        gradient = inputs.T @ (torch.sigmoid(inputs @ ahead) - labels) / len(labels) + shrinkage * ahead
        before, weights = weights, ahead - step * gradient
        ahead = weights + i / (i + 3) * (weights - before)
    return weights[:-1], weights[-1]


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
