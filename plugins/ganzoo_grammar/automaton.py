"""A probabilistic grammar as a table of states and words, in which every probability can be read off.

A state is what remains to be said: a sequence of symbols, the first of which is next. The grammar must be finite (no symbol
leads back to itself) and must tell its rules apart by the next word. Then each beginning of a sentence leads to one state, each
sentence has one derivation, and its probability is the product along its path: no sum over parses is left out.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ganzoo.errors import InvalidValueError

END = ""  # the word that closes a sentence
Symbols = tuple[str, ...]
Rules = Mapping[str, Sequence[tuple[float, str]]]


@dataclass(frozen=True)
class Move:
    """One word that may come next, or `END`: the word, its probability, and the number of the state behind it."""

    word: str
    probability: float
    target: int


class Automaton:
    """The states that a grammar can be in.

    Args:
        rules: By symbol, what it may become: a weight, and symbols separated by spaces (none: it vanishes). What is no key is a
            word. Weights of one symbol are divided by their sum.
        start: The symbol that a sentence comes from.

    Attributes:
        moves: By state, the words that may come next. State 0 begins; the one state without moves is behind `END`.
        words: All words without `END`, in the order of the alphabet.

    Raises:
        InvalidValueError: weights that are not positive, a symbol that leads back to itself, or two rules that the next word
            does not tell apart.
    """

    def __init__(self, rules: Rules, start: str) -> None:
        self._rules = {symbol: _normalised(symbol, choices) for symbol, choices in rules.items()}
        _check_finite(self._rules, start, ())
        numbers: dict[Symbols, int] = {(start, END): 0}
        waiting: list[Symbols] = [(start, END)]
        self.moves: list[tuple[Move, ...]] = []
        for state in waiting:  # grows while it is walked through
            found = self._next(state)
            for rest in (rest for _, rest in found.values() if rest not in numbers):
                numbers[rest] = len(numbers)
                waiting.append(rest)
            self.moves.append(tuple(Move(word, p, numbers[rest]) for word, (p, rest) in sorted(found.items())))
        self.words = tuple(sorted({move.word for moves in self.moves for move in moves} - {END}))

    def sentences(self) -> Iterator[tuple[Symbols, float]]:
        """Every sentence with its probability; there may be very many."""
        waiting: list[tuple[int, Symbols, float]] = [(0, (), 1.0)]
        while waiting:
            state, said, p = waiting.pop()
            if not self.moves[state]:
                yield said[:-1], p
            waiting += [(move.target, (*said, move.word), p * move.probability) for move in self.moves[state]]

    def draw(self, uniforms: Iterator[float]) -> Symbols:
        """A sentence; each word, `END` included, takes one number of ``uniforms``, in [0, 1)."""
        state, said = 0, list[str]()
        while self.moves[state]:
            u = next(uniforms)
            sums = itertools.accumulate(move.probability for move in self.moves[state])
            # The last word also takes what rounding may leave above the sum of all probabilities.
            chosen = next((m for m, sum_ in zip(self.moves[state], sums, strict=True) if u < sum_), self.moves[state][-1])
            said.append(chosen.word)
            state = chosen.target
        return tuple(said[:-1])

    def _next(self, state: Symbols) -> dict[str, tuple[float, Symbols]]:
        """The words that may come next: probability and what remains behind each."""
        found: dict[str, tuple[float, Symbols]] = {}
        for word, p, rest in self._expanded(state):
            if word in found:
                raise InvalidValueError(
                    f"The grammar does not say which rule the word '{word}' follows before {' '.join(rest)!r}."
                )
            found[word] = (p, rest)
        return found

    def _expanded(self, state: Symbols) -> Iterator[tuple[str, float, Symbols]]:
        if not state:
            return
        first, rest = state[0], state[1:]
        if first not in self._rules:
            yield first, 1.0, rest
            return
        for probability, symbols in self._rules[first]:
            for word, p, behind in self._expanded(symbols + rest):
                yield word, probability * p, behind


def _normalised(symbol: str, choices: Sequence[tuple[float, str]]) -> list[tuple[float, Symbols]]:
    total = sum(weight for weight, _ in choices)
    if not choices or min(weight for weight, _ in choices) <= 0:
        raise InvalidValueError(f"The weights of '{symbol}' must be positive.")
    return [(weight / total, tuple(symbols.split())) for weight, symbols in choices]


def _check_finite(rules: Mapping[str, list[tuple[float, Symbols]]], symbol: str, path: Symbols) -> None:
    if symbol in path:
        raise InvalidValueError(f"The grammar has sentences without end: {' -> '.join((*path, symbol))}.")
    for _, symbols in rules.get(symbol, []):
        for each in symbols:
            _check_finite(rules, each, (*path, symbol))
