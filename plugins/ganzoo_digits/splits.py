"""How the data sets of digits are split: without random numbers, so that the splits are the same everywhere."""

import torch
from torch import Tensor

SPLITS = ("train", "test", "all")
_HOLD_OUT = 5  # every fifth picture of each class belongs to the test split


def choose(labels: Tensor, split: str) -> Tensor:
    """Mask of the pictures of ``split``, one of `SPLITS`; ``labels`` int64 ``[N]`` are all classes in the order of the file."""
    if split == "all":
        return torch.ones(len(labels), dtype=torch.bool)
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    for digit in range(int(labels.max()) + 1):
        held_out[(labels == digit).nonzero().flatten()[_HOLD_OUT - 1 :: _HOLD_OUT]] = True
    return held_out if split == "test" else ~held_out
