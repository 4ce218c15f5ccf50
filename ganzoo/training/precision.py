"""What networks say, at the precision in which it is compared, averaged and differentiated again."""

import torch
from torch import Tensor


def precise(values: Tensor) -> Tensor:
    """``values`` in single precision at least: as they are where they come so, else converted with their graph."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
