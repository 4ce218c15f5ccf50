"""The exponential moving average of a generator (Yazıcı et al. 2019, arXiv:1806.04498)."""

import copy
from typing import TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)

RAMP_UP = 0.05  # early in a run the half-life is this share of the images seen (Karras et al. 2020, StyleGAN2-ADA)


def average_of(network: N) -> N:
    """A copy of ``network`` to hold its average: no gradients, in evaluation mode."""
    return copy.deepcopy(network).eval().requires_grad_(False)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, *, half_life: float, shown: int, images: int) -> None:
    """Moves ``average`` towards ``network``: parameters by the decay, buffers as they are.

    Args:
        average: The copy.
        network: What is trained.
        half_life: Images after which a state counts half; 0 makes the average the network itself.
        shown: Images shown in this step.
        images: Images shown so far, this step included.
    """
    decay = 0.5 ** (shown / min(half_life, RAMP_UP * images)) if half_life else 0.0
    for mean, parameter in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(parameter, 1 - decay)
    for copied, buffer in zip(average.buffers(), network.buffers(), strict=True):
        copied.copy_(buffer)
