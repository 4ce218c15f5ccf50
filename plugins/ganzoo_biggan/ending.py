"""The end of a generator, where feature maps are largest: some rows of one image at a time, so that they stay in the cache.

From the last convolution of the last block on, every pixel depends on few others. Nothing larger than a part is ever made,
which saves memory and the time that the system takes to give it out.
"""

import torch
from torch import Tensor, nn

from ganzoo.nn.folding import channels_innermost
from ganzoo_biggan.blocks import DeepUpBlock, UpBlock
from ganzoo_biggan.norms import Normalisation

LARGE = 2**22  # numbers from which feature maps are made in parts
PART = 2**20  # numbers of a part


class Ending:
    """The end of the last block, the last normalisation, the last convolution and a hyperbolic tangent.

    Args:
        block: The last block.
        norm: The last normalisation.
        last: The last convolution, 3x3 pixels.
    """

    def __init__(self, block: UpBlock | DeepUpBlock, norm: Normalisation, last: nn.Module) -> None:
        self.block, self.norm, self.last = block, norm, last

    def __call__(self, change: Tensor, kept: Tensor, y: Tensor, *further: float) -> Tensor:
        """Images from both branches of the block.

        Args:
            change: What the block's last convolution is applied to, ``[N, C, H, W]``.
            kept: What is added to the result, ``[N, C', H, W]`` or ``[N, C', H/2, W/2]``.
            y: The condition of the normalisation, of each or of all.
            *further: Given to the normalisation after it.
        """
        count, _, height, width = change.shape
        step = max(1, PART // (kept.shape[1] * width))
        images = []
        for i in range(count):
            one, mine = slice(i, i + 1), y[i : i + 1]
            images += [
                self._rows(change[one], kept[one], mine, further, start, min(start + step, height))
                for start in range(0, height, step)
            ]
        parts = len(images) // count
        return torch.cat([torch.cat(images[i : i + parts], dim=2) for i in range(0, len(images), parts)]).contiguous()

    def _rows(self, change: Tensor, kept: Tensor, y: Tensor, further: tuple[float, ...], start: int, stop: int) -> Tensor:
        """Rows ``start`` to ``stop`` of the images."""
        first, last = max(start - 1, 0), min(stop + 1, change.shape[2])  # what the convolution reads
        x: Tensor = self.last(self.norm(self._joined(change, kept, first, last), y, *further, inplace=True))
        return torch.tanh(x[:, :, start - first : stop - first])

    def _joined(self, change: Tensor, kept: Tensor, start: int, stop: int) -> Tensor:
        """Rows ``start`` to ``stop`` of the block's result."""
        times = change.shape[2] // kept.shape[2]
        above, below = start % times, -stop % times  # whole rows of what is kept
        start, stop = start - above, stop + below
        # A 3x3 convolution reads a row more on both sides; what it makes of the zeros around a part is cut off.
        first, last = max(start - 1, 0), min(stop + 1, change.shape[2])
        y: Tensor = self.block.last(channels_innermost(change[:, :, first:last]))
        y = self.block.joined(y[:, :, start - first : stop - first], kept[:, :, start // times : stop // times])
        return y[:, :, above : y.shape[2] - below]
