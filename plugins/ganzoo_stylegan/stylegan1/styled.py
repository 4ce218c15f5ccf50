"""What follows every convolution of the generator: noise, activation, and a style instead of the activation's own moments."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo_stylegan.noise import NoiseSource
from ganzoo_stylegan.stylegan1.layers import SLOPE, EqualisedLinear

NOISES = ("spatial", "shared", "channel", "none")
PIECE = 1 << 17  # numbers: what is computed from so many stays in the cache


class Styled(nn.Module):
    """Noise, leaky ReLU, instance normalisation, style (Karras et al. 2019, fig. 1b, eq. 1).

    Args:
        channels: Of the feature maps.
        size: Pixels a side.
        style_size: Entries of ``w``.
        noise: ``spatial``: one image of noise, a weight for each channel; ``shared``: the same, and both layers of a resolution
            get one image; ``channel``: one number a channel, a weight for each pixel; ``none``.
        norm_eps: Added to the variance.
        equalised: As for `Equalised`.

    Attributes:
        noise: The noise that is used unless other noise is given, ``[1, 1, H, W]`` or ``[1, C, 1, 1]``.
        noise_weight: ``[C]`` or ``[H, W]``.

    Raises:
        ConfigError: no noise of that name.
    """

    noise: Tensor

    def __init__(self, channels: int, size: int, style_size: int, *, noise: str, norm_eps: float, equalised: bool) -> None:
        super().__init__()
        if noise not in NOISES:
            raise ConfigError(f"There is no noise '{noise}'.", hint=f"Use {', '.join(NOISES)}.")
        self.norm_eps, self.kind = norm_eps, noise
        if noise != "none":
            flat = noise != "channel"
            self.register_buffer("noise", torch.randn(1, *((1, size, size) if flat else (channels, 1, 1))))
            self.noise_weight = nn.Parameter(torch.zeros((channels,) if flat else (size, size)))
        self.style = EqualisedLinear(style_size, 2 * channels, gain=1.0, equalised=equalised)

    def draw(self, source: NoiseSource, count: int) -> Tensor | None:
        """The noise of ``count`` images; None for none."""
        if self.kind == "none":
            return None
        if self.kind != "channel":
            return source(count, self.noise)
        noise = source(count, self.noise.transpose(1, 3))  # a source draws images: here with a pixel for each channel
        return noise if noise is None else noise.transpose(1, 3)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """The feature maps with the style.

        Args:
            x: Feature maps ``[N, C, H, W]``; overwritten.
            w: ``[N, style_size]``.
            noise: From `draw`.
        """
        if noise is not None:
            weight = self.noise_weight
            x = x.addcmul_(noise, weight if self.kind == "channel" else weight[:, None, None])
        x = F.leaky_relu_(x, SLOPE)
        scale, shift = self.style(w)[:, :, None, None].chunk(2, dim=1)
        alone = not (torch.is_grad_enabled() or torch.compiler.is_compiling())
        mean, variance = _moments_in_pieces(x) if alone else _moments(x)
        gain = (scale + 1) * torch.rsqrt(variance + self.norm_eps)
        return torch.addcmul(shift - mean * gain, x, gain, out=x if alone else None)


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each feature map, ``[N, C, 1, 1]``."""
    mean = x.mean((2, 3), keepdim=True)
    return mean, (x - mean).square().mean((2, 3), keepdim=True)


def _moments_in_pieces(x: Tensor) -> tuple[Tensor, Tensor]:
    """`_moments` without anything as large as ``x`` in memory."""
    mean = x.mean((2, 3), keepdim=True)
    rows = max(1, PIECE // max(1, x[:, :, 0].numel()))
    squares = torch.zeros_like(mean)
    for piece in torch.split(x, rows, dim=2):
        squares += (piece - mean).square_().sum((2, 3), keepdim=True)
    return mean, squares / (x.shape[2] * x.shape[3])
