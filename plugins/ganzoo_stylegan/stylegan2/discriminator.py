"""The discriminator of StyleGAN2 (Karras et al. 2020b, figure 7): residual, with skips or plain, down to one score."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models import Discriminator
from ganzoo.nn import downsample2d, fir_filter
from ganzoo.nn.folding import channels_innermost
from ganzoo_stylegan.conditions import class_weights
from ganzoo_stylegan.mapping import FullyConnected, MappingNetwork
from ganzoo_stylegan.stylegan2.layers import Convolution, LayerStyle, Taps
from ganzoo_stylegan.stylegan2.plans import FIRST_SIZE, block_widths, check_architecture, half_precision_sizes
from ganzoo_stylegan.stylegan2.precision import Precise

HALF_POWER = math.sqrt(0.5)  # of both branches of a residual block
VARIANCE_EPS = 1e-8


class DiscriminatorBlock(nn.Module):
    """Two convolutions, the second of which halves the resolution.

    Args:
        inputs: Channels that come from the block before; 0 for the first one, which sees the image.
        width: Channels at this resolution.
        outputs: Channels of the output.
        channels: Of the image.
        style: What the network's layers have in common.
        architecture: ``resnet``, ``skip`` or ``orig``.
    """

    resample_filter: Tensor

    def __init__(self, inputs: int, width: int, outputs: int, channels: int, style: LayerStyle, *, architecture: str) -> None:
        super().__init__()
        self.register_buffer("resample_filter", fir_filter(style.resample_filter))
        self.shrinks = architecture == "skip"
        sees = not inputs or self.shrinks
        self.fromrgb = Convolution(channels, width, 1, style) if sees else None
        self.conv0 = Convolution(width, width, style.kernel_size, style)
        self.conv1 = Convolution(width, outputs, style.kernel_size, style, down=2)
        self.skip = Convolution(width, outputs, 1, style, bias=False, down=2) if architecture == "resnet" else None

    def forward(self, x: Tensor | None, img: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The features of the block before, if any, and the image at this resolution, to those of the next block."""
        x = None if x is None else x.to(dtype)
        if self.fromrgb is not None:
            img = img.to(dtype)
            y: Tensor = self.fromrgb(img)
            x = y if x is None else x + y
        img = downsample2d(img, self.resample_filter) if self.shrinks else img
        gain = 1.0 if self.skip is None else HALF_POWER
        y = self.conv1(self.conv0(x), gain)
        return y if self.skip is None else self.skip(x, gain) + y, img


class DiscriminatorEnd(nn.Module):
    """From the features at 4x4 pixels, and how much they vary among images, to scores or to a vector for the class.

    Args:
        width: Channels at 4x4 pixels.
        outputs: Entries of the result.
        channels: Of the image.
        style: What the network's layers have in common.
        sees: Whether the image itself enters here, too.
        group_size: Images that are compared with each other; None compares all.
        statistics: How many channels say how much images of a group differ; 0 for none.
    """

    def __init__(
        self,
        width: int,
        outputs: int,
        channels: int,
        style: LayerStyle,
        *,
        sees: bool,
        group_size: int | None,
        statistics: int,
    ) -> None:
        super().__init__()
        self.group_size, self.statistics = group_size, statistics
        self.fromrgb = Convolution(channels, width, 1, LayerStyle(style.activation, style.resample_filter)) if sees else None
        self.conv = Convolution(width + statistics, width, style.kernel_size, style)
        self.fc = FullyConnected(width * FIRST_SIZE**2, width, activation=style.activation)
        self.out = FullyConnected(width, outputs)

    def forward(self, x: Tensor, img: Tensor) -> Tensor:
        """``x [N, width, 4, 4]`` to ``[N, outputs]``."""
        if self.fromrgb is not None:
            x = x + self.fromrgb(img)
        if self.statistics:
            x = torch.cat([x, group_deviation(x, self.group_size, self.statistics)], dim=1)
        result: Tensor = self.out(self.fc(self.conv(x).flatten(1)))
        return result


