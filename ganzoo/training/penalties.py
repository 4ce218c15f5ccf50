"""Gradient penalties of the discriminator."""

import torch
from torch import Tensor


def r1_penalty(scores: Tensor, images: Tensor, gamma: float) -> Tensor:
    """``gamma / 2 * E[|grad_x D(x)|^2]`` on real images, Mescheder, Geiger and Nowozin 2018, eq. 9.

    Args:
        scores: Logits ``[N]`` of ``images``.
        images: Real images ``[N, ...]`` that require a gradient and that ``scores`` were computed from.
        gamma: Weight.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gamma / 2 * gradient.square().flatten(1).sum(1).mean()
