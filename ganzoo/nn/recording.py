"""Whether a computation is being recorded, for a gradient or by a compiler, or just done."""

import torch
from torch import Tensor


def recorded(*tensors: Tensor | None) -> bool:
    """Whether what is computed from ``tensors`` is recorded; where it is not, memory of one's own may be overwritten."""
    wanted = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)
    return wanted or torch.compiler.is_compiling()
