"""Pickles of plain NumPy arrays, read as data: neither Python's nor NumPy's reader ever sees them."""

import mmap
from pathlib import Path
from typing import Any

from ganzoo.checkpoint.array_records import Array, content, described, kind, numbers
from ganzoo.checkpoint.audit import check_names
from ganzoo.checkpoint.pickle_machine import Limits, PickleError, run_pickle
from ganzoo.checkpoint.wording import printable
from ganzoo.errors import CorruptFileError

LIMITS = Limits(size=64 * 2**20)  # protocols 0 to 2 spell the arrays out between the opcodes
MAX_ARRAYS = 1000


def read_arrays(path: Path) -> list[Array]:
    """The arrays of a pickle that holds a list or tuple of NumPy arrays of numbers, of Python 2 or 3, of protocol 0 to 5.

    They are copies in this machine's byte order.

    Raises:
        HostileFileError: the pickle asks for anything but what describes arrays; nothing is executed.
        CorruptFileError: a truncated or damaged pickle, or one of something else.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            found = run_pickle(data, limits=LIMITS)
        except PickleError as e:
            check_names(path, e.names)
            raise CorruptFileError(f"{path} is a truncated or damaged pickle: {e}.", hint="Download it again.") from e
        check_names(path, found.names)
        return _Arrays(path, data).of(found.value)


class _Arrays:
    """Makes the arrays of one file; together they are never larger than it."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path, self._data, self._left = path, data, len(data)

    def of(self, value: Any) -> list[Array]:
        if not isinstance(value, list | tuple) or len(value) > MAX_ARRAYS:
            raise CorruptFileError(f"{self._path} holds no list of arrays, but {kind(value)}.")
        return [self._array(item, place) for place, item in enumerate(value)]

    def _array(self, value: Any, place: int) -> Array:
        try:
            array = described(value)
            raw = content(array.raw, self._data)
            self._left -= len(raw)
            if self._left < 0:
                raise ValueError("the arrays are larger than the file")
            return numbers(array, raw)
        except (ValueError, TypeError, UnicodeError) as e:
            what = printable(e, 200) or "it makes no sense"
            raise CorruptFileError(f"{self._path}: entry {place + 1} of its list is no plain array: {what}.") from e
