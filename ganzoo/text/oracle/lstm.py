"""A fixed LSTM over words whose probabilities are known: what SeqGAN's synthetic benchmark measures against."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.seeds import check_count
from ganzoo.text.oracle.estimate import Estimate
from ganzoo.text.oracle.files import read_weights
from ganzoo.text.oracle.numbers import uniforms
from ganzoo.text.oracle.weights import OracleWeights, seeded_weights

_SAMPLES = 1  # the stream of random numbers
_LOGITS = 320_000  # at once: they stay in the processor's cache
_State = tuple[Tensor, Tensor]
_Choose = Callable[[int, slice, Tensor], Tensor]


class LSTMOracle:
    """A language model that nobody trains (Yu et al. 2017, sec. 4.1): a one-layer LSTM over words, all sentences equally long.

    The state begins at zero and the first input is the embedding of ``start_token``, an ordinary word. Everything is computed
    on the CPU in float64, so that samples and figures of two machines agree.

    Args:
        weights: Of the network.
        length: Words of a sentence that `sample` draws.
        start_token: In ``[0, V)``.
        name: How results cite it; made from the hash of its weights unless given.
    """

    def __init__(self, weights: OracleWeights, *, length: int = 20, start_token: int = 0, name: str | None = None) -> None:
        self.weights = weights
        self.length = check_count(length, "The length of an oracle's sentences")
        if not 0 <= start_token < weights.vocab_size:
            raise InvalidValueError(f"The start token {start_token} is no word: there are {weights.vocab_size}.")
        self.start_token = start_token
        self.name = name or f"oracle-{self.sha256[:12]}"

    @classmethod
    def seeded(
        cls,
        seed: int = 0,
        vocab_size: int = 5000,
        hidden_size: int = 32,
        embedding_size: int = 32,
        length: int = 20,
        *,
        name: str | None = None,
    ) -> "LSTMOracle":
        """An oracle with standard normal weights; the same on every machine.

        Raises:
            InvalidValueError: a seed outside ``[0, 2**32)``, or a size below 1.
        """
        for what, size in (("vocabulary", vocab_size), ("hidden state", hidden_size), ("embedding", embedding_size)):
            check_count(size, f"The size of an oracle's {what}")
        return cls(seeded_weights(seed, vocab_size, hidden_size, embedding_size), length=length, name=name)

    @classmethod
    def from_file(cls, path: str | Path, *, length: int = 20) -> "LSTMOracle":
        """The oracle of a file, see `read_weights`.

        Raises:
            HostileFileError, CorruptFileError, CheckpointError: see `read_weights`.
        """
        return cls(read_weights(path), length=length, name=Path(path).name)

    @property
    def vocab_size(self) -> int:
        """How many words."""
        return self.weights.vocab_size

    @property
    def sha256(self) -> str:
        """Hash of weights, length and start token."""
        total = hashlib.sha256(f"{self.length} {self.start_token} ".encode())
        for tensor in self.weights.tensors():
            total.update(f"{list(tensor.shape)} ".encode())
            total.update(tensor.numpy().tobytes())
        return total.hexdigest()

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Log-probability of each word given those before it, in nats: ``[N, T]``, float64 on the CPU.

        Args:
            tokens: Ids ``[N, T]`` of any length T.

        Raises:
            InvalidValueError: not a table of whole numbers, or an id that is no word.
        """
        given = self._checked(tokens)
        scores = torch.empty(given.shape, dtype=torch.float64)

        def choose(place: int, rows: slice, logits: Tensor) -> Tensor:
            chosen = given[rows, place]
            scores[rows, place] = logits.gather(1, chosen[:, None])[:, 0]
            highest = logits.amax(1, keepdim=True)
            scores[rows, place] -= logits.sub_(highest).exp_().sum(1).log_() + highest[:, 0]
            return chosen

        self._run(given.shape[0], given.shape[1], choose)
        return scores

    def sample(self, n: int, *, seed: int) -> Tensor:
        """``n`` sentences ``[n, length]`` (int64). Sentence ``i`` of a seed is the same whatever ``n`` is.

        Each word is drawn by inverting the distribution function at one uniform number.

        Raises:
            InvalidValueError: ``n`` below 1, or a seed outside ``[0, 2**32)``.
        """
        count = check_count(n)
        levels = uniforms(seed, _SAMPLES, count * self.length).reshape(count, self.length)
        drawn = torch.empty(count, self.length, dtype=torch.int64)

        def choose(place: int, rows: slice, logits: Tensor) -> Tensor:
            sums = logits.sub_(logits.amax(1, keepdim=True)).exp_().cumsum_(1)
            found = torch.searchsorted(sums, levels[rows, place, None] * sums[:, -1:], right=True)
            drawn[rows, place] = found[:, 0].clamp_(max=self.vocab_size - 1)
            return drawn[rows, place]

        self._run(count, self.length, choose)
        return drawn

    def entropy(self, n: int = 10_000, *, seed: int = 0) -> Estimate:
        """Nats per word, from ``n`` sentences of its own: the NLL that a perfect model of it has."""
        return Estimate.of(-self.log_prob(self.sample(n, seed=seed)).mean(1))

    def _run(self, count: int, length: int, choose: _Choose) -> None:
        """Walks through sentences, some rows at a time; ``choose`` takes the logits of a place, to use up, and gives its words.

        All logits are written into one piece of memory: fresh ones of this size would cost more than what is computed.
        """
        w = self.weights
        start = torch.tensor([self.start_token])
        at_once = max(1, min(count, _LOGITS // w.vocab_size))
        logits = torch.empty(at_once, w.vocab_size, dtype=torch.float64)
        for first in range(0, count, at_once):
            rows = slice(first, min(first + at_once, count))
            size = rows.stop - rows.start
            h = c = torch.zeros(size, w.hidden_size, dtype=torch.float64)
            words = start.expand(size)
            for place in range(length):
                h, c = self._step(words, (h, c))
                words = choose(place, rows, torch.addmm(w.output_bias, h, w.output, out=logits[:size]))

    def _step(self, words: Tensor, state: _State) -> _State:
        w, (h, c) = self.weights, state
        gates = torch.addmm(w.bias, w.embedding[words], w.inputs).addmm_(h, w.recurrent)
        i, f, o, candidate = gates.chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * candidate.tanh()
        return o.sigmoid() * c.tanh(), c

    def _checked(self, tokens: Tensor) -> Tensor:
        if tokens.dim() != 2 or tokens.dtype.is_floating_point or tokens.dtype.is_complex or not tokens.numel():
            raise InvalidValueError(f"An oracle scores ids [N, T], not {tokens.dtype} {list(tokens.shape)}.")
        given = tokens.detach().cpu().long()
        low, high = int(given.min()), int(given.max())
        if low < 0 or high >= self.vocab_size:
            raise InvalidValueError(
                f"The ids reach from {low} to {high}; this oracle has the words 0 to {self.vocab_size - 1}."
            )
        return given
