"""From one ``w`` for each layer to an image (Karras et al. 2019, fig. 1b, table 1 configurations D to F)."""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo_stylegan.noise import NoiseSource
from ganzoo_stylegan.stylegan1.layers import EqualisedConv2d, EqualisedLinear, UpConv2d
from ganzoo_stylegan.stylegan1.level import Level
from ganzoo_stylegan.stylegan1.sizes import FIRST_SIZE
from ganzoo_stylegan.stylegan1.styled import Styled

FUSED_SIZE = 128  # pixels a side from which the authors fuse up-sampling and convolution, unless told otherwise


class Constant(nn.Module):
    """Where an image begins: the same learned feature maps for all.

    Args:
        channels: Of the feature maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.const = nn.Parameter(torch.ones(1, channels, FIRST_SIZE, FIRST_SIZE))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, w: Tensor) -> Tensor:
        """Feature maps ``[N, channels, 4, 4]`` for ``w [N, w_dim]``."""
        return (self.const + self.bias[:, None, None]).repeat(w.shape[0], 1, 1, 1)


class FromStyle(EqualisedLinear):
    """Where an image begins in configurations A to C of table 1: feature maps computed from the first ``w``.

    Args:
        w_dim: Entries of ``w``.
        channels: Of the feature maps.
        equalised: As for `EqualisedLinear`.
    """

    def __init__(self, w_dim: int, channels: int, *, equalised: bool) -> None:
        pixels = FIRST_SIZE**2
        super().__init__(w_dim, channels * pixels, gain=math.sqrt(2 / pixels), equalised=equalised)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, w: Tensor) -> Tensor:
        """Feature maps ``[N, channels, 4, 4]`` for ``w [N, w_dim]``."""
        x = F.linear(w, self.used_weight()).view(w.shape[0], -1, FIRST_SIZE, FIRST_SIZE)
        return x + self.bias[:, None, None]  # type: ignore[index]  # set above


class Layer(nn.Module):
    """A convolution (or the beginning) and what follows it."""

    def __init__(self, conv: nn.Module, styled: Styled) -> None:
        super().__init__()
        self.conv, self.styled = conv, styled

    def forward(self, x: Tensor, w: Tensor, source: NoiseSource) -> Tensor:
        """``x`` is what the convolution takes, ``w [N, w_dim]``."""
        return torch.as_tensor(self.styled(self.conv(x), w, self.styled.draw(source, w.shape[0])))


def _same(noise: Tensor | None, count: int, stored: Tensor) -> Tensor | None:
    """A source that gives every layer ``noise``."""
    return noise


class Synthesis(nn.Module):
    """``ws [N, layers, w_dim]`` to images ``[N, channels, H, W]``. Arguments as for `StyleGAN1Generator`.

    Attributes:
        layers: Two for each resolution, 4x4 pixels first.
        to_image: A 1x1 convolution for each resolution, or for the largest one alone.
        level: The level of detail.
    """

    def __init__(
        self,
        widths: Sequence[int],
        channels: int,
        w_dim: int,
        *,
        const_input: bool,
        fused: bool | None,
        blur: Sequence[float],
        blurred_bias: bool,
        noise: str,
        growing: bool,
        final_tanh: bool,
        norm_eps: float,
        equalised: bool,
    ) -> None:
        super().__init__()
        self.final_tanh, self.shared_noise = final_tanh, noise == "shared"
        first = Constant(widths[0]) if const_input else FromStyle(w_dim, widths[0], equalised=equalised)
        convolutions: list[nn.Module] = [first, EqualisedConv2d(widths[0], widths[0], equalised=equalised)]
        for i, (before, after) in enumerate(pairwise(widths), start=1):
            turned = FIRST_SIZE << i >= FUSED_SIZE if fused is None else fused
            convolutions.append(UpConv2d(before, after, blur, turned=turned, blurred_bias=blurred_bias, equalised=equalised))
            convolutions.append(EqualisedConv2d(after, after, equalised=equalised))
        self.layers = nn.ModuleList(
            Layer(
                conv, Styled(widths[i // 2], FIRST_SIZE << i // 2, w_dim, noise=noise, norm_eps=norm_eps, equalised=equalised)
            )
            for i, conv in enumerate(convolutions)
        )
        shown = widths if growing else widths[-1:]
        self.to_image = nn.ModuleList(EqualisedConv2d(width, channels, 1, gain=1.0, equalised=equalised) for width in shown)
        self.level = Level()

    def forward(self, ws: Tensor, source: NoiseSource, lod: float | None = None) -> Tensor:
        """Images.

        Args:
            ws: One ``w`` for every layer.
            source: Where the noise comes from.
            lod: Level of detail; None: the network's own.

        Raises:
            InvalidValueError: a level that there is not.
        """
        last = len(self.layers) // 2 - 1
        lod = self.level.checked(lod, len(self.to_image) - 1)
        x, image = ws[:, 0], None
        for i in range(last + 1):
            ahead = last - i - lod  # levels up to the one that is shown
            if ahead > -1:
                x = self._stage(i, x, ws, source)
            if 0 <= ahead < 1:
                image = self.to_image[i - last - 1](x)
            elif image is not None:
                smaller = F.interpolate(image, scale_factor=2, mode="nearest")
                image = smaller.lerp(self.to_image[i - last - 1](x), 1 + ahead) if ahead > -1 else smaller
        assert image is not None  # some level is shown
        return torch.tanh(image) if self.final_tanh else image

    def _stage(self, i: int, x: Tensor, ws: Tensor, source: NoiseSource) -> Tensor:
        """Both layers of resolution ``i``."""
        if self.shared_noise:
            noise = source(ws.shape[0], self.get_buffer(f"layers.{2 * i}.styled.noise"))
            source = partial(_same, noise)
        x = self.layers[2 * i](x, ws[:, 2 * i], source)
        return torch.as_tensor(self.layers[2 * i + 1](x, ws[:, 2 * i + 1], source))
