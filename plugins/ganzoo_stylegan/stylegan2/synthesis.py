"""The generator's blocks, one for each resolution (Karras et al. 2020b, figure 7): joined by skips, residually or plainly."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ganzoo.nn import fir_filter, upsample2d
from ganzoo.nn.recording import recorded, watched
from ganzoo_stylegan.noise import NoiseSource
from ganzoo_stylegan.stylegan2.layers import Convolution, LayerStyle, SynthesisLayer, ToImage
from ganzoo_stylegan.stylegan2.precision import Precise
from ganzoo_stylegan.stylegan2.rows import Whole, large, parts

HALF_POWER = math.sqrt(0.5)  # of both branches of a residual block


class SynthesisBlock(nn.Module):
    """Two layers, the first at twice the resolution of its input, and maybe one to the image.

    Args:
        inputs: Channels of the input; 0 for the first block, which starts from a constant.
        outputs: Channels of the output.
        w_dim: Entries of ``w``.
        size: Pixels a side.
        channels: Of the image.
        style: What the network's layers have in common.
        architecture: ``skip``, ``resnet`` or ``orig``.
        last: Whether it is the last one, which always makes an image.
    """

    resample_filter: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        w_dim: int,
        size: int,
        channels: int,
        style: LayerStyle,
        *,
        architecture: str,
        last: bool,
    ) -> None:
        super().__init__()
        taps = style.resample_filter if style.image_filter is None else style.image_filter
        self.register_buffer("resample_filter", fir_filter(taps))
        self.first, self.last = not inputs, last
        self.conv0 = self.torgb = self.skip = None
        if self.first:
            self.const = nn.Parameter(torch.randn(outputs, size, size))
        else:
            self.conv0 = SynthesisLayer(inputs, outputs, w_dim, size, style, up=2)
        self.conv1 = SynthesisLayer(outputs, outputs, w_dim, size, style)
        if last or architecture == "skip":
            self.torgb = ToImage(outputs, channels, w_dim, style)
        if not self.first and architecture == "resnet":
            self.skip = Convolution(inputs, outputs, 1, style, bias=False, up=2)

    @property
    def convolutions(self) -> int:
        """Layers that have a ``w`` of their own; the one to the image shares the next block's first."""
        return 1 if self.first else 2

    def features(self, x: Tensor | None, ws: Tensor, noise: NoiseSource) -> Tensor:
        """``x`` of the block before (None for the first) to the features ``[N, outputs, size, size]`` of this one."""
        if x is None or self.conv0 is None:
            x = self.const.to(ws.dtype).expand(ws.shape[0], -1, -1, -1)
            return torch.as_tensor(self.conv1(x, ws[:, 0], noise))
        gain = 1.0 if self.skip is None else HALF_POWER
        y = self.conv1(self.conv0(x, ws[:, 0], noise), ws[:, 1], noise, gain)
        return torch.as_tensor(y if self.skip is None else self.skip(x, gain) + y)

    def image(self, x: Tensor, img: Tensor | None, ws: Tensor) -> Tensor | None:
        """The image so far, at this block's resolution and in the dtype of ``ws``."""
        if img is not None:
            img = upsample2d(img, self.resample_filter)
        if self.torgb is None:
            return img
        y: Tensor = self.torgb(x, ws[:, self.convolutions]).to(ws.dtype)
        return y if img is None else img + y

    def works_in_parts(self, x: Tensor | None) -> bool:
        """Whether `in_parts` makes less work of ``x`` than `features` and `image`, and can do it."""
        if x is None or self.skip is not None or recorded(x, *self.parameters()) or watched(self):
            return False
        weight = self.conv1.weight  # only now: a constraint may compute it anew whenever it is asked for
        return large(x.shape[0], len(weight), 2 * x.shape[2], weight)

    def in_parts(self, x: Tensor, img: Tensor | None, ws: Tensor, noise: NoiseSource) -> tuple[Tensor | None, Tensor | None]:
        """Both `features` and `image`, made of some rows of one image at a time; no features of the last block."""
        assert self.conv0 is not None
        noises = [layer.noise(noise, x.shape[0]) for layer in (self.conv0, self.conv1)]
        size, width = 2 * x.shape[2], len(self.conv1.weight)
        img = self._room(img, ws, size)
        y = None if self.last else x.new_empty(x.shape[0], size, size, width).permute(0, 3, 1, 2)
        for i in range(x.shape[0]):
            one, mine = slice(i, i + 1), ws[i : i + 1]
            first, second = (_of(one, each) for each in noises)
            rows = self.conv0.styled(Whole(x[one]), x.dtype, mine[:, 0], first)
            rows = self.conv1.styled(rows, x.dtype, mine[:, 1], second)
            for start, stop in parts(width, size):
                made = rows.rows(start, stop)
                if y is not None:
                    y[one, :, start:stop] = made
                if img is not None and self.torgb is not None:
                    img[one, :, start:stop] += self.torgb(made, mine[:, self.convolutions])
        return y, img

    def _room(self, img: Tensor | None, ws: Tensor, size: int) -> Tensor | None:
        """The image that this block adds to."""
        if img is not None:
            return upsample2d(img, self.resample_filter)
        return None if self.torgb is None else ws.new_zeros(ws.shape[0], len(self.torgb.bias), size, size)


def _of(one: slice, noise: Tensor | None) -> Tensor | None:
    """What ``noise`` is for one of the images."""
    return noise if noise is None or noise.dim() < 4 or noise.shape[0] == 1 else noise[one]


class SynthesisNetwork(Precise):
    """``ws [N, num_ws, w_dim]`` to images.

    Args:
        widths: Channels by resolution, the smallest first.
        w_dim: Entries of ``w``.
        channels: Of the image.
        style: What all layers have in common.
        architecture: How blocks are joined.
        half: Resolutions that are computed in float16, see `Precise`.
    """

    def __init__(
        self, widths: Mapping[int, int], w_dim: int, channels: int, style: LayerStyle, *, architecture: str, half: set[int]
    ) -> None:
        super().__init__(half)
        before, self.sizes = 0, list(widths)
        for size, width in widths.items():
            last = size == self.sizes[-1]
            block = SynthesisBlock(before, width, w_dim, size, channels, style, architecture=architecture, last=last)
            self.add_module(f"b{size}", block)
            before = width
        self.num_ws = 2 * len(self.sizes)

    def forward(self, ws: Tensor, noise: NoiseSource) -> Tensor:
        """Images ``[N, channels, size, size]`` in the dtype of ``ws``."""
        x: Tensor | None = None
        img: Tensor | None = None
        start = 0
        for size in self.sizes:
            block = self.get_submodule(f"b{size}")
            assert isinstance(block, SynthesisBlock)
            mine = ws[:, start : start + block.convolutions + 1]
            x = None if x is None else x.to(self.dtype_at(size, ws))
            if x is not None and block.works_in_parts(x):
                x, img = block.in_parts(x, img, mine, noise)
            else:
                x = block.features(x, mine, noise)
                img = block.image(x, img, mine)
            start += block.convolutions
        assert img is not None  # the last block always makes one
        return img
