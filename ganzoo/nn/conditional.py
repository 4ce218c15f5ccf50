"""Conditional batch normalisation (de Vries et al. 2017, arXiv:1707.00683): gain and bias come from a condition."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class ConditionalBatchNorm2d(nn.Module):
    """Batch normalisation whose gain is ``1 + gain(y)`` and whose bias is ``bias(y)``, both linear without a constant term.

    Args:
        channels: Of the input.
        condition_size: Entries of the condition vector ``y``.
        eps: Added to the variance.
        linear: Makes the two linear layers; a spectrally normalised one can be given.
    """

    def __init__(
        self, channels: int, condition_size: int, *, eps: float = 1e-5, linear: Callable[..., nn.Module] = nn.Linear
    ) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels, eps=eps, affine=False)
        self.gain = linear(condition_size, channels, bias=False)
        self.bias = linear(condition_size, channels, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """``x [N, C, H, W]`` normalised, given ``y [N, condition_size]``."""
        normalised: Tensor = self.bn(x)
        gain: Tensor = 1 + self.gain(y)
        bias: Tensor = self.bias(y)
        return normalised * gain[:, :, None, None] + bias[:, :, None, None]


class ClassBatchNorm2d(nn.Module):
    """Batch normalisation whose gain and bias are learnt for each class (Dumoulin et al. 2017, arXiv:1610.07629, eq. 5).

    Args:
        channels: Of the input.
        num_classes: How many classes.
        eps: Added to the variance.
    """

    def __init__(self, channels: int, num_classes: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels, eps=eps, affine=False)
        self.embedding = nn.Embedding(num_classes, 2 * channels)  # gains, then biases
        nn.init.normal_(self.embedding.weight[:, :channels].detach(), 1.0, 0.02)
        nn.init.zeros_(self.embedding.weight[:, channels:].detach())

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """``x [N, C, H, W]`` normalised, given classes ``c [N]``."""
        gain, bias = torch.chunk(self.embedding(c), 2, dim=1)
        normalised: Tensor = self.bn(x)
        return normalised * gain[:, :, None, None] + bias[:, :, None, None]
