"""What modulated convolutions make of their weight whatever the style: computed once, not for every image."""

import torch
from torch import Tensor, nn

from ganzoo.nn.folding import Form, Kept
from ganzoo.nn.recording import recorded


class WeightForms(nn.Module):
    """Mixed into a layer with the parameter ``weight``."""

    weight: nn.Parameter

    def __init__(self) -> None:
        super().__init__()
        self._forms: dict[Form, Kept] = {}

    def train(self, mode: bool = True) -> "WeightForms":
        """As in `torch.nn.Module`; what is kept for evaluation gives its memory back."""
        if mode:
            self._forms.clear()
        super().train(mode)
        return self

    def formed(self, form: Form, weight: Tensor | None = None) -> Tensor:
        """What ``form`` makes of the weight, or of another one that takes its place; kept where nothing is recorded."""
        if weight is not None or self.training or recorded(self.weight):
            return form(self.weight if weight is None else weight)
        return self._forms.setdefault(form, Kept()).get([self.weight], form, lambda: form(self.weight))


def squared_norms(weight: Tensor) -> Tensor:
    """Of each kernel of ``weight [out, in, k, k]``: ``[out, in]``."""
    squares = weight.flatten(2).square()
    return squares @ squares.new_ones(squares.shape[2])


def ordered(weight: Tensor) -> Tensor:
    """``weight`` as convolutions on its device want it."""
    return weight.contiguous(memory_format=torch.channels_last) if weight.device.type == "cpu" else weight


def transposed(weight: Tensor) -> Tensor:
    """``[in, out, k, k]``, as transposed convolutions want it."""
    return ordered(weight.transpose(0, 1))
