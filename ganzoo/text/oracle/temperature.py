"""A generator of text at a sampling temperature, as a distribution over sentences."""

import math
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models import TextGenerator
from ganzoo.models.generator import evaluation_mode
from ganzoo.text.generators import SequenceGenerator
from ganzoo.text.sequences import rows_at_once, token_mask

_SENTENCES = 1024  # whose hidden states are kept at once


class SentenceModel(Protocol):
    """A distribution over sentences of one length that can be drawn from and asked."""

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Log-probability of each word of ``tokens [N, T]`` given those before it, in nats: ``[N, T]``."""
        ...

    def sample(self, n: int, *, seed: int) -> Tensor:
        """``n`` sentences ``[n, T]``, int64; the same for the same seed."""
        ...


class Tempered:
    """A generator whose every word is drawn from ``softmax(logits / temperature)``: a `SentenceModel`.

    Its log-probabilities are those of that sampling. A generator with a latent ``z`` of its own has no such density.

    Args:
        generator: Without ``z``.
        temperature: Above 0; 1 is the generator itself.

    Raises:
        InvalidValueError: a temperature that is not above 0, or a generator whose sentences have no known probability.
    """

    def __init__(self, generator: TextGenerator, temperature: float = 1.0) -> None:
        if not (isinstance(temperature, int | float) and math.isfinite(temperature) and temperature > 0):
            raise InvalidValueError(f"A temperature is a number above 0, not {temperature!r}.")
        if not isinstance(generator, SequenceGenerator) or generator.latent_size:
            raise InvalidValueError(
                f"{type(generator).__name__} does not draw sentences word by word alone, so their probability is not known.",
                hint="Only generators without a latent z can be measured against an oracle.",
            )
        self.generator, self.temperature = generator, float(temperature)

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Log-probability of each word, ``[N, T]``, float64 on the CPU; 0 behind the end of a sentence."""
        device = self.generator.head.weight.device
        with torch.no_grad(), evaluation_mode(self.generator):
            return torch.cat([self._scores(part.to(device)) for part in torch.split(tokens, _SENTENCES)])

    def sample(self, n: int, *, seed: int) -> Tensor:
        """``n`` sentences ``[n, T]``."""
        return self.generator.sample(n, seed=seed, temperature=self.temperature).tensor

    def _scores(self, tokens: Tensor) -> Tensor:
        network = self.generator
        hidden = network.hidden(tokens).flatten(0, 1)
        rows = rows_at_once(network.vocab_size, hidden.device)
        parts = zip(torch.split(hidden, rows), torch.split(tokens.flatten(), rows), strict=True)
        losses = [F.cross_entropy(network.head(part) / self.temperature, words, reduction="none") for part, words in parts]
        scores = -torch.cat(losses).view(tokens.shape).masked_fill(~token_mask(tokens, network.end_token), 0.0)
        return scores.cpu().double()
