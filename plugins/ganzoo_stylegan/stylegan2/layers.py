"""The layers of StyleGAN2's two networks, named as NVIDIA's programs name their tensors (Karras et al. 2020b, sec. 2)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn import BIAS_ACTIVATIONS, bias_act, conv2d_resample, fir_filter
from ganzoo.nn.folding import Folded, in_memory_order
from ganzoo_stylegan.mapping import FullyConnected
from ganzoo_stylegan.noise import NoiseSource
from ganzoo_stylegan.stylegan2.rows import Rows, Whole, whole
from ganzoo_stylegan.stylegan2.styled import Ending, StyledConvolution

Taps = Sequence[float] | Sequence[Sequence[float]] | None
UNUSED_FILTER = (1, 3, 3, 1)  # NVIDIA's programs store it with layers that keep the resolution, whatever the others have


@dataclass(frozen=True)
class LayerStyle:
    """What all layers of a network have in common.

    Attributes:
        activation: Name of the activation, see `ganzoo.nn.bias_act`.
        resample_filter: Taps of the filter for changes of resolution.
        image_filter: The same for images; None means ``resample_filter``.
        conv_clamp: Largest magnitude of what leaves a layer, its activation's gain included; None for no limit.
        kernel_size: Of all convolutions but those of 1x1.
        noise: Whether layers add noise.
        equalised: Whether modulated weights are divided by the root of their number of inputs. With demodulation this hardly
            matters: only the epsilon under its root is another one.
    """

    activation: str = "lrelu"
    resample_filter: Taps = (1, 3, 3, 1)
    conv_clamp: float | None = None
    kernel_size: int = 3
    noise: bool = True
    equalised: bool = False
    image_filter: Taps = None

    def __post_init__(self) -> None:
        if self.activation not in BIAS_ACTIVATIONS:
            raise ConfigError(f"There is no activation '{self.activation}'.", hint=f"Use {', '.join(BIAS_ACTIVATIONS)}.")
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ConfigError(f"Convolutions have a kernel of an odd size, not {self.kernel_size}.")
        if self.conv_clamp is not None and not self.conv_clamp > 0:
            raise ConfigError(f"'conv_clamp' is a number above 0, or none, not {self.conv_clamp}.")


def activated(x: Tensor, bias: Tensor, style: LayerStyle, gain: float = 1.0) -> Tensor:
    """``gain`` times what the activation makes of ``x + bias`` with its own gain, clamped; the clamp grows with ``gain``.

    Where nothing is recorded, ``x`` is overwritten.
    """
    clamp = None if style.conv_clamp is None else style.conv_clamp * gain
    gain = gain * BIAS_ACTIVATIONS[style.activation].gain
    return bias_act(x, bias, act=style.activation, gain=gain, clamp=clamp, inplace=True)


@dataclass(frozen=True)
class Times:
    """Multiplies a weight by ``factor`` and brings it into the order that convolutions want."""

    factor: float

    def __call__(self, weight: Tensor) -> Tensor:
        """The weight as it is used."""
        return in_memory_order(weight * self.factor)


class Convolution(Folded, nn.Module):
    """A convolution with equalised learning rate, resampling, activation and clamp: ``Conv2dLayer`` of NVIDIA's programs.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        kernel_size: Of the convolution.
        style: What the network's layers have in common.
        bias: Whether there is one; without it there is no activation either.
        up: Factor of the resolution.
        down: Likewise.
    """

    resample_filter: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int,
        style: LayerStyle,
        *,
        bias: bool = True,
        up: int = 1,
        down: int = 1,
    ) -> None:
        super().__init__()
        self.style, self.up, self.down = style, up, down
        self.padding, self.weight_gain = kernel_size // 2, 1 / math.sqrt(inputs * kernel_size**2)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.register_buffer("resample_filter", fir_filter(style.resample_filter if up * down > 1 else UNUSED_FILTER))

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """``[N, inputs, H, W]`` to ``[N, outputs, H * up / down, W * up / down]``, times ``gain``."""
        scale = gain if self.bias is None else 1.0
        x = conv2d_resample(
            x,
            self.folded_weight(Times(self.weight_gain * scale)).to(x.dtype),
            self.resample_filter,
            up=self.up,
            down=self.down,
            padding=self.padding,
            flip_weight=self.up == 1,
        )
        return x if self.bias is None else activated(x, self.bias, self.style, gain)


class SynthesisLayer(StyledConvolution):
    """A modulated convolution with noise and activation, maybe at twice the resolution of its input.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        w_dim: Entries of ``w``.
        size: Pixels a side of the output.
        style: What the network's layers have in common.
        up: Factor of the resolution.
    """

    resample_filter: Tensor
    noise_const: Tensor

    def __init__(self, inputs: int, outputs: int, w_dim: int, size: int, style: LayerStyle, *, up: int = 1) -> None:
        super().__init__(up)
        self.style = style
        self.style_gain = 1 / math.sqrt(inputs * style.kernel_size**2) if style.equalised else 1.0
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, style.kernel_size, style.kernel_size))
        if style.noise:
            self.register_buffer("noise_const", torch.randn(size, size))
            self.noise_strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("resample_filter", fir_filter(style.resample_filter if up > 1 else UNUSED_FILTER))

    def forward(self, x: Tensor, w: Tensor, noise: NoiseSource, gain: float = 1.0) -> Tensor:
        """``x [N, inputs, H, W]`` under the style of ``w [N, w_dim]``, times ``gain``."""
        return whole(self.styled(Whole(x), x.dtype, w, self.noise(noise, x.shape[0]), gain))

    def noise(self, source: NoiseSource, count: int) -> Tensor | None:
        """What is added for ``count`` images, ``[H, W]`` or ``[N, 1, H, W]``; None for nothing."""
        drawn = source(count, self.noise_const) if self.style.noise else None
        return None if drawn is None else drawn * self.noise_strength

    def styled(self, source: Rows, dtype: torch.dtype, w: Tensor, noise: Tensor | None, gain: float = 1.0) -> Rows:
        """The same as `forward` of feature maps that can be had in parts, computed in ``dtype``."""
        ending = Ending(
            noise=noise,
            bias=self.bias,
            activation=self.style.activation,
            gain=gain,
            clamp=self.style.conv_clamp,
        )
        return self.convolved(source, dtype, self.affine(w) * self.style_gain, ending, self.resample_filter)


class ToImage(nn.Module):
    """A modulated 1x1 convolution to the channels of the image, without demodulation: ``ToRGBLayer`` of NVIDIA's programs."""

    def __init__(self, inputs: int, channels: int, w_dim: int, style: LayerStyle) -> None:
        super().__init__()
        self.clamp, self.style_gain = style.conv_clamp, 1 / math.sqrt(inputs)
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """``x [N, inputs, H, W]`` under the style of ``w [N, w_dim]``."""
        weight = self.weight.flatten(1) * (self.affine(w) * self.style_gain)[:, None]  # [N, channels, inputs]
        y = torch.baddbmm(self.bias.to(x.dtype)[:, None], weight.to(x.dtype), x.flatten(2)).view(x.shape[0], -1, *x.shape[2:])
        if self.clamp is None:
            return y
        return y.clamp(-self.clamp, self.clamp)
