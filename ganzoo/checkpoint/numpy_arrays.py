"""Pickles of plain NumPy arrays, read as data: neither Python's nor NumPy's reader ever sees them."""

import math
import mmap
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo.checkpoint.audit import check_names
from ganzoo.checkpoint.pickle_machine import Limits, PickleError, run_pickle
from ganzoo.checkpoint.pickle_state import Blob, Record
from ganzoo.checkpoint.storages import is_size
from ganzoo.checkpoint.wording import printable, printable_shape
from ganzoo.errors import CorruptFileError

Array = np.ndarray[Any, np.dtype[Any]]

LIMITS = Limits(size=64 * 2**20)  # protocols 0 to 2 spell the arrays out between the opcodes
MAX_ARRAYS = 1000
MAX_DIMENSIONS = 8
_CORES = ("core", "_core")  # NumPy 1 and 2
_RECONSTRUCT = {f"numpy.{core}.multiarray._reconstruct" for core in _CORES}
_FROM_BUFFER = {f"numpy.{core}.numeric._frombuffer" for core in _CORES}  # protocol 5
_CODES = {"f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}
_ORDERS = {"<", ">", "|", "="}
_LATIN = {"latin1", "latin-1"}


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
            check_names(path, e.names, _FROM_BUFFER)
            raise CorruptFileError(f"{path} is a truncated or damaged pickle: {e}.", hint="Download it again.") from e
        check_names(path, found.names, _FROM_BUFFER)
        return _Arrays(path, data).of(found.value)


class _Arrays:
    """Makes the arrays of one file; together they are never larger than it."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path, self._data, self._left = path, data, len(data)

    def of(self, value: Any) -> list[Array]:
        if not isinstance(value, list | tuple) or len(value) > MAX_ARRAYS:
            raise CorruptFileError(f"{self._path} holds no list of arrays, but {_kind(value)}.")
        return [self._array(item, place) for place, item in enumerate(value)]

    def _array(self, value: Any, place: int) -> Array:
        try:
            shape, dtype, order, raw = self._parts(value)
            return self._made(shape, dtype, order, raw)
        except (ValueError, TypeError, UnicodeError) as e:
            what = printable(e, 200) or "it makes no sense"
            raise CorruptFileError(f"{self._path}: entry {place + 1} of its list is no plain array: {what}.") from e

    def _parts(self, value: Any) -> tuple[Any, "np.dtype[Any]", str, Any]:
        """Shape, dtype, memory order and bytes, in either of the two ways in which NumPy writes them."""
        if not isinstance(value, Record) or value.args is None:
            raise ValueError(f"it is {_kind(value)}")
        if value.name in _RECONSTRUCT and isinstance(value.state, tuple) and len(value.state) == 5:
            _, shape, dtype, fortran, raw = value.state
            return shape, _dtype(dtype), "F" if fortran else "C", raw
        if value.name in _FROM_BUFFER and value.state is None and len(value.args) == 4:
            raw, dtype, shape, order = value.args
            return shape, _dtype(dtype), order, raw
        raise ValueError(f"it is {_kind(value)}")

    def _made(self, shape: Any, dtype: "np.dtype[Any]", order: str, raw: Any) -> Array:
        if (
            not isinstance(shape, tuple)
            or len(shape) > MAX_DIMENSIONS
            or not all(map(is_size, shape))
            or order not in ("C", "F")
        ):
            raise ValueError("its shape or order makes no sense")
        content = self._bytes(raw)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError("the arrays are larger than the file")
        if math.prod(shape) * dtype.itemsize != len(content):
            raise ValueError(f"{len(content)} bytes cannot have the shape {printable_shape(shape)} of {dtype.name}")
        made = np.frombuffer(content, dtype).astype(dtype.newbyteorder("="))
        return made.reshape(shape, order="F" if order == "F" else "C")

    def _bytes(self, raw: Any) -> bytes:
        if isinstance(raw, Blob):
            return self._data[raw.start : raw.start + raw.size]
        if isinstance(raw, bytes):
            return raw
        if isinstance(raw, str):  # Python 2, which knew no difference: bytes that happen to be a text as well
            return raw.encode()
        if isinstance(raw, Record) and raw.name == "_codecs.encode" and raw.args is not None and len(raw.args) == 2:
            text, encoding = raw.args
            if isinstance(text, str) and encoding in _LATIN:
                return text.encode("latin-1")
        raise ValueError("its content is not plain bytes")


def _dtype(record: Any) -> "np.dtype[Any]":
    """The dtype that a record of ``numpy.dtype`` describes; numbers only."""
    if not isinstance(record, Record) or record.name != "numpy.dtype" or not record.args or not isinstance(record.state, tuple):
        raise ValueError("its dtype is missing")
    code, order = record.args[0], record.state[1:2]
    if not isinstance(code, str) or code not in _CODES or len(order) != 1 or order[0] not in _ORDERS:
        raise ValueError(f"its dtype '{printable(code, 20)}' is no plain number")
    dtype: np.dtype[Any] = np.dtype(order[0] + code)
    return dtype


def _kind(value: Any) -> str:
    return printable(value.name) if isinstance(value, Record) else f"one {type(value).__name__}"
