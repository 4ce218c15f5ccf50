"""R3GAN (Huang, Gokaslan, Kuleshov and Tompkin 2024, "The GAN is dead; long live the GAN! A Modern GAN Baseline", sec. 3).

Two mirrored residual networks of inverted bottlenecks with grouped convolutions. No normalisation, no noise, no style: what
keeps the training stable is the initialisation (fix-up, sec. 3) and the loss (sec. 2).
"""

import math
from collections.abc import Sequence
from itertools import chain, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models import Discriminator, ImageGenerator
from ganzoo.nn import class_weights
from ganzoo_r3gan.stages import FIRST_SIZE, StageSizes, stage_sizes

SLOPE = 0.2  # of the leaky ReLU, which has no gain of its own
ACTIVATION_GAIN = math.sqrt(2 / (1 + SLOPE**2))  # He et al. 2015: what keeps the variance through the leaky ReLU


def scaled_normal(weight: Tensor, gain: float = 1.0) -> None:
    """Fills ``weight [out, in, ...]`` with normal numbers of standard deviation ``gain / sqrt(fan in)``."""
    nn.init.normal_(weight, 0.0, gain / math.sqrt(weight[0].numel()))


class Convolution(nn.Conv2d):
    """A convolution of stride 1 without bias that keeps the size, computed in the dtype of its input."""

    def __init__(self, before: int, after: int, kernel_size: int = 1, groups: int = 1, gain: float = 1.0) -> None:
        super().__init__(before, after, kernel_size, padding=kernel_size // 2, groups=groups, bias=False)
        scaled_normal(self.weight, gain)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, before, H, W]`` to ``[N, after, H, W]``."""
        return F.conv2d(x, self.weight.to(x.dtype), padding=self.padding, groups=self.groups)


class BiasedLeakyReLU(nn.Module):
    """A bias for each channel, then the leaky ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to the same shape."""
        return F.leaky_relu(x + self.bias.to(x.dtype).view(-1, 1, 1), SLOPE)


class ResidualBlock(nn.Module):
    """Inverted bottleneck: 1x1 to more channels, grouped convolution, 1x1 back; the identity at the start of training.

    Args:
        channels: Of input and output.
        hidden: Channels in between.
        groups: Of the convolution in the middle.
        kernel_size: Of the convolution in the middle, odd.
        depth: Residual blocks of the whole network. The fix-up initialisation (Zhang et al. 2019) of a branch of 3 layers
            scales the first two by ``depth ** (-1 / (2 * 3 - 2))`` and starts the last one at zero.
    """

    def __init__(self, channels: int, hidden: int, groups: int, kernel_size: int, depth: int) -> None:
        super().__init__()
        gain = ACTIVATION_GAIN * depth ** (-1 / 4)
        self.expand = Convolution(channels, hidden, gain=gain)
        self.activation1 = BiasedLeakyReLU(hidden)
        self.grouped = Convolution(hidden, hidden, kernel_size, groups, gain)
        self.activation2 = BiasedLeakyReLU(hidden)
        self.project = Convolution(hidden, channels, gain=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to the same shape."""
        y = self.grouped(self.activation1(self.expand(x)))
        output: Tensor = x + self.project(self.activation2(y))
        return output


