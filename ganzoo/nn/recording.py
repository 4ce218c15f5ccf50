"""Whether a computation is being recorded, for a gradient or by a compiler, or looked at on the way, or just done."""

import torch
from torch import Tensor, nn


def recorded(*tensors: Tensor | None) -> bool:
    """Whether what is computed from ``tensors`` is recorded; where it is not, memory of one's own may be overwritten."""
    wanted = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)
    return wanted or torch.compiler.is_compiling()


def watched(*modules: nn.Module) -> bool:
    """Whether somebody looks at what ``modules``, or modules inside them, are given or return: forward hooks are registered."""
    return any(part._forward_hooks or part._forward_pre_hooks for module in modules for part in module.modules())
