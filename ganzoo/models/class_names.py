"""Classes by name: what a conditional generator may be asked for instead of numbers."""

import difflib
from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo.errors import ConfigError, InvalidValueError, UnknownNameError

_SHOWN = 10  # names in a message

Classes = Tensor | int | str | Sequence[int] | Sequence[str] | None


def checked_names(names: Sequence[str], num_classes: int) -> tuple[str, ...]:
    """``names`` of ``num_classes`` classes; none of them is fine.

    Raises:
        ConfigError: there is not one name for each class.
    """
    if names and len(names) != num_classes:
        raise ConfigError(f"There are {len(names)} names for {num_classes} classes.")
    return tuple(names)


def class_numbers(c: Classes, names: Sequence[str]) -> Tensor | int | None:
    """``c`` with numbers for names.

    Args:
        c: Numbers or names, one or several; a tensor stays as it is. A number may be spelt, as on a command line: text that is
            no name.
        names: Of the classes in the order of their numbers, or none.

    Raises:
        UnknownNameError: there is no class of that name; the closest ones are named.
        InvalidValueError: there are several, as ImageNet has two kinds of cranes; or a list holds something else.
    """
    if isinstance(c, str):
        return _number(c, names)
    if isinstance(c, list | tuple):
        numbers = [_number(item, names) if isinstance(item, str) else item for item in c]
        try:
            return torch.as_tensor(numbers)
        except (TypeError, ValueError, RuntimeError, OverflowError) as e:
            raise InvalidValueError(f"The classes are {c!r}; they are whole numbers or names.") from e
    return c  # type: ignore[return-value]  # a sequence of another kind, an array say, is for `class_indices` to judge


def _number(name: str, names: Sequence[str]) -> int:
    numbers = [number for number, each in enumerate(names) if each == name]
    if len(numbers) > 1:
        listed = ", ".join(map(str, numbers))
        raise InvalidValueError(f"{len(numbers)} classes are named '{name}'.", hint=f"Give its number: {listed}.")
    if numbers:
        return numbers[0]
    if name.isdecimal():
        return int(name)
    spelt = {each.casefold(): each for each in names}
    close = [spelt[each] for each in difflib.get_close_matches(name.casefold(), spelt)]
    hint = None if close else f"It has: {_listed(names)}." if names else "This model knows its classes by number only."
    raise UnknownNameError("class", name, close, hint=hint)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
