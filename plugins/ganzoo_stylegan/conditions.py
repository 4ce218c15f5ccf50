"""The class of an image: by number, by name, or as weights of several classes."""

import difflib
from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo.errors import ConfigError, InvalidValueError, UnknownNameError
from ganzoo.nn import one_hot

Classes = Tensor | int | str | Sequence[int] | Sequence[str] | None


def checked_names(names: Sequence[str] | None, num_classes: int) -> tuple[str, ...]:
    """``names`` of ``num_classes`` classes; none of them is fine.

    Raises:
        ConfigError: there is not one name for each class.
    """
    if num_classes < 0 or (names and len(names) != num_classes):
        raise ConfigError(f"There are {len(names or ())} class_names for {num_classes} classes.")
    return tuple(names or ())


def class_numbers(c: Classes, names: Sequence[str]) -> Tensor | int | None:
    """``c`` with numbers for names.

    Raises:
        UnknownNameError: there is no class of that name; the closest ones are named.
    """
    if isinstance(c, str):
        return _number(c, names)
    if c is None or isinstance(c, Tensor | int):
        return c
    return torch.tensor([_number(item, names) if isinstance(item, str) else item for item in c], dtype=torch.int64)


def class_weights(c: Tensor | int | None, num_classes: int, batch: Tensor) -> Tensor | None:
    """The condition of each sample of ``batch`` as weights ``[N, num_classes]`` in its dtype; None without classes.

    Args:
        c: Class of each, int64 ``[N]``, or one for all, or floating-point weights ``[N, num_classes]`` themselves.
        num_classes: How many there are; with 0, ``c`` is not looked at.
        batch: Whose samples they are.

    Raises:
        InvalidValueError: a class is missing or out of range, or weights have another shape.
    """
    if not num_classes:
        return None
    if not (isinstance(c, Tensor) and c.is_floating_point()):
        return one_hot(c, num_classes, batch)
    if c.shape not in ((len(batch), num_classes), (1, num_classes)):
        raise InvalidValueError(
            f"Weights of classes have the shape {[len(batch), num_classes]}, not {list(c.shape)}.",
            hint="For single classes give whole numbers.",
        )
    return c.to(batch).expand(len(batch), -1)


def _number(name: str, names: Sequence[str]) -> int:
    if name not in names:
        hint = None if names else "This model knows its classes by number only."
        raise UnknownNameError("class", name, difflib.get_close_matches(name, names), hint=hint)
    return names.index(name)
