"""Sums of weighted log-likelihoods: what maximum likelihood and the policy gradient descend."""

from torch import Tensor

from ganzoo.text.fused import linear_cross_entropy
from ganzoo.text.generators import SequenceGenerator


def weighted_nll(generator: SequenceGenerator, tokens: Tensor, weights: Tensor, z: Tensor | None = None) -> Tensor:
    """``sum_bt weights_bt * -log p(tokens_bt | tokens_b<t)``, a scalar with its graph.

    Args:
        generator: Whose likelihood.
        tokens: int64 ``[N, T]``.
        weights: ``[N, T]``, without a graph; 0 where a token does not count.
        z: ``[N, latent_size]`` that the sentences are given, where the generator has a latent.
    """
    hidden = generator.hidden(tokens, z)
    head = generator.head
    return linear_cross_entropy(hidden.flatten(0, 1), head.weight, head.bias, tokens.flatten(), weights.flatten())
