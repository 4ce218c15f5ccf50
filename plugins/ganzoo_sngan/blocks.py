"""Residual blocks (He et al. 2016; for GANs Gulrajani et al. 2017 and Miyato et al. 2018, appendix B.4, fig. 8)."""

import math
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.nn import Activation, Layers, trained_weight

Norm = Callable[[int], nn.Module]


class UpBlock(nn.Module):
    """Doubles the resolution: normalisation, activation, up-sampling, convolution; normalisation, activation, convolution.

    Args:
        before: Channels of the input.
        after: Channels of the output.
        norm: Makes a normalisation for so many channels; one that takes a condition where the block is given one.
        layers: Makes the convolutions.
        activation: Between them.
        interpolation: ``bilinear`` or ``nearest``.
    """

    def __init__(
        self, before: int, after: int, *, norm: Norm, layers: Layers, activation: Activation, interpolation: str
    ) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(before), norm(after)
        self.conv1 = layers.convolution(before, after, 3, padding=1)
        self.conv2 = layers.convolution(after, after, 3, padding=1)
        self.shortcut = layers.convolution(before, after, 1)
        self.activation, self.interpolation = activation, interpolation
        _initialise(self)

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', 2H, 2W]``."""
        y = self._up(self.activation(_normalised(self.norm1, x, condition)))
        y = self.activation(_normalised(self.norm2, self.conv1(y), condition))
        # A 1x1 convolution and an interpolation commute: this order is four times cheaper than that of the references.
        change: Tensor = self.conv2(y)
        return self._up(self.shortcut(x)) + change

    def _up(self, x: Tensor) -> Tensor:
        if self.interpolation == "nearest":
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return F.interpolate(x, scale_factor=2, mode=self.interpolation, align_corners=False)


class FirstDownBlock(nn.Module):
    """Halves the resolution of an image: convolution, activation, convolution, pooling. No activation before the first.

    Args:
        before: Channels of the image.
        after: Channels of the output.
        layers: Makes the convolutions.
        activation: Between them.
        norm: Makes a normalisation for so many channels; None: there is none.
    """

    def __init__(self, before: int, after: int, *, layers: Layers, activation: Activation, norm: Norm | None = None) -> None:
        super().__init__()
        self.conv1 = layers.convolution(before, after, 3, padding=1)
        self.conv2 = layers.convolution(after, after, 3, padding=1)
        self.shortcut = layers.convolution(before, after, 1)
        self.norm0 = norm(before) if norm else nn.Identity()
        self.norm1 = norm(after) if norm else nn.Identity()
        self.activation = activation
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H/2, W/2]``."""
        y = self.conv2(self.activation(self.norm1(self.conv1(x))))
        shortcut: Tensor = self.shortcut(self.norm0(F.avg_pool2d(x, 2)))
        return shortcut + F.avg_pool2d(y, 2)


class DownBlock(nn.Module):
    """Activation, convolution, activation, convolution, and pooling where it halves the resolution.

    Args:
        before: Channels of the input.
        hidden: Channels between the convolutions.
        after: Channels of the output.
        halves: Pool two by two at the end.
        layers: Makes the convolutions.
        activation: Before them.
        norm: Makes a normalisation for so many channels, one before each activation and the shortcut; None: there is none.
        activated_shortcut: The shortcut starts from the activated input. So it is in the references, whose activations
            overwrite their input, unless a normalisation stands between.
    """

    def __init__(
        self,
        before: int,
        hidden: int,
        after: int,
        *,
        halves: bool,
        layers: Layers,
        activation: Activation,
        norm: Norm | None = None,
        activated_shortcut: bool = True,
    ) -> None:
        super().__init__()
        self.conv1 = layers.convolution(before, hidden, 3, padding=1)
        self.conv2 = layers.convolution(hidden, after, 3, padding=1)
        projects = halves or before != after
        self.shortcut = layers.convolution(before, after, 1) if projects else nn.Identity()
        self.norm0 = norm(before) if norm and projects else nn.Identity()
        self.norm1 = norm(before) if norm else nn.Identity()
        self.norm2 = norm(hidden) if norm else nn.Identity()
        self.activation, self.halves = activation, halves
        self.activated_shortcut = activated_shortcut and norm is None
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H, W]``, or half of ``H`` and ``W``."""
        y = self.activation(self.norm1(x))
        shortcut = y if self.activated_shortcut else self.norm0(x)
        y = self.conv2(self.activation(self.norm2(self.conv1(y))))
        if self.halves:
            # A 1x1 convolution and a mean commute: pooling first is four times cheaper.
            shortcut, y = F.avg_pool2d(shortcut, 2), F.avg_pool2d(y, 2)
        projected: Tensor = self.shortcut(shortcut)
        return projected + y


def _normalised(norm: nn.Module, x: Tensor, condition: Tensor | None) -> Tensor:
    normalised: Tensor = norm(x) if condition is None else norm(x, condition)
    return normalised


def _initialise(block: UpBlock | FirstDownBlock | DownBlock) -> None:
    """Xavier's uniform distribution, with a gain of sqrt 2 before activations, as in the code of Miyato et al. 2018."""
    for layer in (block.conv1, block.conv2):
        nn.init.xavier_uniform_(trained_weight(layer), math.sqrt(2))
    if not isinstance(block.shortcut, nn.Identity):
        nn.init.xavier_uniform_(trained_weight(block.shortcut))