class Resampler(nn.Module):
    """Doubles or halves the size by interpolation with the separable filter ``taps * [1, 1]``, normalised.

    The filter is centred; where it has an odd number of entries, half a pixel is left over on the right. It is convolved, not
    correlated, which makes a difference for taps that are not symmetric.
    """

    kernel: Tensor

    def __init__(self, taps: Sequence[float], *, up: bool) -> None:
        super().__init__()
        line = torch.tensor([*taps, 0.0], dtype=torch.float64) + torch.tensor([0.0, *taps], dtype=torch.float64)
        square = torch.outer(line, line)
        self.register_buffer("kernel", (square / square.sum()).float())
        self.up = up

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C, 2H, 2W]`` or ``[N, C, H/2, W/2]``."""
        kernel, size = self.kernel.to(x.dtype)[None, None], len(self.kernel)
        each = x.flatten(0, 1)[:, None]  # every channel by itself
        if self.up:  # the factor 4 makes up for the zeros in between
            y = F.conv_transpose2d(each, 4 * kernel, stride=2, padding=size // 2 - 1)
            y = y[:, :, : 2 * x.shape[2], : 2 * x.shape[3]]
        else:
            before, after = (size - 1) // 2, size // 2 - 1
            y = F.conv2d(F.pad(each, (before, after) * 2), kernel.flip(2, 3), stride=2)
        return y.reshape(*x.shape[:2], *y.shape[2:])


class GeneratorStart(nn.Module):
    """The 4x4 input of the generator: one learned picture a channel, each weighted by a linear map of the latent."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, FIRST_SIZE, FIRST_SIZE))
        self.linear = nn.Linear(inputs, channels, bias=False)
        scaled_normal(self.linear.weight)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, inputs]`` to ``[N, channels, 4, 4]``."""
        weights = F.linear(x, self.linear.weight.to(x.dtype))
        return self.basis.to(x.dtype) * weights[:, :, None, None]


class DiscriminatorEnd(nn.Module):
    """The mirror image: one learned 4x4 filter a channel, then a linear map of what they answer."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.empty(channels, 1, FIRST_SIZE, FIRST_SIZE))
        self.linear = nn.Linear(channels, outputs, bias=False)
        scaled_normal(self.basis)
        scaled_normal(self.linear.weight)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, channels, 4, 4]`` to ``[N, outputs]``."""
        answers = F.conv2d(x, self.basis.to(x.dtype), groups=len(self.basis)).flatten(1)
        return F.linear(answers, self.linear.weight.to(x.dtype))


class Transition(nn.Module):
    """From one resolution to the next; a 1x1 convolution where the width changes, always at the smaller resolution."""

    def __init__(self, before: int, after: int, taps: Sequence[float], *, up: bool) -> None:
        super().__init__()
        self.resample = Resampler(taps, up=up)
        self.change = Convolution(before, after) if before != after else None

    def forward(self, x: Tensor) -> Tensor:
        """``[N, before, H, W]`` to ``[N, after, ...]`` at twice or half the size."""
        if self.resample.up:
            x = x if self.change is None else self.change(x)
            return torch.as_tensor(self.resample(x))
        x = self.resample(x)
        return x if self.change is None else torch.as_tensor(self.change(x))


class Stage(nn.Module):
    """Everything at one resolution, in the order of ``layers``; in bfloat16 if told so, else in the weights' own dtype."""

    def __init__(self, layers: Sequence[nn.Module], *, bf16: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.bf16 = bf16

    def forward(self, x: Tensor) -> Tensor:
        """The output of the last layer."""
        x = x.to(torch.bfloat16 if self.bf16 else next(chain(self.parameters(), self.buffers())).dtype)
        for layer in self.layers:
            x = layer(x)
        return x


class R3GANGenerator(ImageGenerator):
    """``z [N, latent_size]``, and a class ``c`` where conditional, to images ``[N, channels, image_size, image_size]``.

    The range is [-1, 1], although nothing in the network keeps the values inside it. The defaults are the paper's network
    for FFHQ at 64 pixels. Lists have one entry a resolution, 4x4 first, in both networks.

    Args:
        image_size: Pixels a side: a power of two of at least 4.
        channels: Of the image.
        latent_size: Entries of ``z``.
        width: Channels up to 32 pixels; halved at each doubling after that.
        widths: Channels at each resolution, instead of ``width``.
        cardinalities: Groups of the convolution in each residual block; None makes groups of 16 channels.
        blocks: Residual blocks at each resolution; None puts 2 at each.
        expansion: Channels inside a residual block over those outside.
        kernel_size: Of the grouped convolutions, odd.
        resampling_filter: Taps of the interpolation.
        num_classes: How many classes; 0 for an unconditional network.
        embedding_size: Entries of a class's embedding; None makes it as large as ``z``.
        bf16_stages: Which resolutions are computed in bfloat16, as indices (-1 is the largest).

    Raises:
        ConfigError: arguments that do not fit together.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        latent_size: int = 64,
        width: int = 768,
        widths: Sequence[int] | None = None,
        cardinalities: Sequence[int] | None = None,
        blocks: Sequence[int] | None = None,
        expansion: int = 2,
        kernel_size: int = 3,
        resampling_filter: Sequence[float] = (1, 2, 1),
        num_classes: int = 0,
        embedding_size: int | None = None,
        bf16_stages: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self._latent_shape, self._output_shape = (latent_size,), (channels, image_size, image_size)
        sizes = stage_sizes(image_size, width, widths, cardinalities, blocks, expansion, kernel_size, bf16_stages)
        taps = _taps(resampling_filter)
        self.embedding = _embedding(num_classes, latent_size if embedding_size is None else embedding_size)
        inputs = latent_size + (0 if self.embedding is None else self.embedding.out_features)
        starts = [GeneratorStart(inputs, sizes[0].width)]
        steps = [Transition(small.width, large.width, taps, up=True) for small, large in pairwise(sizes)]
        self.stages = nn.ModuleList(
            Stage([first, *_blocks(size)], bf16=size.bf16) for first, size in zip([*starts, *steps], sizes, strict=True)
        )
        self.to_image = Convolution(sizes[-1].width, channels)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``(latent_size,)``."""
        return self._latent_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, image_size, image_size)``."""
        return self._output_shape

    def forward(self, z: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Images of latents.

        Args:
            z: Latents ``[N, latent_size]``.
            c: Class of each image, int64 ``[N]``, or one for all; floating-point ``[N, num_classes]`` mixes classes. Not used
                by an unconditional network.

        Raises:
            InvalidValueError: a conditional network is given no class, or one that it does not have.
        """
        x = z if self.embedding is None else torch.cat([z, self.embedding(class_weights(c, self.num_classes, z))], dim=1)
        for stage in self.stages:
            x = stage(x)
        images: Tensor = self.to_image(x.to(self.to_image.weight.dtype))
        return images


