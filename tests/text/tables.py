"""Distributions over short sentences that can be written down completely: every sentence can be listed."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.text.generators import SequenceGenerator
from ganzoo.text.sequences import State


def all_sentences(vocab_size: int, length: int) -> Tensor:
    """Every sentence ``[V ** T, T]``."""
    return torch.tensor(list(itertools.product(range(vocab_size), repeat=length)))


class Bigrams(SequenceGenerator):
    """Each word depends on the one before it alone: its logits are a row of a table."""

    def __init__(self, vocab_size: int = 3, length: int = 4, seed: int = 0, end: int | None = None) -> None:
        super().__init__(vocab_size, length, end_token=end, pad_token=end)
        self.head = nn.Linear(vocab_size, vocab_size, bias=False)
        rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.table.copy_(torch.randn(vocab_size, vocab_size, generator=rng))

    @property
    def table(self) -> Tensor:
        """Logits ``[V, V]``: a row for each word before."""
        return self.head.weight.T

    def begin(self, n: int, z: Tensor | None = None) -> State:
        return ()

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        return self._one_hot(tokens), ()

    def hidden(self, tokens: Tensor, z: Tensor | None = None) -> Tensor:
        return self._one_hot(self.shifted(tokens))

    def _one_hot(self, tokens: Tensor) -> Tensor:
        return F.one_hot(tokens, self.vocab_size).to(self.head.weight.dtype)
