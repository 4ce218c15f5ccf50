"""Class conditions as tensors."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import InvalidValueError


def class_indices(c: Tensor | int | None, num_classes: int, batch: Tensor) -> Tensor:
    """Class of each sample of ``batch`` as indices ``[N]`` on its device.

    Raises:
        InvalidValueError: no class is given, or one out of range, or not one for each sample.
    """
    if c is None:
        raise InvalidValueError("This model is conditional and needs a class.", hint=f"Give c, from 0 to {num_classes - 1}.")
    indices = torch.as_tensor(c, dtype=torch.int64, device=batch.device).reshape(-1)
    if len(indices) == 1:
        indices = indices.expand(len(batch))
    if len(indices) != len(batch):
        raise InvalidValueError(
            f"There are {len(indices)} classes for {len(batch)} samples.", hint="Give one for each, or one for all."
        )
    if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < num_classes:
        raise InvalidValueError("A class is out of range.", hint=f"This model has the classes 0 to {num_classes - 1}.")
    return indices


def one_hot(c: Tensor | int | None, num_classes: int, batch: Tensor) -> Tensor:
    """`class_indices` as one-hot vectors ``[N, num_classes]`` of the dtype of ``batch``.

    Raises:
        InvalidValueError: as `class_indices`.
    """
    return F.one_hot(class_indices(c, num_classes, batch), num_classes).to(batch.dtype)