class R3GANDiscriminator(Discriminator):
    """Images ``[N, channels, image_size, image_size]``, and classes ``c`` where conditional, to logits ``[N]``.

    Arguments as for `R3GANGenerator`, 4x4 first in every list. The score of a class is the dot product of its embedding with
    the features, which have ``embedding_size`` entries: by default the width at 4x4.
    """

    modality = "image"

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        width: int = 768,
        widths: Sequence[int] | None = None,
        cardinalities: Sequence[int] | None = None,
        blocks: Sequence[int] | None = None,
        expansion: int = 2,
        kernel_size: int = 3,
        resampling_filter: Sequence[float] = (1, 2, 1),
        num_classes: int = 0,
        embedding_size: int | None = None,
        bf16_stages: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        sizes = stage_sizes(image_size, width, widths, cardinalities, blocks, expansion, kernel_size, bf16_stages)[::-1]
        taps = _taps(resampling_filter)
        features = sizes[-1].width if embedding_size is None else embedding_size
        self.from_image = Convolution(channels, sizes[0].width)
        steps = [Transition(large.width, small.width, taps, up=False) for large, small in pairwise(sizes)]
        ends = [DiscriminatorEnd(sizes[-1].width, features if num_classes else 1)]
        self.stages = nn.ModuleList(
            Stage([*_blocks(size), last], bf16=size.bf16) for last, size in zip([*steps, *ends], sizes, strict=True)
        )
        # The score is a sum over the embedding's entries: its initial scale keeps the variance of the sum.
        self.embedding = _embedding(num_classes, features, gain=1 / math.sqrt(max(1, features)))

    def forward(self, x: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Logits of images; ``c`` as for the generator.

        Raises:
            InvalidValueError: a conditional network is given no class, or one that it does not have.
        """
        y: Tensor = self.from_image(x.to(torch.bfloat16) if self.stages[0].bf16 else x)
        for stage in self.stages:
            y = stage(y)
        y = y.to(self.from_image.weight.dtype)
        if self.embedding is None:
            return y.squeeze(1)
        embedded: Tensor = self.embedding(class_weights(c, self.num_classes, y))
        return (y * embedded).sum(1)


def _embedding(num_classes: int, entries: int, gain: float = 1.0) -> nn.Linear | None:
    """A linear map of one-hot classes, or None for no classes."""
    if num_classes < 0 or entries < 1:
        raise ConfigError(f"There cannot be {num_classes} classes with embeddings of {entries} entries.")
    if num_classes == 0:
        return None
    layer = nn.Linear(num_classes, entries, bias=False)
    scaled_normal(layer.weight, gain)
    return layer


def _taps(resampling_filter: Sequence[float]) -> list[float]:
    taps = [float(tap) for tap in resampling_filter]
    if not taps or sum(taps) == 0:
        raise ConfigError(f"A resampling filter has at least one tap and a sum that is not 0, unlike {taps}.")
    return taps


def _blocks(size: StageSizes) -> list[ResidualBlock]:
    return [ResidualBlock(size.width, size.hidden, size.groups, size.kernel_size, size.depth) for _ in range(size.blocks)]
