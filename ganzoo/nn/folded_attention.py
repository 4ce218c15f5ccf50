"""Self attention whose products are convolutions, which are the faster products of a CPU while there are few images."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.nn.attention import SelfAttention
from ganzoo.nn.folding import FEW_IMAGES, convolve


class FoldedSelfAttention(SelfAttention):
    """`SelfAttention`, the same function. Arguments as there."""

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to the same shape; ``H`` and ``W`` are even."""
        if torch.compiler.is_compiling() or x.device.type != "cpu" or x.shape[0] >= FEW_IMAGES:
            return super().forward(x)
        keys, values = (F.max_pool2d(layer(x), 2).flatten(2) for layer in (self.key, self.value))  # [N, C', HW/4]
        mixtures = [_mixture(*each) for each in zip(self.query(x).split(1), keys, values, strict=True)]
        change: Tensor = self.output(torch.cat(mixtures))
        return x + self.gain * change


def _mixture(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Of one image: ``query [1, C', H, W]``, ``key [C', P]`` and ``value [C", P]`` to ``[1, C", H, W]``.

    The keys are a kernel of single pixels that makes a channel for each of ``P`` places; the values are another one.
    """
    scores = convolve(query, key.t()[:, :, None, None])
    weights = torch.softmax(scores.permute(0, 2, 3, 1), dim=-1).permute(0, 3, 1, 2)
    return convolve(weights, value[:, :, None, None])
