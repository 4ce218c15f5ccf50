"""Conditional batch normalisation (de Vries et al. 2017, arXiv:1707.00683): gain and bias come from a condition vector."""

from collections.abc import Callable

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
