"""How likely a model finds real texts: its negative log-likelihood (NLL) a token, and the perplexity."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics import Sets, needs
from ganzoo.models import Network
from ganzoo.models.generator import evaluation_mode
from ganzoo.models.network import first_tensor
from ganzoo.text.sequences import token_mask
from ganzoo.tokenizers import Tokenizer

_BATCH = 128


@runtime_checkable
class TextModel(Protocol):
    """A generator that knows the probability of every text, as a `ganzoo.text.generators.SequenceGenerator` does.

    Attributes:
        max_length: Tokens of a sentence at most.
    """

    max_length: int

    @property
    def tokenizer(self) -> Tokenizer:
        """What its tokens stand for."""
        ...

    def logits(self, tokens: Tensor) -> Tensor:
        """Of each token of ``tokens [N, T]`` given those before, ``[N, T, V]``."""
        ...

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Of each token of ``tokens [N, T]`` given those before, ``[N, T]``."""
        ...


@dataclass(frozen=True)
class Likelihood:
    """The likelihood of some texts.

    Attributes:
        nll: Mean negative log-probability of a token, in nats; the ends of texts are tokens.
        tokens: How many.
        unknown: Share of them that the model has no token for. A model with many unknown tokens predicts them well.
    """

    nll: float
    tokens: int
    unknown: float

    @property
    def perplexity(self) -> float:
        """``exp(nll)``."""
        return math.exp(self.nll)


def text_likelihood(generator: TextModel, texts: Sequence[str], *, temperature: float = 1.0) -> Likelihood:
    """How likely ``generator`` finds ``texts``, cut to its maximum length.

    Args:
        generator: With its tokenizer.
        texts: One sentence each.
        temperature: Divides the logits: what is measured is the distribution that samples of this temperature come from.

    Raises:
        InvalidValueError: no texts.
        DataError: texts that the generator's tokenizer cannot take, or a likelihood that is not finite.
    """
    if not texts:
        raise InvalidValueError("A likelihood needs at least one text.")
    tokens = generator.tokenizer.batch(texts, generator.max_length, longer="cut")
    return token_likelihood(generator, tokens, temperature=temperature)


def token_likelihood(generator: TextModel, tokens: Tensor, *, temperature: float = 1.0) -> Likelihood:
    """As `text_likelihood`, of sentences ``[N, T]`` that are tokens already."""
    assert isinstance(generator, Network)
    anchor, tokenizer = first_tensor(generator), generator.tokenizer
    total, count, unknown = 0.0, 0, 0
    with torch.inference_mode(), evaluation_mode(generator):
        for part in torch.split(tokens, _BATCH):
            rows = part if anchor is None else part.to(anchor.device)
            mask = token_mask(rows, tokenizer.end)
            total -= float(_log_prob(generator, rows, temperature).double()[mask].sum())
            count += int(mask.sum())
            unknown += 0 if tokenizer.unknown is None else int(((rows == tokenizer.unknown) & mask).sum())
    if not math.isfinite(total):
        raise DataError("The likelihood of the real texts is not finite.", hint="The weights may be damaged.")
    return Likelihood(total / count, count, unknown / count)


def _log_prob(generator: TextModel, tokens: Tensor, temperature: float) -> Tensor:
    if temperature == 1:
        return generator.log_prob(tokens)
    scaled = generator.logits(tokens).float() / temperature
    return scaled.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]


@needs(features=False, modalities=("text",), held_out=True)
def likelihood_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``nll``: of the reference, and of the held-out texts where some are given; real data have none.

    Raises:
        InvalidValueError: the generator does not know the probability of a text.
    """
    if sets.sampling is None:
        return {}
    generator, temperature = sets.sampling.generator, sets.sampling.decoding.temperature or 1.0
    if not isinstance(generator, TextModel):
        raise InvalidValueError(
            f"{type(generator).__name__} cannot tell how likely a text is, which the metric 'nll' asks it.",
            hint="A ganzoo.text.generators.SequenceGenerator can.",
        )
    found = _figures("reference", text_likelihood(generator, sets.reference_texts, temperature=temperature))
    if sets.held_out_texts is not None:
        found |= _figures("held-out", text_likelihood(generator, sets.held_out_texts, temperature=temperature))
    return found


def _figures(of: str, found: Likelihood) -> dict[str, float]:
    return {f"nll-{of}": found.nll, f"perplexity-{of}": found.perplexity, f"unknown-{of}": found.unknown}
