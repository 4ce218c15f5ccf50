"""The distribution of a grammar's sentences as token ids: exact log-probabilities, entropy, grammaticality."""

import math

import torch
from torch import Tensor

from ganzoo.tokenizers import WordTokenizer
from ganzoo.tokenizers.listed import EOS
from ganzoo_grammar.automaton import END, Automaton


class GrammarDensity:
    """What `ganzoo.data.TextDataset` calls a density.

    Args:
        automaton: The grammar.

    Attributes:
        tokenizer: Its words; every sentence ends by the tokenizer's end token.
        entropy: Mean of ``-log p`` of a sentence, in nats.
        longest: Words of the longest sentence.
        count: How many different sentences there are.
    """

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton
        self.tokenizer = WordTokenizer(automaton.words)
        ids = {word: i for i, word in enumerate(self.tokenizer.vocabulary)} | {END: EOS}
        dead, size = len(automaton.moves), self.tokenizer.size
        self._log = torch.full((dead + 1, size), -math.inf, dtype=torch.float64)
        self._next = torch.full((dead + 1, size), dead)
        for state, moves in enumerate(automaton.moves):
            for move in moves:
                self._log[state, ids[move.word]] = math.log(move.probability)
                self._next[state, ids[move.word]] = move.target
            if not moves:  # behind the end anything may stand
                self._log[state], self._next[state] = 0.0, state
        self.entropy, self.longest, self.count = _measures(automaton)

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Log-probability ``[N, T]`` (float64, nats) of each token of ``tokens`` (int64 ``[N, T]``), given those before it.

        Behind the end of a sentence it is 0, and from the first impossible token on minus infinity. A sentence that fills its
        row needs no end token; where it breaks off, the sum is the probability of that beginning.
        """
        columns, state = tokens.cpu().unbind(1), torch.zeros(len(tokens), dtype=torch.int64)
        found = []
        for column in columns:
            found.append(self._log[state, column])
            state = self._next[state, column]
        return torch.stack(found, dim=1).to(tokens.device)

    def grammatical(self, text: str) -> bool:
        """Whether ``text`` is a sentence of the grammar."""
        state = 0
        for token in self.tokenizer.encode(text):
            state = int(self._next[state, token])
        return bool(self._log[state, EOS].isfinite())


def _measures(automaton: Automaton) -> tuple[float, int, int]:
    """Entropy, greatest length and number of the sentences from each state on; those of the first."""
    known: dict[int, tuple[float, int, int]] = {}

    def measure(state: int) -> tuple[float, int, int]:
        if state not in known:
            moves = automaton.moves[state]
            behind = [measure(move.target) for move in moves]
            entropy = sum(m.probability * (b[0] - math.log(m.probability)) for m, b in zip(moves, behind, strict=True))
            longest = max((bool(m.word) + b[1] for m, b in zip(moves, behind, strict=True)), default=0)
            known[state] = (entropy, longest, sum(b[2] for b in behind) if moves else 1)
        return known[state]

    return measure(0)
