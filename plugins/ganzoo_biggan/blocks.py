"""Residual blocks: those of BigGAN (Brock et al. 2019, fig. 15) and the bottlenecks of BigGAN-deep (fig. 16)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.nn import Layers
from ganzoo_biggan.norms import Normalisation

Norm = Callable[[int], Normalisation]
BOTTLENECK = 4  # a deep block's outer channels over its inner ones


class UpBlock(nn.Module):
    """Doubles the pixels: normalisation, doubling, convolution, normalisation, convolution; a 1x1 convolution beside them.

    Args:
        before: Channels of the input.
        after: Channels of the output.
        norm: Makes a normalisation for so many channels.
        layers: Makes the convolutions.
    """

    def __init__(self, before: int, after: int, *, norm: Norm, layers: Layers) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(before), norm(after)
        self.conv1 = layers.convolution(before, after, 3, padding=1, doubles=True)
        self.conv2 = layers.convolution(after, after, 3, padding=1)
        self.shortcut = layers.convolution(before, after, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', 2H, 2W]``, given the condition ``y`` of each."""
        change, kept = self.branches(x, y)
        return self.joined(self.conv2(change), kept)

    def branches(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """What `last` is applied to, and what is added to its result, see `joined`."""
        # A 1x1 convolution and repeated pixels commute: this order is four times cheaper than that of the reference.
        return self.norm2.after(self.conv1, self.norm1(x, y), y), self.shortcut(x)

    @property
    def last(self) -> nn.Module:
        """The convolution at the end."""
        return self.conv2

    def joined(self, change: Tensor, kept: Tensor) -> Tensor:
        """The block's output from that of `last`, which is overwritten, and from what goes beside it."""
        return add_repeated(change, kept)


class DeepUpBlock(nn.Module):
    """A bottleneck of two 3x3 convolutions between two 1x1 ones. Beside them, the first channels of the input go on.

    Args:
        before: Channels of the input.
        after: Channels of the output, at most as many.
        doubles: Double the pixels.
        norm: Makes a normalisation for so many channels.
        layers: Makes the convolutions.
    """

    def __init__(self, before: int, after: int, *, doubles: bool, norm: Norm, layers: Layers) -> None:
        super().__init__()
        hidden = before // BOTTLENECK
        self.norm1 = norm(before)
        self.norm2, self.norm3, self.norm4 = (norm(hidden) for _ in range(3))
        self.conv1 = layers.convolution(before, hidden, 1)
        self.conv2 = layers.convolution(hidden, hidden, 3, padding=1, doubles=doubles)
        self.conv3 = layers.convolution(hidden, hidden, 3, padding=1)
        self.conv4 = layers.convolution(hidden, after, 1)
        self.after, self.doubles = after, doubles

    def forward(self, x: Tensor, y: Tensor, truncation: float = 1.0) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H, W]`` or ``[N, C', 2H, 2W]``.

        Args:
            x: The input.
            y: The condition of each.
            truncation: Which statistics the normalisations use, where they have several.
        """
        change, kept = self.branches(x, y, truncation)
        return self.joined(self.conv4(change), kept)

    def branches(self, x: Tensor, y: Tensor, truncation: float = 1.0) -> tuple[Tensor, Tensor]:
        """What `last` is applied to, and what is added to its result, see `joined`."""
        change = self.norm2.after(self.conv1, self.norm1(x, y, truncation), y, truncation)
        change = self.norm3.after(self.conv2, change, y, truncation)
        change = self.norm4.after(self.conv3, change, y, truncation)
        return change, x[:, : self.after]

    @property
    def last(self) -> nn.Module:
        """The convolution at the end."""
        return self.conv4

    def joined(self, change: Tensor, kept: Tensor) -> Tensor:
        """The block's output from that of `last`, which is overwritten, and from what goes beside it."""
        return add_repeated(change, kept) if self.doubles else change.add_(kept)


class DownBlock(nn.Module):
    """Rectifier (but in the first block), convolution, rectifier, convolution, mean of two by two pixels where it halves.

    Args:
        before: Channels of the input.
        hidden: Channels between the convolutions.
        after: Channels of the output.
        first: It begins with the image, which is not rectified.
        halves: Halve the pixels.
        layers: Makes the convolutions.
    """

    def __init__(self, before: int, hidden: int, after: int, *, first: bool, halves: bool, layers: Layers) -> None:
        super().__init__()
        self.conv1 = layers.convolution(before, hidden, 3, padding=1)
        self.conv2 = layers.convolution(hidden, after, 3, padding=1)
        self.shortcut = layers.convolution(before, after, 1) if halves or before != after else nn.Identity()
        self.first, self.halves = first, halves

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H, W]``, or half of ``H`` and ``W``."""
        change = self.conv2(F.relu_(self.conv1(x if self.first else F.relu(x))))
        if self.halves:
            # A 1x1 convolution and a mean commute: pooling first is four times cheaper.
            x, change = F.avg_pool2d(x, 2), F.avg_pool2d(change, 2)
        joined: Tensor = change + self.shortcut(x)
        return joined


class DeepDownBlock(nn.Module):
    """A bottleneck of two 3x3 convolutions between two 1x1 ones; the missing channels of the shortcut are computed by another.

    Args:
        before: Channels of the input.
        after: Channels of the output, at least as many.
        halves: Halve the pixels.
        layers: Makes the convolutions.
    """

    def __init__(self, before: int, after: int, *, halves: bool, layers: Layers) -> None:
        super().__init__()
        hidden = after // BOTTLENECK
        self.conv1 = layers.convolution(before, hidden, 1)
        self.conv2 = layers.convolution(hidden, hidden, 3, padding=1)
        self.conv3 = layers.convolution(hidden, hidden, 3, padding=1)
        self.conv4 = layers.convolution(hidden, after, 1)
        self.shortcut = layers.convolution(before, after - before, 1) if after > before else None
        self.halves = halves

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H, W]``, or half of ``H`` and ``W``."""
        change = self.conv2(F.relu_(self.conv1(F.relu(x))))
        change = F.relu_(self.conv3(F.relu_(change)))
        if self.halves:
            x, change = F.avg_pool2d(x, 2), F.avg_pool2d(change, 2)
        change = self.conv4(change)
        joined: Tensor = change + (x if self.shortcut is None else torch.cat([x, self.shortcut(x)], dim=1))
        return joined


def add_repeated(y: Tensor, x: Tensor) -> Tensor:
    """``y [N, C, 2H, 2W]`` with every pixel of ``x [N, C, H, W]`` added to the four in its place; ``y`` itself is changed."""
    count, channels, height, width = x.shape
    if not y.is_contiguous(memory_format=torch.channels_last):
        return y.add_(F.interpolate(x, scale_factor=2, mode="nearest"))
    squares = y.permute(0, 2, 3, 1).view(count, height, 2, width, 2, channels)
    squares.add_(x.permute(0, 2, 3, 1)[:, :, None, :, None])
    return y
