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
from torch import Tensor, nn

from ganzoo.nn import BIAS_ACTIVATIONS, bias_act
from ganzoo.nn.folding import Form, Kept, channels_innermost
from ganzoo.nn.recording import recorded

UP = 2  # factor of the resolution of layers that change it
EPS = 1e-8  # under the root of the demodulation
# Activations with f(g x) = g f(x) for g > 0, by their slope below zero: their gain goes into what is scaled anyway.
SLOPES = {"linear": 1.0, "relu": 0.0, "lrelu": 0.2}


@dataclass(frozen=True)
class Ending:
    """What follows: noise, ``[H, W]`` or for each image, bias ``[out]``, activation, gain, a clamp that grows with the gain."""

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

    def __call__(self, y: Tensor) -> Tensor:
        """``y``, whose bias and early gain are in it already, overwritten where nothing is recorded."""
        if self.noise is not None:
            y += (self.noise * self.early_gain).to(y.dtype)
        clamp = None if self.clamp is None else self.clamp * self.whole_gain
        if self.activation not in SLOPES:
            return bias_act(y, act=self.activation, gain=self.whole_gain, clamp=clamp)
        y = y if self.activation == "linear" else F.leaky_relu(y, SLOPES[self.activation], inplace=True)
        if clamp is None:
            return y
        return y.clamp(-clamp, clamp) if recorded(y) else y.clamp_(-clamp, clamp)


class StyledConvolution(nn.Module):
    """A convolution whose weights a style scales and demodulation brings back to unit norm (Karras et al. 2020b, eq. 1 and 3).

    A subclass has the parameter ``weight [out, in, k, k]``, ``k`` odd.

    Args:
        up: 1, or 2 for twice the resolution.
    """

    weight: nn.Parameter

    def __init__(self, up: int) -> None:
        super().__init__()
        self.up = up
        self._squares, self._order = Kept(), Kept()

    def train(self, mode: bool = True) -> "StyledConvolution":
        """As in `torch.nn.Module`; what is kept for evaluation gives its memory back."""
        if mode:
            self._squares.clear()
            self._order.clear()
        super().train(mode)
        return self

    def convolved(self, x: Tensor, styles: Tensor, ending: Ending, f: Tensor) -> Tensor:
        """Correlates; where it up-samples, it convolves and filters. Then the ending.

        For float16 ``x``, weights and styles are divided by their largest entries, so that nothing overflows; demodulation
        makes up for it.

        Args:
            x: ``[N, in, H, W]``.
            styles: ``[N, in]``.
            ending: What follows.
            f: Taps of the filter, ``[taps]`` along both axes or ``[taps, taps]``.

        Returns:
            ``[N, out, H * up, W * up]``.
        """
        weight: Tensor = self.weight
        if x.dtype == torch.float16:
            weight = weight / (weight.abs().amax((1, 2, 3), keepdim=True) * math.sqrt(weight[0].numel()))
            styles = styles / styles.abs().amax(1, keepdim=True)
        scale = torch.rsqrt(styles.square() @ self._formed(self._squares, squared_norms, weight).T + EPS)
        scale, bias = (scale * ending.early_gain).to(x.dtype), (ending.bias * ending.early_gain).to(x.dtype)
        ordered = self._formed(self._order, transposed if self.up > 1 else channels_innermost, weight)
        way = _up_convolved if self.up > 1 else _convolved
        return ending(way(channels_innermost(x), ordered.to(x.dtype), styles.to(x.dtype), scale, bias, f))

    def _formed(self, kept: Kept, form: Form, weight: Tensor) -> Tensor:
        """What ``form`` makes of the weight; kept where nothing is recorded."""
        if weight is not self.weight or self.training or recorded(weight):
            return form(weight)
        return kept.get([weight], form, lambda: form(weight))


def squared_norms(weight: Tensor) -> Tensor:
    """Of each kernel of ``weight [out, in, k, k]``: ``[out, in]``."""
    squares = weight.flatten(2).square()
    return squares @ squares.new_ones(squares.shape[2])


def transposed(weight: Tensor) -> Tensor:
    """``[in, out, k, k]``, as transposed convolutions want it."""
    return channels_innermost(weight.transpose(0, 1))


def _convolved(x: Tensor, weight: Tensor, styles: Tensor, scale: Tensor, bias: Tensor, _: Tensor) -> Tensor:
    padding = weight.shape[2] // 2
    if len(x) == 1 and weight.numel() < x.numel():
        return F.conv2d(x, weight * (scale.T * styles)[:, :, None, None], bias, padding=padding)
    y = F.conv2d(x * styles[:, :, None, None], weight, padding=padding)
    return torch.addcmul(bias[:, None, None], y, scale[:, :, None, None])


def _up_convolved(x: Tensor, weight: Tensor, styles: Tensor, scale: Tensor, bias: Tensor, f: Tensor) -> Tensor:
    if len(x) == 1 and weight.numel() < x.numel():
        y = F.conv_transpose2d(x, weight * styles.T[:, :, None, None], stride=UP)
    else:
        y = F.conv_transpose2d(x * styles[:, :, None, None], weight, stride=UP)
    size, taps = weight.shape[2], f.shape[-1]
    pads = (size // 2 + (taps + UP - 1) // 2 - size + 1, size // 2 + (taps - UP) // 2 - size + UP)
    if len(x) == 1:
        return _filtered(y, f, pads, scale[0], bias)
    y = _filtered(y, f, pads, torch.ones_like(scale[0]), None)
    return torch.addcmul(bias[:, None, None], y, scale[:, :, None, None])


def _filtered(x: Tensor, f: Tensor, pads: tuple[int, int], scale: Tensor, bias: Tensor | None) -> Tensor:
    """Each channel padded at both ends of both axes, convolved with ``f``, and scaled such that it is as bright as before."""
    if f.ndim == 1:
        x = _pass(x, f[None] * UP, (0, 0), pads, torch.ones_like(scale), None)
        return _pass(x, f[:, None] * UP, pads, (0, 0), scale, bias)
    return _pass(x, f * UP**2, pads, pads, scale, bias)


def _pass(
    x: Tensor, f: Tensor, along_y: tuple[int, int], along_x: tuple[int, int], scale: Tensor, bias: Tensor | None
) -> Tensor:
    kernel = f.flip(0, 1).to(x.dtype) * scale[:, None, None, None]
    if along_y[0] == along_y[1] >= 0 and along_x[0] == along_x[1] >= 0:
        return F.conv2d(x, kernel, bias, padding=(along_y[0], along_x[0]), groups=len(kernel))
    return F.conv2d(F.pad(x, (*along_x, *along_y)), kernel, bias, groups=len(kernel))
