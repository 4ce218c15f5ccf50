"""Classes by name: what a conditional generator may be asked for instead of numbers."""

import difflib
from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo.errors import ConfigError, UnknownNameError

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

    Args:
        c: Numbers or names, one or several; a tensor stays as it is.
        names: Of the classes in the order of their numbers, or none.

    Raises:
        UnknownNameError: there is no class of that name; the closest ones are named.
    """
    if isinstance(c, str):
        return _number(c, names)
    if c is None or isinstance(c, Tensor | int):
        return c
    return torch.tensor([_number(item, names) if isinstance(item, str) else item for item in c], dtype=torch.int64)


def _number(name: str, names: Sequence[str]) -> int:
    if name not in names:
        hint = None if names else "This model knows its classes by number only."
        raise UnknownNameError("class", name, difflib.get_close_matches(name, names), hint=hint)
    return list(names).index(name)
