"""Self attention over the pixels of a feature map (Zhang et al. 2019, "Self-Attention GANs", arXiv:1805.08318, sec. 3)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError


class SelfAttention(nn.Module):
    """Adds to each pixel a mixture of all pixels, weighted by likeness and scaled by a learnt ``gain`` that starts at zero.

    Keys and values are pooled two by two, and queries and keys have an eighth of the channels, as in the authors' code.

    Args:
        channels: Of the input, at least 8.
        convolution: Makes the four 1x1 convolutions; a spectrally normalised one can be given.

    Raises:
        ConfigError: fewer than 8 channels.
    """

    def __init__(self, channels: int, *, convolution: Callable[..., nn.Module] = nn.Conv2d) -> None:
        super().__init__()
        if channels < 8:
            raise ConfigError(f"Self attention needs at least 8 channels, not {channels}.")
        self.query = convolution(channels, channels // 8, 1, bias=False)
        self.key = convolution(channels, channels // 8, 1, bias=False)
        self.value = convolution(channels, channels // 2, 1, bias=False)
        self.output = convolution(channels // 2, channels, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to the same shape; ``H`` and ``W`` are even."""
        query = self.query(x).flatten(2)
        key = F.max_pool2d(self.key(x), 2).flatten(2)
        value = F.max_pool2d(self.value(x), 2).flatten(2)
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)  # [N, HW, HW/4]
        mixture = (value @ weights.transpose(1, 2)).view(x.shape[0], -1, *x.shape[2:])
        change: Tensor = self.output(mixture)
        return x + self.gain * change
