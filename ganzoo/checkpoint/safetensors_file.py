"""Safetensors files: a checked header, memory-mapped tensors, atomic writing with tied weights stored once."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ganzoo.checkpoint.wording import printable, printable_shape
from ganzoo.errors import CorruptFileError, OutputError
from ganzoo.paths import atomic_path

MAX_HEADER = 16 * 2**20  # bytes; the format allows 100 MB, which nobody fills
MAX_DIMENSIONS = 64
TIES = "ganzoo_ties"  # metadata entry: {name left out: name that holds its tensor}
_SIZES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name, and the file's own metadata.

    The tensors are private, copy-on-write views of the memory-mapped file: nothing is copied until a page is touched, and
    writing to them never reaches the file.

    Raises:
        CorruptFileError: a truncated or damaged file; the message says where.
    """
    check_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: _aligned(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  no iterator
            metadata = dict(file.metadata() or {})
    except (SafetensorError, RuntimeError, OSError, ValueError, TypeError, AttributeError) as e:
        raise CorruptFileError(f"{path} is a damaged safetensors file: {printable(e, 200)}.", hint="Download it again.") from e
    for name, kept in _ties(metadata).items():
        if kept in tensors:
            tensors.setdefault(name, tensors[kept])
    return tensors, metadata


def write_safetensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Writes ``tensors`` atomically. One with several names (tied weights) is stored once and comes back under all of them.

    Raises:
        OutputError: the folder is missing or not writable, or the disk is full.
    """
    unique: dict[str, Tensor] = {}
    ties: dict[str, str] = {}
    seen: dict[tuple[object, ...], str] = {}
    for name, tensor in tensors.items():
        place = (tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride(), tensor.device)
        if tensor.numel() and seen.setdefault(place, name) != name:
            ties[name] = seen[place]
        else:
            unique[name] = tensor.detach()
    info = {"format": "pt", **(metadata or {}), **({TIES: json.dumps(ties)} if ties else {})}
    try:
        with atomic_path(path) as temporary:
            mode = temporary.stat().st_mode
            save_file(_separate(unique), temporary, metadata=info)
            temporary.chmod(mode)  # safetensors puts a file of its own there, readable by its owner alone
    except (OSError, SafetensorError) as e:
        raise OutputError(f"{path} could not be written: {e}.", hint="Check that the folder exists and has room.") from e


def check_header(path: Path) -> None:
    """Checks what a header promises against the file's size, so that a damaged file is told apart in words.

    Raises:
        CorruptFileError: see the message.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > MAX_HEADER or length + 8 > size:
            raise CorruptFileError(
                f"{path} is a truncated or damaged safetensors file: its header needs {length} bytes, the file has {size}.",
                hint="Download it again.",
            )
        header = _decode_header(path, stream.read(length))
    header.pop("__metadata__", None)
    end = max((_end(path, name, entry) for name, entry in header.items()), default=0)
    if end + length + 8 != size:
        state = "truncated" if end + length + 8 > size else "damaged (it has extra bytes at its end)"
        raise CorruptFileError(
            f"{path} is {state}: its tensors need {end + length + 8} bytes, the file has {size}.", hint="Download it again."
        )


def _decode_header(path: Path, raw: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for name, value in pairs:
            if name in table:
                raise CorruptFileError(
                    f"{path} names the key '{printable(name)}' twice; which of the two is meant cannot be known."
                )
            table[name] = value
        return table

    try:
        header = json.loads(
            raw, object_pairs_hook=unique, parse_int=_integer, parse_float=_no_integer, parse_constant=_no_integer
        )
    except (ValueError, RecursionError) as e:
        raise CorruptFileError(
            f"{path} is a damaged safetensors file: its header is no JSON, or has absurd numbers.",
            hint="Download it again.",
        ) from e
    if not isinstance(header, dict):
        raise CorruptFileError(f"{path} is no safetensors file: its header is no table.")
    return header


def _end(path: Path, name: str, entry: Any) -> int:
    try:
        (start, end), shape, width = entry["data_offsets"], entry["shape"], _SIZES.get(entry["dtype"], 0)
        readable = isinstance(shape, list) and all(type(n) is int for n in (start, end, *shape))
    except (KeyError, TypeError, ValueError) as e:
        raise CorruptFileError(f"{path} is a damaged safetensors file: {_entry(name)} is unreadable.") from e
    if not readable or len(shape) > MAX_DIMENSIONS:
        raise CorruptFileError(f"{path} is a damaged safetensors file: {_entry(name)} is unreadable.")
    if not 0 <= start <= end or min(shape, default=0) < 0 or (width and _elements(shape, end) * width != end - start):
        raise CorruptFileError(
            f"{path} is a damaged safetensors file: '{printable(name)}' has the shape {printable_shape(shape)} but bytes "
            f"{start} to {end}."
        )
    return int(end)


def _entry(name: str) -> str:
    return f"the entry of '{printable(name)}'"


def _elements(shape: list[int], limit: int) -> int:
    """How many elements a shape has; once over ``limit``, no matter how many exactly."""
    if 0 in shape:
        return 0
    elements = 1
    for n in shape:
        elements *= n
        if elements > limit:
            break
    return elements


def _integer(text: str) -> int:
    if len(text) > 19 or not -(2**63) <= int(text) < 2**63:
        raise ValueError("a number that counts no bytes")
    return int(text)


def _no_integer(_: str) -> int:
    raise ValueError("a number that counts no bytes")


def _aligned(tensor: Tensor) -> Tensor:
    """A copy where the file put a tensor at an address that its dtype cannot be read from everywhere."""
    return tensor.clone() if tensor.numel() and tensor.data_ptr() % tensor.element_size() else tensor


def _ties(metadata: Mapping[str, str]) -> dict[str, str]:
    try:
        return msgspec.json.decode(metadata.get(TIES, "{}"), type=dict[str, str])
    except (ValueError, RecursionError):  # another program's entry of that name
        return {}


def _separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors on the CPU, of which no two share memory, as the format needs them."""
    ready: dict[str, Tensor] = {}
    storages = itertools.groupby(sorted(tensors, key=lambda n: _storage(tensors[n])), key=lambda n: _storage(tensors[n]))
    shared = {name for _, group in storages for names in [list(group)] if len(names) > 1 for name in names}
    for name, tensor in tensors.items():
        plain = tensor.cpu()
        copy = plain is tensor and name in shared
        ready[name] = plain.clone(memory_format=torch.contiguous_format) if copy else plain.contiguous()
    return ready


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr())
