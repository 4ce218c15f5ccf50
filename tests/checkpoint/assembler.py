"""Writes pickles opcode by opcode, so that a test can say what no pickler would."""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

START = b"\x80\x02"
EMPTY = b")"
NESTED = b"\x85"  # puts what is on top into a tuple


def text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    length = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([length]) + value.to_bytes(length, "little", signed=True)


def asks(name: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def call(name: str, *args: bytes) -> bytes:
    return asks(name) + tuple_of(*args) + b"R"


def dict_of(*items: bytes) -> bytes:
    return b"}(" + b"".join(items) + b"u"


def doubled(levels: int) -> bytes:
    """A tuple that holds the same tuple twice, and so on: 2 to the power of ``levels`` elements in a few bytes."""
    return EMPTY + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(levels))


def storage(key: str = "0", elements: int = 4, kind: str = "torch.FloatStorage", view: bytes = b"") -> bytes:
    return tuple_of(text("storage"), asks(kind), text(key), text("cpu"), number(elements), view) + b"Q"


def tensor(
    data: bytes = storage(), offset: int = 0, size: tuple[int, ...] = (4,), stride: tuple[int, ...] = (1,), *more: bytes
) -> bytes:
    shape, steps = tuple_of(*map(number, size)), tuple_of(*map(number, stride))
    return call(
        "torch._utils._rebuild_tensor_v2", data, number(offset), shape, steps, b"\x89", call("collections.OrderedDict"), *more
    )


FOUR_ONES = struct.pack("<4f", 1, 1, 1, 1)


def zip_file(path: Path, program: bytes, records: Mapping[str, bytes] | None = None) -> Path:
    """A zip file of ``torch.save`` with one storage of four numbers."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", START + program + b".")
        for name, data in (records or {"data/0": FOUR_ONES}).items():
            archive.writestr(f"a/{name}", data)
    return path
