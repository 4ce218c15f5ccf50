"""Plain data from the inert records of a pickle: what a file states of its networks, as it could stand in a JSON file."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ganzoo.checkpoint.array_records import is_array
from ganzoo.checkpoint.audit import DTYPES, TABLES
from ganzoo.checkpoint.pickle_state import Record

MAX_DEPTH = 8
MAX_ELEMENTS = 4096  # of an array; the filters and sizes that networks are made with have a few dozen
_NOTHING = object()


class PlainValues:
    """Makes plain data of one pickle's values, each time anew: what is one object in the pickle may appear many times.

    Args:
        number: Reads the record of a NumPy scalar; what is no number it gives back.
        array: Reads the record of an array, or raises ValueError.
        most: How many values there may be in all.
    """

    def __init__(self, number: Callable[[Record], Any], array: Callable[[Record], Tensor], most: int) -> None:
        self._number, self._array, self._left = number, array, most

    def table(self, value: Any) -> dict[str, Any]:
        """The entries of a table that are plain data; of anything else none.

        Raises:
            ValueError: there are absurdly many.
        """
        made = self._plain(value, 0)
        return made if isinstance(made, dict) else {}

    def sequence(self, value: Any) -> tuple[Any, ...]:
        """The values of a list or tuple if all of them are plain data; else none.

        Raises:
            ValueError: there are absurdly many.
        """
        made = self._plain(value, 0)
        return tuple(made) if isinstance(made, list) else ()

    def _plain(self, value: Any, depth: int) -> Any:
        self._count(1)
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if depth > MAX_DEPTH:
            return _NOTHING
        if isinstance(value, list | tuple):
            return self._list(value, depth)
        entries = table_of(value)
        if entries is not None:
            return self._dict(entries, depth)
        return self._record(value, depth) if isinstance(value, Record) else _NOTHING

    def _list(self, values: list[Any] | tuple[Any, ...], depth: int) -> Any:
        made = []
        for value in values:
            plain = self._plain(value, depth + 1)
            if plain is _NOTHING:
                return _NOTHING
            made.append(plain)
        return made

    def _dict(self, entries: dict[Any, Any], depth: int) -> dict[str, Any]:
        made = {str(key): self._plain(value, depth + 1) for key, value in entries.items() if isinstance(key, str | int)}
        return {key: value for key, value in made.items() if value is not _NOTHING}

    def _record(self, record: Record, depth: int) -> Any:
        short = record.name.removeprefix("torch.")
        if record.args is None:
            return short if short in DTYPES else _NOTHING
        if record.name == "torch.Size" and len(record.args) == 1:
            return self._plain(record.args[0], depth + 1)
        if record.name == "numpy.dtype" and record.args and isinstance(record.args[0], str):
            return record.args[0]
        if record.name.endswith(".multiarray.scalar"):
            number = self._number(record)
            return number if isinstance(number, bool | int | float) else _NOTHING
        return self._numbers(record) if is_array(record) else _NOTHING

    def _numbers(self, record: Record) -> Any:
        try:
            tensor = self._array(record)
        except (ValueError, TypeError):
            return _NOTHING
        if tensor.numel() > MAX_ELEMENTS:
            return _NOTHING
        self._count(tensor.numel())
        return tensor.tolist()

    def _count(self, values: int) -> None:
        self._left -= values
        if self._left < 0:
            raise ValueError("the settings of its networks are absurdly many")


def table_of(value: Any) -> dict[Any, Any] | None:
    """The entries of a dict, or of a record that stands for one; None for anything else. Nothing in it is looked at."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, Record) or value.args is None or value.name not in TABLES | {"collections.OrderedDict"}:
        return None
    given = value.args[0] if len(value.args) == 1 and isinstance(value.args[0], dict) else {}
    state = value.state if isinstance(value.state, dict) and value.name in TABLES else {}
    return {**given, **(value.entries or {}), **state}
