"""Class conditions as tensors."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import InvalidValueError


def class_indices(c: Any, num_classes: int, batch: Tensor) -> Tensor:
    """Class of each sample of ``batch`` as indices ``[N]`` on its device.

    Args:
        c: Whole numbers: one for each sample, or one for all; a tensor, or anything that becomes one.
        num_classes: How many classes there are. While a graph is exported or compiled, nobody looks whether ``c`` stays below.
        batch: ``[N, ...]``.

    Raises:
        InvalidValueError: no class is given, or one out of range, or not one for each sample, or what is no whole number.
    """
    if c is None:
        raise InvalidValueError("This model is conditional and needs a class.", hint=f"Give c, from 0 to {num_classes - 1}.")
    indices = _whole_numbers(c, batch.device).reshape(-1)
    if indices.shape[0] == 1:
        indices = indices.expand(batch.shape[0])
    if indices.shape[0] != batch.shape[0]:
        raise InvalidValueError(
            f"There are {indices.shape[0]} classes for {batch.shape[0]} samples.", hint="Give one for each, or one for all."
        )
    if torch.compiler.is_compiling():  # the graph is for all values: there is none to look at
        return indices
    if indices.shape[0] and not 0 <= int(indices.min()) <= int(indices.max()) < num_classes:
        raise InvalidValueError("A class is out of range.", hint=f"This model has the classes 0 to {num_classes - 1}.")
    return indices


def _whole_numbers(c: Any, device: torch.device) -> Tensor:
    try:
        numbers = torch.as_tensor(c, device=device)
    except (TypeError, ValueError, RuntimeError, OverflowError) as e:
        raise InvalidValueError(f"The class is {c!r}; it is a whole number, or one for each sample.") from e
    if numbers.is_floating_point() or numbers.is_complex() or numbers.dtype == torch.bool:
        kind = str(numbers.dtype).removeprefix("torch.")
        raise InvalidValueError(f"Classes are whole numbers, not {kind}.", hint=f"Its shape is {list(numbers.shape)}.")
    return numbers.to(torch.int64)


def one_hot(c: Any, num_classes: int, batch: Tensor) -> Tensor:
    """`class_indices` as one-hot vectors ``[N, num_classes]`` of the dtype of ``batch``.

    Raises:
        InvalidValueError: as `class_indices`.
    """
    return F.one_hot(class_indices(c, num_classes, batch), num_classes).to(batch.dtype)


def class_mixture(c: Any, num_classes: int, batch: Tensor) -> Tensor | None:
    """``c`` as weights of the classes ``[N, num_classes]`` where it is a mixture of classes; None where it is not.

    Args:
        c: A mixture is a floating-point tensor, ``[N, num_classes]`` or ``[1, num_classes]`` for all.
        num_classes: How many classes there are.
        batch: ``[N, ...]``, whose dtype and device the weights get.

    Raises:
        InvalidValueError: a mixture of another shape, or weights that are no finite numbers.
    """
    if not (isinstance(c, Tensor) and c.is_floating_point()):
        return None
    if c.dim() != 2 or c.shape[1] != num_classes or c.shape[0] not in (1, batch.shape[0]):
        raise InvalidValueError(
            f"A mixture of classes has a weight of each, [{batch.shape[0]}, {num_classes}], not {list(c.shape)}.",
            hint="For single classes give whole numbers.",
        )
    if not torch.compiler.is_compiling() and not c.isfinite().all():
        raise InvalidValueError("The weights of the classes are not all finite numbers.")
    return c.to(batch).expand(batch.shape[0], -1)


def class_weights(c: Any, num_classes: int, batch: Tensor) -> Tensor:
    """The classes as weights ``[N, num_classes]`` in the dtype of ``batch``: the mixture that is given, else one-hot vectors.

    Raises:
        InvalidValueError: as `class_indices` and `class_mixture`.
    """
    mixture = class_mixture(c, num_classes, batch)
    return one_hot(c, num_classes, batch) if mixture is None else mixture