def group_deviation(x: Tensor, group_size: int | None, channels: int) -> Tensor:
    """How much the images of a group differ, averaged over pixels and features (Karras et al. 2018, sec. 3).

    Groups are strided: image ``n`` belongs to group ``n mod (N / size)``. Where ``group_size`` does not divide the batch, the
    largest size below it that does is taken.

    Args:
        x: ``[N, C, H, W]``.
        group_size: Images of a group; None for the whole batch.
        channels: How many parts of the features are averaged by themselves; divides ``C``.

    Returns:
        ``[N, channels, H, W]``, the same at every pixel.
    """
    count, features, height, width = x.shape
    most = count if group_size is None else min(group_size, count)
    size = next(n for n in range(most, 0, -1) if count % n == 0)
    y = x.view(size, count // size, channels, features // channels, height, width)
    deviation = (y.var(0, correction=0) + VARIANCE_EPS).sqrt().mean((2, 3, 4))
    return deviation.repeat(size, 1)[:, :, None, None].expand(-1, -1, height, width)


class StyleGAN2Discriminator(Discriminator):
    """Images ``[N, channels, image_size, image_size]``, and classes ``c`` where conditional, to logits ``[N]``.

    A class's score is the product of a vector that the network makes of the image with one mapped from the class (Miyato and
    Koyama 2018). Scores depend on the other images of the batch: that is what the minibatch deviation is for.

    Args:
        image_size: Pixels a side: a power of two of at least 8.
        channels: Of the image.
        num_classes: How many classes; 0 for an unconditional network.
        channel_base: Channels times pixels a side, as long as there are at most ``channel_max``.
        channel_max: Most channels of a layer.
        widths: Channels at each resolution, 4x4 first, instead of both.
        architecture: ``resnet`` (the default), ``skip`` or ``orig``.
        activation: A name of `ganzoo.nn.bias_act`.
        resample_filter: Taps for changes of resolution, one line or rows of them.
        conv_clamp: Largest magnitude of what leaves a convolution; None for no limit.
        kernel_size: Of the convolutions, odd.
        num_fp16_res: How many of the largest resolutions are computed in float16 (not on a CPU, unless ``half_on_cpu`` of
            ``precision`` is set).
        mapping_layers: Layers from the class to its vector.
        mapping_lr: Learning rate multiplier of these layers.
        mapping_width: Entries between these layers; None means ``class_vector_size``.
        mapping_activation: Of these layers.
        embedding_size: Entries of an embedded class; None means ``class_vector_size``.
        mbstd_group_size: Images that are compared with each other; None compares all.
        mbstd_channels: How many channels say how much they differ; 0 for none.
        class_vector_size: Entries of a mapped class; None means the width at 4x4.
        end_activation: Of the layers at 4x4; None means ``activation``.

    Raises:
        ConfigError: arguments that do not fit together.
    """

    modality = "image"

    def __init__(
        self,
        image_size: int = 256,
        channels: int = 3,
        num_classes: int = 0,
        channel_base: int = 32768,
        channel_max: int = 512,
        widths: Sequence[int] | None = None,
        architecture: str | None = None,
        activation: str = "lrelu",
        resample_filter: Taps = (1, 3, 3, 1),
        conv_clamp: float | None = None,
        kernel_size: int = 3,
        num_fp16_res: int = 0,
        mapping_layers: int = 8,
        mapping_lr: float = 0.01,
        mapping_width: int | None = None,
        mapping_activation: str = "lrelu",
        embedding_size: int | None = None,
        mbstd_group_size: int | None = 4,
        mbstd_channels: int = 1,
        class_vector_size: int | None = None,
        end_activation: str | None = None,
    ) -> None:
        super().__init__()
        style = LayerStyle(activation, resample_filter, conv_clamp, kernel_size)
        architecture = check_architecture(architecture, "resnet")
        channels_at = block_widths(image_size, channel_base, channel_max, widths)
        width = channels_at[FIRST_SIZE]
        if len(channels_at) < 2:
            raise ConfigError(f"A discriminator of StyleGAN2 judges images of at least {2 * FIRST_SIZE} pixels.")
        vector = (width if class_vector_size is None else class_vector_size) if num_classes else 1
        _check_statistics(width, mbstd_group_size, mbstd_channels)
        self.num_classes, self._image_shape = num_classes, (channels, image_size, image_size)
        self.precision = Precise(half_precision_sizes(image_size, num_fp16_res))
        self.sizes = sorted(channels_at, reverse=True)[:-1]
        for size in self.sizes:
            inputs = 0 if size == image_size else channels_at[size]
            block = DiscriminatorBlock(
                inputs,
                channels_at[size],
                channels_at[size // 2],
                channels,
                style,
                architecture=architecture,
            )
            self.add_module(f"b{size}", block)
        self.mapping: MappingNetwork | None = None
        if num_classes:
            self.mapping = MappingNetwork(
                0,
                num_classes,
                vector,
                num_layers=mapping_layers,
                embed_features=embedding_size,
                layer_features=mapping_width,
                activation=mapping_activation,
                lr_multiplier=mapping_lr,
                average=False,
            )
        self.b4 = DiscriminatorEnd(
            width,
            vector,
            channels,
            style if end_activation is None else replace(style, activation=end_activation),
            sees=architecture == "skip",
            group_size=mbstd_group_size,
            statistics=mbstd_channels,
        )

    def forward(self, x: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Logits of images; ``c`` as for the generator.

        Raises:
            InvalidValueError: images of another shape, or a class that is missing or out of range.
        """
        if x.dim() != 4 or x.shape[1:] != self._image_shape:
            raise InvalidValueError(f"This discriminator judges images {['N', *self._image_shape]}, not {list(x.shape)}.")
        img = channels_innermost(x)
        features: Tensor | None = None
        for size in self.sizes:
            features, img = self.get_submodule(f"b{size}")(features, img, self.precision.dtype_at(size, x))
        assert features is not None  # there is a block at least
        scores: Tensor = self.b4(features.to(x.dtype), img.to(x.dtype))
        if self.mapping is None:
            return scores.squeeze(1)
        vectors = self.mapping(None, class_weights(c, self.num_classes, x))
        weighted: Tensor = (scores * vectors).sum(1) / math.sqrt(vectors.shape[1])
        return weighted


def _check_statistics(width: int, group_size: int | None, channels: int) -> None:
    if channels < 0 or (channels and width % channels) or (group_size is not None and group_size < 1):
        raise ConfigError(
            f"{width} features of groups of {group_size} images cannot be compared in {channels} parts.",
            hint="mbstd_channels divides the width at 4x4, and mbstd_group_size is at least 1.",
        )
