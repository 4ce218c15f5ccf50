"""How likely a model finds real texts: its negative log-likelihood (NLL) a token, and the perplexity."""

import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics import Sampling, Sets, needs
from ganzoo.models import Network
from ganzoo.models.generator import evaluation_mode
from ganzoo.models.network import first_tensor
from ganzoo.text.sampling import heated
from ganzoo.text.sequences import token_mask
from ganzoo.tokenizers import Tokenizer

_BATCH = 128
_LARGEST = math.log(sys.float_info.max)


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
        cut: Share of the texts that were longer than the model's: only their beginnings are counted.
    """

    nll: float
    tokens: int
    unknown: float
    cut: float = 0.0

    @property
    def perplexity(self) -> float:
        """``exp(nll)``; infinite where that is more than a float can hold."""
        return math.exp(self.nll) if self.nll < _LARGEST else math.inf


def text_likelihood(generator: TextModel, texts: Sequence[str], *, temperature: float = 1.0) -> Likelihood:
    """How likely ``generator`` finds ``texts``, cut to its maximum length.

    Args:
        generator: With its tokenizer.
        texts: One sentence each.
        temperature: Divides the logits: what is measured is the distribution that samples of this temperature come from.

    Raises:
        InvalidValueError: no texts, or a generator that makes sentences from a latent.
        DataError: texts that the generator's tokenizer cannot take, or a likelihood that is no number.
    """
    if not texts:
        raise InvalidValueError("A likelihood needs at least one text.")
    tokenizer, length = generator.tokenizer, generator.max_length
    tokens = tokenizer.batch(texts, length, longer="cut")
    full = token_mask(tokens, tokenizer.end).all(1).tolist()  # all others are shorter
    longer = sum(len(tokenizer.encode(text)) > length for text in itertools.compress(texts, full))
    return replace(token_likelihood(generator, tokens, temperature=temperature), cut=longer / len(texts))


def token_likelihood(generator: TextModel, tokens: Tensor, *, temperature: float = 1.0) -> Likelihood:
    """As `text_likelihood`, of sentences ``[N, T]`` that are tokens already."""
    assert isinstance(generator, Network)
    _check_latent(generator)
    anchor, tokenizer = first_tensor(generator), generator.tokenizer
    total, count, unknown = 0.0, 0, 0
    with torch.inference_mode(), evaluation_mode(generator):
        for part in torch.split(tokens, _BATCH):
            rows = part if anchor is None else part.to(anchor.device)
            mask = token_mask(rows, tokenizer.end)
            total -= float(_log_prob(generator, rows, temperature).double()[mask].sum())
            count += int(mask.sum())
            unknown += 0 if tokenizer.unknown is None else int(((rows == tokenizer.unknown) & mask).sum())
    if math.isnan(total):
        raise DataError("The likelihood of the real texts is no number.", hint="The weights may be damaged.")
    return Likelihood(total / count, count, unknown / count)


def _log_prob(generator: TextModel, tokens: Tensor, temperature: float) -> Tensor:
    if temperature == 1:
        return generator.log_prob(tokens)
    return heated(generator.logits(tokens).float(), temperature).log_softmax(-1).gather(-1, tokens[..., None])[..., 0]


def check_likelihood(sampling: Sampling) -> None:
    """Makes sure that texts have a likelihood under what ``sampling`` draws from.

    Raises:
        InvalidValueError: the generator does not know the probability of a text, makes texts from a latent, or draws only some
            of the tokens.
    """
    generator, decoding = sampling.generator, sampling.decoding
    if not isinstance(generator, TextModel):
        raise InvalidValueError(
            f"{type(generator).__name__} cannot tell how likely a text is, which the metric 'nll' asks it.",
            hint="A ganzoo.text.generators.SequenceGenerator can.",
        )
    _check_latent(generator)
    limits = {"top-k": decoding.top_k is not None, "top-p": decoding.top_p not in (None, 1)}
    for name in (name for name, given in limits.items() if given):
        raise InvalidValueError(
            f"The metric 'nll' counts every token, and {name} leaves only some to draw from: most texts would be impossible.",
            hint=f"Measure nll without --{name}, or the samples by lm and reverse-lm.",
        )


def _check_latent(generator: TextModel) -> None:
    if getattr(generator, "latent_size", 0):
        raise InvalidValueError(
            f"{type(generator).__name__} makes sentences from a latent, so that no single number is the likelihood of a text.",
            hint="Measure its samples by reverse-lm: it, too, is high where the model lacks something.",
        )


@needs(features=False, modalities=("text",), held_out=True, sampling=check_likelihood)
def likelihood_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``nll``: of the reference, and of the held-out texts where some are given; real data have none."""
    if sets.sampling is None:
        return {}
    generator, temperature = sets.sampling.generator, sets.sampling.decoding.temperature or 1.0
    assert isinstance(generator, TextModel)  # `check_likelihood`
    found = _figures("reference", text_likelihood(generator, sets.reference_texts, temperature=temperature))
    if sets.held_out_texts is not None:
        found |= _figures("held-out", text_likelihood(generator, sets.held_out_texts, temperature=temperature))
    return found


def _figures(of: str, found: Likelihood) -> dict[str, float]:
    return {
        f"nll-{of}": found.nll,
        f"perplexity-{of}": found.perplexity,
        f"unknown-{of}": found.unknown,
        f"cut-{of}": found.cut,
    }
