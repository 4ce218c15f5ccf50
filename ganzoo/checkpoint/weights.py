"""Whether weights are numbers: one NaN in them makes everything that a network returns useless."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ganzoo.checkpoint.wording import printable
from ganzoo.errors import CheckpointError

_SHOWN = 3


def refuse_nan(state: Mapping[str, Tensor], origin: str) -> None:
    """Looks at every number of ``state``. Infinite ones pass: masks are made of them.

    Args:
        state: Weights by name.
        origin: Where they came from, for the message.

    Raises:
        CheckpointError: some are NaN; it names the tensors.
    """
    spoilt = [name for name, tensor in state.items() if _has_nan(tensor)]
    if not spoilt:
        return
    shown = ", ".join(
        f"'{printable(name)}' ({int(state[name].isnan().sum())} of {state[name].numel()})" for name in spoilt[:_SHOWN]
    )
    more = f" and {len(spoilt) - _SHOWN} more tensors" if len(spoilt) > _SHOWN else ""
    raise CheckpointError(
        f"{origin} has weights that are not a number (NaN): {shown}{more}. The training run that wrote it had diverged, or the "
        "file is damaged.",
        hint="Take an earlier checkpoint. To look into this one, load it with allow_nan=True (ganzoo convert: --allow-nan).",
    )


def _has_nan(tensor: Tensor) -> bool:
    if not (tensor.is_floating_point() or tensor.is_complex()) or tensor.is_meta or not tensor.numel():
        return False
    wide = tensor.float() if tensor.dtype.itemsize == 1 else tensor  # PyTorch does not add the small floats up
    total = wide.sum(dtype=torch.float32 if wide.dtype.itemsize == 2 and wide.is_floating_point() else None)
    # One pass over the memory: no NaN is lost in a sum. Infinite numbers, or a sum that overflows, need a closer look.
    return not bool(total.isfinite()) and bool(wide.isnan().any())
