"""Which blocks of a network are computed in float16 (Karras et al. 2020a, appendix D)."""

import torch
from torch import Tensor, nn


class Precise(nn.Module):
    """A network some of whose resolutions may be computed in half precision, weights staying in single precision.

    Args:
        half: Those resolutions.

    Attributes:
        half_on_cpu: Whether it is so on a CPU, too, where it is slow; set it to see what an accelerator would compute.
    """

    def __init__(self, half: set[int]) -> None:
        super().__init__()
        self._half = half
        self.half_on_cpu = False

    def dtype_at(self, size: int, like: Tensor) -> torch.dtype:
        """What the block of ``size`` computes in, given what the network is given; double precision stays what it is."""
        wanted = size in self._half and like.dtype == torch.float32
        return torch.float16 if wanted and (self.half_on_cpu or like.device.type != "cpu") else like.dtype
