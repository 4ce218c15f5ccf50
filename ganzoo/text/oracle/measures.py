"""What a generator of text is worth, where the distribution that it should have is known.

``p`` is the oracle and ``q`` the model. Everything is a mean over sentences with both log-densities known, so that each figure
has a standard error. One of them alone proves nothing: a model that repeats one good sentence has the best NLL_oracle.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.text.metrics.distinct import distinct_ngrams, unique_rate
from ganzoo.text.oracle.estimate import Estimate
from ganzoo.text.oracle.temperature import SentenceModel


@dataclass(frozen=True)
class Measures:
    """The figures of one model. All but the last two and ``js`` are nats per word.

    Attributes:
        samples: How many sentences of the model were drawn.
        nll_oracle: Quality: ``-log p`` of the model's sentences (Yu et al. 2017, eq. 9). Lower is better down to the oracle's
            entropy; below that the model repeats itself.
        nll_test: Coverage: ``-log q`` of held-out sentences of the oracle.
        own_entropy: ``-log q`` of the model's own sentences.
        kl_oracle_model: ``KL(p || q)``; large where the model misses sentences.
        kl_model_oracle: ``KL(q || p)``; large where the model makes up sentences.
        js: Jensen-Shannon divergence, in nats per sentence, at most log 2.
        distinct_2: Different pairs of words over all pairs, of ``samples`` sentences.
        unique: Different sentences over all.
    """

    samples: int
    nll_oracle: Estimate
    nll_test: Estimate
    own_entropy: Estimate
    kl_oracle_model: Estimate
    kl_model_oracle: Estimate
    js: Estimate
    distinct_2: float
    unique: float


class Yardstick:
    """An oracle and held-out sentences of it; measures models one after the other.

    Args:
        oracle: The distribution that models should have.
        held_out: Sentences ``[N, T]`` drawn from it that no model was trained or chosen on.

    Raises:
        InvalidValueError: fewer than two held-out sentences.
    """

    def __init__(self, oracle: SentenceModel, held_out: Tensor) -> None:
        if held_out.dim() != 2 or len(held_out) < 2:
            raise InvalidValueError(f"Two or more held-out sentences [N, T] are needed, not {list(held_out.shape)}.")
        self.oracle, self.held_out = oracle, held_out
        self._oracle_held_out = _per_sentence(oracle, held_out)

    @property
    def entropy(self) -> Estimate:
        """Of the oracle, nats per word, from the held-out sentences: what ``nll_oracle`` and ``nll_test`` can be at best."""
        return Estimate.of(-self._oracle_held_out / self.held_out.shape[1])

    def measure(self, model: SentenceModel, *, samples: int = 10_000, seed: int = 0) -> Measures:
        """Draws sentences of ``model`` and measures it.

        Args:
            model: Of sentences as long as the held-out ones.
            samples: How many to draw, at least 2.
            seed: Of the draw.

        Raises:
            InvalidValueError: fewer than two samples, or sentences of another length.
        """
        if samples < 2:
            raise InvalidValueError(f"At least 2 samples are needed to measure a model, not {samples}.")
        drawn, length = model.sample(samples, seed=seed), self.held_out.shape[1]
        if drawn.shape[1] != length:
            raise InvalidValueError(f"The model's sentences have {drawn.shape[1]} words and the oracle's {length}.")
        p_drawn, q_drawn = _per_sentence(self.oracle, drawn), _per_sentence(model, drawn)
        p_real, q_real = self._oracle_held_out, _per_sentence(model, self.held_out)
        share, words = 1 / length, drawn.tolist()
        return Measures(
            samples=samples,
            nll_oracle=Estimate.of(-p_drawn) * share,
            nll_test=Estimate.of(-q_real) * share,
            own_entropy=Estimate.of(-q_drawn) * share,
            kl_oracle_model=Estimate.of(p_real - q_real) * share,
            kl_model_oracle=Estimate.of(q_drawn - p_drawn) * share,
            js=jensen_shannon(p_real, q_real, p_drawn, q_drawn),
            distinct_2=distinct_ngrams(words, 2),
            unique=unique_rate(words),
        )


def jensen_shannon(p_real: Tensor, q_real: Tensor, p_drawn: Tensor, q_drawn: Tensor) -> Estimate:
    """``(KL(p || m) + KL(q || m)) / 2`` with ``m = (p + q) / 2``, in nats per sentence.

    Args:
        p_real: Log-densities under p of sentences drawn from p, ``[N]``.
        q_real: Log-densities under q of the same.
        p_drawn: Log-densities under p of sentences drawn from q, ``[M]``.
        q_drawn: Log-densities under q of the same.
    """
    real = p_real - _mixture(p_real, q_real)
    drawn = q_drawn - _mixture(p_drawn, q_drawn)
    return (Estimate.of(real) + Estimate.of(drawn)) * 0.5


def _mixture(one: Tensor, other: Tensor) -> Tensor:
    return torch.logaddexp(one, other) - math.log(2)


def _per_sentence(model: SentenceModel, sentences: Tensor) -> Tensor:
    return model.log_prob(sentences).double().sum(1)
