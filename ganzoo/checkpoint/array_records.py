"""NumPy arrays in a pickle: what their inert records say, and the numbers themselves. NumPy never unpickles anything."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo.checkpoint.pickle_state import Blob, Data, Record
from ganzoo.checkpoint.storages import is_size
from ganzoo.checkpoint.wording import printable, printable_shape

Array = np.ndarray[Any, np.dtype[Any]]

MAX_DIMENSIONS = 8
_CORES = ("core", "_core")  # NumPy 1 and 2
RECONSTRUCT = frozenset(f"numpy.{core}.multiarray._reconstruct" for core in _CORES)
SCALAR = frozenset(f"numpy.{core}.multiarray.scalar" for core in _CORES)
FROM_BUFFER = frozenset(f"numpy.{core}.numeric._frombuffer" for core in _CORES)  # protocol 5
_CODES = {"f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}
_ORDERS = {"<", ">", "|", "="}
_LATIN = {"latin1", "latin-1"}


@dataclass(frozen=True)
class ArrayRecord:
    """An array as its pickle describes it.

    Attributes:
        shape: Its sizes, already checked.
        dtype: Of its numbers, in the byte order of the file.
        fortran: Whether the first dimension changes fastest.
        raw: Its bytes, in any of the ways in which a pickle holds bytes.
    """

    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    fortran: bool
    raw: Any


def is_array(value: object) -> bool:
    """Whether it is the record of an array, of numbers or of anything else."""
    return isinstance(value, Record) and value.args is not None and value.name in RECONSTRUCT | FROM_BUFFER


def described(value: object) -> ArrayRecord:
    """The array of numbers that a record describes, in either of the two ways in which NumPy writes them, or a single number.

    Raises:
        ValueError: it is something else, or describes no array of plain numbers.
    """
    shape, dtype, order, raw = _parts(value)
    if (
        not isinstance(shape, tuple)
        or len(shape) > MAX_DIMENSIONS
        or not all(map(is_size, shape))
        or not (isinstance(order, str) and order in ("C", "F"))
    ):
        raise ValueError("its shape or order makes no sense")
    return ArrayRecord(shape, dtype, order == "F", raw)


def _parts(value: object) -> tuple[Any, "np.dtype[Any]", Any, Any]:
    if not isinstance(value, Record) or value.args is None:
        raise ValueError(f"it is {kind(value)}")
    if value.name in RECONSTRUCT and isinstance(value.state, tuple) and len(value.state) == 5:
        _, shape, dtype, fortran, raw = value.state
        return shape, _dtype(dtype), "F" if fortran else "C", raw
    if value.name in FROM_BUFFER and value.state is None and len(value.args) == 4:
        raw, dtype, shape, order = value.args
        return shape, _dtype(dtype), order, raw
    if value.name in SCALAR and len(value.args) == 2:
        dtype, raw = value.args
        return (), _dtype(dtype), "C", raw
    raise ValueError(f"it is {kind(value)}")


def _dtype(record: Any) -> "np.dtype[Any]":
    """The dtype that a record of ``numpy.dtype`` describes; numbers only."""
    if not isinstance(record, Record) or record.name != "numpy.dtype" or not record.args or not isinstance(record.state, tuple):
        raise ValueError("its dtype is missing")
    code, order = record.args[0], record.state[1:2]
    if not isinstance(code, str) or code not in _CODES or len(order) != 1 or order[0] not in _ORDERS:
        raise ValueError(f"its dtype '{printable(code, 20)}' is no plain number")
    dtype: np.dtype[Any] = np.dtype(order[0] + code)
    return dtype


def kind(value: object) -> str:
    """What a value is, in words."""
    return printable(value.name) if isinstance(value, Record) else f"one {type(value).__name__}"


def numbers(array: ArrayRecord, content: bytes) -> Array:
    """A copy of the array in this machine's byte order.

    Args:
        array: What it is.
        content: What `content` read for it.

    Raises:
        ValueError: ``content`` has another size.
    """
    if math.prod(array.shape) * array.dtype.itemsize != len(content):
        raise ValueError(f"{len(content)} bytes cannot have the shape {printable_shape(array.shape)} of {array.dtype.name}")
    made = np.frombuffer(content, array.dtype).astype(array.dtype.newbyteorder("="))
    return made.reshape(array.shape, order="F" if array.fortran else "C")


def content(raw: object, data: Data) -> bytes:
    """The bytes of an array.

    Args:
        raw: `ArrayRecord.raw`.
        data: What its pickle is in.

    Raises:
        ValueError: they are no plain bytes.
    """
    if isinstance(raw, Blob) and not raw.text:
        return data[raw.start : raw.start + raw.size]
    if isinstance(raw, bytes):
        return raw
    if isinstance(raw, str):  # Python 2, which knew no difference: bytes that happen to be a text as well
        return raw.encode()
    if isinstance(raw, Record) and raw.name == "_codecs.encode" and raw.args is not None and len(raw.args) == 2:
        text, encoding = raw.args
        if isinstance(encoding, str) and encoding in _LATIN:
            return _latin(text, data)
    raise ValueError("its content is not plain bytes")


def _latin(text: object, data: Data) -> bytes:
    """Bytes that protocol 2 wrote as a text of as many characters."""
    if isinstance(text, Blob) and text.text:
        text = data[text.start : text.start + text.size].decode()
    if not isinstance(text, str):
        raise ValueError("its content is not plain bytes")
    return text.encode("latin-1")
