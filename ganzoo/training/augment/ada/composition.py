"""Random maps of a stage composed in the order of the paper, each image with those that were drawn for it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo.training.augment.gates import chosen
from ganzoo.training.draws import Draws


def composed(factors: Sequence[tuple[float, Tensor]], draws: Draws) -> tuple[Tensor, Tensor]:
    """The product of square matrices, the first one being applied first.

    Args:
        factors: Pairs of the probability with which a factor is part of an image's product, and the factors ``[N, K, K]``.
        draws: Random numbers.

    Returns:
        The products ``[N, K, K]``, and bool ``[N]``: whether there is any factor in them.
    """
    _, first = factors[0]
    product = torch.eye(first.shape[-1], dtype=first.dtype).expand_as(first)
    mask = torch.zeros(len(first), dtype=torch.bool)
    for p, factor in factors:
        gate = chosen(len(first), p, draws)
        product = torch.where(gate[:, None, None], factor @ product, product)
        mask = mask | gate
    return product, mask
