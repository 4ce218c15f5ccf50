"""The discriminator of StyleGAN: that of progressive growing (Karras et al. 2018, appendix A), with blurs."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models import Discriminator
from ganzoo_stylegan.conditions import class_weights
from ganzoo_stylegan.stylegan1.layers import SLOPE, DownConv2d, EqualisedConv2d, EqualisedLinear
from ganzoo_stylegan.stylegan1.level import Level
from ganzoo_stylegan.stylegan1.sizes import FIRST_SIZE, blur_taps, stage_widths, width

STD_EPS = 1e-8


class Stage(nn.Module):
    """One resolution: two convolutions, the second of which leads to the next one.

    Args:
        channels: Of the input.
        outputs: Channels of the output.
        blur: As for `DownConv2d`.
        widens_first: Whether the first convolution changes the number of channels, instead of the second.
        equalised: As for `DownConv2d`.
    """

    def __init__(self, channels: int, outputs: int, blur: Sequence[float], *, widens_first: bool, equalised: bool) -> None:
        super().__init__()
        between = outputs if widens_first else channels
        self.conv = EqualisedConv2d(channels, between, equalised=equalised)
        self.down = DownConv2d(between, outputs, blur, equalised=equalised)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, channels, H, W]`` to ``[N, outputs, H/2, W/2]``."""
        return F.leaky_relu_(self.down(F.leaky_relu_(self.conv(x), SLOPE)), SLOPE)


