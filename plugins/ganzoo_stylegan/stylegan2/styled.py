"""A whole styled layer in few passes over memory: modulated convolution, up-sampling, noise, bias, activation, gain and clamp.

It computes what `ganzoo.nn.modulated_conv2d` and `ganzoo.nn.bias_act` compute one after the other, and is where the time of a
StyleGAN2 goes. What depends on the weight alone is computed once, not for every image. The style scales the weights or what
they are applied to, whichever is smaller; the rest is scaled where it is free. On a CPU channels are innermost in memory, with
which convolutions are faster, those of single channels several times.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.nn import BIAS_ACTIVATIONS, bias_act
from ganzoo.nn.folding import channels_innermost
from ganzoo.nn.recording import recorded
from ganzoo.nn.upfirdn import resampling_padding
from ganzoo_stylegan.stylegan2.rows import Rows, padded_convolution, reaching
from ganzoo_stylegan.weight_forms import WeightForms, ordered, squared_norms, transposed

UP = 2  # factor of the resolution of layers that change it
EPS = 1e-8  # under the root of the demodulation
# Activations with f(g x) = g f(x) for g > 0, by their slope below zero: their gain goes into what is scaled anyway.
SLOPES = {"linear": 1.0, "relu": 0.0, "lrelu": 0.2}


@dataclass(frozen=True)
class Ending:
    """What follows: noise, ``[H, W]`` or for each image, bias ``[out]``, activation, gain, a clamp that grows with ``gain``."""

    noise: Tensor | None
    bias: Tensor
    activation: str
    gain: float = 1.0
    clamp: float | None = None

    @property
    def whole_gain(self) -> float:
        """That of the activation included."""
        return self.gain * BIAS_ACTIVATIONS[self.activation].gain

    @property
    def early_gain(self) -> float:
        """What may be multiplied before the activation."""
        return self.whole_gain if self.activation in SLOPES else 1.0

    def __call__(self, y: Tensor, start: int) -> Tensor:
        """``y``, rows from ``start`` on, whose bias and early gain are in it already; overwritten where nothing is recorded."""
        if self.noise is not None:
            y += (self.noise.narrow(-2, start, y.shape[2]) * self.early_gain).to(y.dtype)
        clamp = None if self.clamp is None else self.clamp * self.gain  # the activation's own gain is no part of it
        if self.activation not in SLOPES:
            return bias_act(y, act=self.activation, gain=self.whole_gain, clamp=clamp)
        y = y if self.activation == "linear" else F.leaky_relu(y, SLOPES[self.activation], inplace=True)
        if clamp is None:
            return y
        return y.clamp(-clamp, clamp) if recorded(y) else y.clamp_(-clamp, clamp)


class StyledConvolution(WeightForms):
    """A convolution whose weights a style scales and demodulation brings back to unit norm (Karras et al. 2020b, eq. 1 and 3).

    A subclass has the parameter ``weight [out, in, k, k]``, ``k`` odd.

    Args:
        up: 1, or 2 for twice the resolution.
    """

    def __init__(self, up: int) -> None:
        super().__init__()
        self.up = up

    def convolved(self, source: Rows, dtype: torch.dtype, styles: Tensor, ending: Ending, f: Tensor) -> Rows:
        """Correlates; where it up-samples, it convolves and filters. Then the ending.

        In float16, weights and styles are divided by their largest entries, so that nothing overflows; demodulation makes up
        for it.

        Args:
            source: ``[N, in, H, W]``.
            dtype: Of the source.
            styles: ``[N, in]``.
            ending: What follows.
            f: Taps of the filter, ``[taps]`` along both axes or ``[taps along y, taps along x]``.

        Returns:
            ``[N, out, H * up, W * up]``.
        """
        weight: Tensor | None = None
        if dtype == torch.float16:
            largest = self.weight.abs().amax((1, 2, 3), keepdim=True)
            weight = self.weight / (largest * math.sqrt(self.weight[0].numel()))
            styles = styles / styles.abs().amax(1, keepdim=True)
        scale = torch.rsqrt(styles.square() @ self.formed(squared_norms, weight).T + EPS)
        scale, styles = (scale * ending.early_gain).to(dtype), styles.to(dtype)
        if self.up == 1:
            return _Convolved(source, self.formed(ordered, weight).to(dtype), styles, scale, ending)
        return _Doubled(source, self.formed(transposed, weight).to(dtype), styles, scale, ending, f.to(dtype))


class _Convolved:
    """`Rows` of a convolution ``weight [out, in, k, k]``, given ``styles [N, in]`` before and ``scale [N, out]`` after it."""

    def __init__(self, source: Rows, weight: Tensor, styles: Tensor, scale: Tensor, ending: Ending) -> None:
        self.source, self.ending = source, ending
        self.bias = (ending.bias * ending.early_gain).to(weight.dtype)
        self.styles, self.scale = styles[:, :, None, None], scale[:, :, None, None]
        self.scales_weight = _scales_weight(source, weight)
        self.kernel = weight * (scale.T * styles)[:, :, None, None] if self.scales_weight else weight

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """``[N, out, H, W]``."""
        count, _, height, width = self.source.shape
        return count, len(self.kernel), height, width

    def rows(self, start: int, stop: int) -> Tensor:
        """See `Rows`."""
        half = self.kernel.shape[2] // 2
        x, above, below = reaching(self.source, start - half, stop + half)
        x = channels_innermost(x)
        if self.scales_weight:
            y = padded_convolution(x, self.kernel, self.bias, (half, half, above, below))
        else:
            y = padded_convolution(x * self.styles, self.kernel, None, (half, half, above, below))
            y = torch.addcmul(self.bias[:, None, None], y, self.scale)
        return self.ending(y, start)


class _Doubled:
    """`Rows` of a transposed convolution ``weight [in, out, k, k]`` and a filter after it; otherwise as `_Convolved`."""

    def __init__(self, source: Rows, weight: Tensor, styles: Tensor, scale: Tensor, ending: Ending, f: Tensor) -> None:
        self.source, self.ending, self.f = source, ending, f
        self.bias = (ending.bias * ending.early_gain).to(weight.dtype)
        self.styles, self.scale = styles[:, :, None, None], scale[:, :, None, None]
        self.scales_weight = _scales_weight(source, weight)
        self.kernel = weight * styles.T[:, :, None, None] if self.scales_weight else weight
        size = weight.shape[2]
        left, right, top, bottom = resampling_padding(f, size // 2, up=UP)
        self.pads = left - size + 1, right - size + UP, top - size + 1, bottom - size + UP

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """``[N, out, 2H, 2W]``."""
        count, _, height, width = self.source.shape
        return count, self.kernel.shape[1], height * UP, width * UP

    def rows(self, start: int, stop: int) -> Tensor:
        """See `Rows`."""
        size, top = self.kernel.shape[2], self.pads[2]
        first, last = start - top, stop - top + self.f.shape[0] - 1  # what the filter reads of the convolution's result
        x, above, _ = reaching(self.source, (first - size + 2) // UP, (last - 1) // UP + 1)
        x = channels_innermost(x)
        y = F.conv_transpose2d(x if self.scales_weight else x * self.styles, self.kernel, stride=UP)
        begins = ((first - size + 2) // UP + above) * UP
        return self.ending(self._filtered(y, begins - first, last - begins - y.shape[2]), start)

    def _filtered(self, y: Tensor, top: int, bottom: int) -> Tensor:
        """``y`` with so many rows of zeros above and below, or without so many of its own, filtered and scaled."""
        y = y[:, :, max(-top, 0) : y.shape[2] + min(bottom, 0)]
        left, right, top, bottom = self.pads[0], self.pads[1], max(top, 0), max(bottom, 0)
        last, alone = (self.scale[0], self.bias) if self.scale.shape[0] == 1 else (torch.ones_like(self.scale[0]), None)
        if self.f.ndim == 1:
            y = _each_channel(y, self.f[None] * UP, torch.ones_like(last), None, (left, right, 0, 0))
            y = _each_channel(y, self.f[:, None] * UP, last, alone, (0, 0, top, bottom))
        else:
            y = _each_channel(y, self.f * UP**2, last, alone, (left, right, top, bottom))
        return y if alone is not None else torch.addcmul(self.bias[:, None, None], y, self.scale)


def _scales_weight(source: Rows, weight: Tensor) -> bool:
    """Whether to scale the weight instead of what it is applied to: of a single image, and where it is smaller."""
    count, channels, height, width = source.shape
    return count == 1 and weight.numel() < channels * height * width


def _each_channel(x: Tensor, f: Tensor, scale: Tensor, bias: Tensor | None, padding: tuple[int, int, int, int]) -> Tensor:
    """Each channel convolved with ``f``, times ``scale [C, 1, 1]``."""
    kernel = f.flip(0, 1) * scale[:, None]
    return padded_convolution(x, kernel, bias, padding, groups=len(kernel))
