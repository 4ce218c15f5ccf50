"""Sums of weighted log-likelihoods: what maximum likelihood and the policy gradient descend."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from ganzoo.models.generator import evaluation_mode
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


@contextmanager
def as_it_writes(generator: SequenceGenerator) -> Iterator[None]:
    """Nothing is dropped out inside the block: the likelihood is that of the distribution which sentences were drawn from.

    Recurrent layers stay in training mode, without which cuDNN has no gradient for them, but drop out nothing either.
    """
    recurrent = [
        (module, module.dropout) for module in generator.modules() if isinstance(module, nn.RNNBase) and module.training
    ]
    with evaluation_mode(generator):
        for module, _ in recurrent:
            module.training, module.dropout = True, 0.0
        try:
            yield
        finally:
            for module, dropout in recurrent:
                module.dropout = dropout