class StyleGAN1Discriminator(Discriminator):
    """Images ``[N, channels, image_size, image_size]``, and classes ``c`` where conditional, to logits ``[N]``.

    The defaults are the paper's network for 1024 pixels. There is one score for each class (Mescheder et al. 2018).

    Args:
        image_size: As for `StyleGAN1Generator`, and so are the next arguments.
        channels: Of the image.
        num_classes: How many classes; 0 for an unconditional network.
        channel_base: Channels times pixels a side, where that is less than ``channel_max``.
        channel_max: Most channels of a layer.
        widths: Channels at each resolution, 4x4 first, instead of both.
        dense_width: Entries between the last two layers; None means as many as ``channel_base`` and ``channel_max`` give to 2x2
            pixels.
        blur: Taps of the filter before down-sampling, an odd number; None for no filter.
        widens_first: Whether the first convolution of a resolution changes the number of channels, not the second.
        image_activation: Whether a leaky ReLU follows the layers that see the image.
        std_group: Images in a group that the standard deviation is taken over; at most 1 for none, None for the whole batch.
        std_channels: Feature maps that hold it.
        growing: Whether there are layers that take smaller images, as progressive growing needs them.
        equalised: Whether weights are stored with unit variance and scaled when they are used.

    Raises:
        ConfigError: arguments that do not fit together.
    """

    modality = "image"

    def __init__(
        self,
        image_size: int = 1024,
        channels: int = 3,
        num_classes: int = 0,
        channel_base: int = 16384,
        channel_max: int = 512,
        widths: Sequence[int] | None = None,
        dense_width: int | None = None,
        blur: Sequence[float] | None = (1, 2, 1),
        widens_first: bool = False,
        image_activation: bool = True,
        std_group: int | None = 4,
        std_channels: int = 1,
        growing: bool = True,
        equalised: bool = True,
    ) -> None:
        super().__init__()
        stages = stage_widths(image_size, channel_base, channel_max, widths)[::-1]
        dense = width(FIRST_SIZE // 2, channel_base, channel_max) if dense_width is None else dense_width
        if num_classes < 0 or dense < 1 or std_channels < 1:
            raise ConfigError(
                f"There cannot be {num_classes} classes, a dense_width of {dense} or {std_channels} std_channels."
            )
        self.num_classes, self.std_group, self.std_channels = num_classes, std_group, std_channels
        self.image_activation, compares = image_activation, std_group is None or std_group > 1
        taps, last = blur_taps(blur), stages[-1]
        shown = stages if growing else stages[:1]
        self.from_image = nn.ModuleList(EqualisedConv2d(channels, each, 1, equalised=equalised) for each in shown)
        self.stages = nn.ModuleList(
            Stage(large, small, taps, widens_first=widens_first, equalised=equalised) for large, small in pairwise(stages)
        )
        self.conv = EqualisedConv2d(last + (std_channels if compares else 0), last, equalised=equalised)
        self.dense = EqualisedLinear(last * FIRST_SIZE**2, dense, equalised=equalised)
        self.scores = EqualisedLinear(dense, max(1, num_classes), gain=1.0, equalised=equalised)
        # Files of such a network name the convolution's channels only, so this one has to be checked here.
        if compares and last % std_channels:
            raise ConfigError(f"{last} channels cannot be split into {std_channels} std_channels.")
        self.level = Level()

    def forward(self, x: Tensor, c: Tensor | int | None = None, lod: float | None = None) -> Tensor:
        """Logits ``[N]``.

        Args:
            x: Images in [-1, 1].
            c: Class of each image, or one for all, or weights ``[N, num_classes]``.
            lod: Level of detail, as for the generator: of the image only every second pixel and so on is looked at.

        Raises:
            InvalidValueError: a class is missing or is none of the network's, a level of detail that there is not, or a number
                of images that cannot be split into groups.
        """
        y = self._last(self.trunk(x, lod))
        weights = class_weights(c, self.num_classes, y)
        return y.squeeze(1) if weights is None else (y * weights).sum(1)

    def trunk(self, image: Tensor, lod: float | None = None) -> Tensor:
        """Feature maps of 4x4 pixels."""
        lod = self.level.checked(lod, len(self.from_image) - 1)
        x: Tensor | None = None
        for i in range(len(self.stages) + 1):
            behind = lod - i  # levels down to the one that is looked at
            if 0 <= behind < 1:
                x = self._seen(i, image)
            elif x is not None and -1 < behind < 0:
                x = x.lerp(self._seen(i, image), 1 + behind)
            if x is not None and i < len(self.stages):
                x = self.stages[i](x)
            if behind > 0:
                image = F.avg_pool2d(image, 2)
        assert x is not None  # some level is looked at
        return x

    def _seen(self, i: int, image: Tensor) -> Tensor:
        x: Tensor = self.from_image[i](image)
        return F.leaky_relu_(x, SLOPE) if self.image_activation else x

    def _last(self, x: Tensor) -> Tensor:
        if self.std_group is None or self.std_group > 1:
            x = torch.cat([x, deviations(x, self.std_group, self.std_channels)], dim=1)
        x = F.leaky_relu_(self.conv(x), SLOPE)
        x = F.leaky_relu_(self.dense(x.flatten(1)), SLOPE)
        scores: Tensor = self.scores(x)
        return scores


def deviations(x: Tensor, group: int | None, channels: int) -> Tensor:
    """Feature maps that tell how much the images of a group differ (Karras et al. 2018, sec. 3).

    Args:
        x: ``[N, C, H, W]``.
        group: Images in a group, fewer where there are fewer, or None for all; image ``i`` is in the group ``i`` modulo the
            number of groups.
        channels: Parts that the ``C`` channels are split into, each with a deviation of its own.

    Returns:
        ``[N, channels, H, W]``, the same for all pixels.

    Raises:
        InvalidValueError: the images cannot be split into groups.
    """
    count = len(x) if group is None else min(group, len(x))
    if not count or len(x) % count:
        raise InvalidValueError(
            f"{len(x)} images cannot be compared in groups of {group}.", hint=f"Give fewer, or a multiple of {group}."
        )
    y = x.reshape(count, -1, channels, x.shape[1] // channels, *x.shape[2:])
    variance = (y - y.mean(0)).square().mean(0)
    std = (variance + STD_EPS).sqrt().mean((2, 3, 4))
    return std.repeat(count, 1)[:, :, None, None].expand(-1, -1, *x.shape[2:])
