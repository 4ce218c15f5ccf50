"""Decoded pictures kept on disk, so that the second start is fast and the memory of a run stays flat.

Below ``pictures/`` of ganzoo's cache: an entry ``<key>.u8`` holds the pixels of a whole data set at one shape, a survey
``<key>.json`` remembers the content hash of files that have not changed since. Entries are written beside and renamed,
so that processes which make the same one at the same time end with one that is whole.
"""

import contextlib
import hashlib
import json
import math
import mmap
import os
import shutil
import time
import zlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
import numpy as np
import PIL
import torch
from torch import Tensor

from ganzoo.data.dataset import Examples, TensorExamples
from ganzoo.data.decode import VERSION, Pixels, Shape
from ganzoo.paths import atomic_path, cache_home, temporary_path

IN_MEMORY = 256 * 2**20  # bytes; entries up to this are read and checked whole, larger ones are mapped
MAPPED = 32 * 2**20  # bytes of a mapped entry that a process may come to hold
_SPARE = 2**28  # bytes that a new entry leaves free on the disk
_SUM = 4  # bytes of the checksum (CRC-32, little endian) behind the pixels
_ABANDONED = 86_400  # seconds after which what a killed process left behind is removed


class Survey(msgspec.Struct, frozen=True):
    """What is known about files that have not changed: their content hash, and the names that cannot be used, with reasons."""

    sha256: str
    skipped: tuple[tuple[str, str], ...] = ()


class MappedExamples:
    """Pictures in a file that the system reads when they are shown and forgets when it needs the memory.

    The pages that were touched are handed back now and then: they stay in the system's cache, but the process does not grow.
    """

    def __init__(self, file: Path, count: int, shape: Shape) -> None:
        with file.open("rb") as opened:
            self._map = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        size = math.prod(shape)
        self._pixels = np.frombuffer(self._map, np.uint8, count * size).reshape(count, *shape)
        self._size, self._touched = size, 0

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, indices: Tensor) -> Tensor:
        batch = torch.from_numpy(self._pixels[indices.numpy()])
        self._touched += len(indices) * self._size
        if self._touched > MAPPED and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = 0
        return batch


def entry_file(sha256: str, shape: Shape) -> Path:
    """Where the pictures of that content are kept at that shape, as this version of ganzoo and of PIL decodes them."""
    return _folder() / f"{_key(sha256, shape)}.u8"


def open_entry(file: Path, count: int, shape: Shape) -> Examples | None:
    """The entry, or None where there is none, or one of another size or (when small enough to be read whole) checksum."""
    size = count * math.prod(shape)
    try:
        if file.stat().st_size != size + _SUM:
            return None
        if size > IN_MEMORY:
            return MappedExamples(file, count, shape)
        content = np.fromfile(file, np.uint8)
    except OSError:
        return None
    pixels, checksum = content[:size], content[size:]
    if len(content) != size + _SUM or zlib.crc32(pixels.data) != int.from_bytes(checksum.tobytes(), "little"):
        return None
    return TensorExamples(torch.from_numpy(pixels.reshape(count, *shape)))


class EntryWriter:
    """Writes an entry picture by picture; nothing remains unless `commit` is called.

    Args:
        size: Bytes that it may come to.

    Raises:
        OSError: the cache cannot be written, or the disk has not enough room.
    """

    def __init__(self, size: int) -> None:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < size + _SPARE:
            raise OSError(f"there is no room for {size} bytes in {folder}")
        _remove_abandoned(folder)
        self._path = temporary_path(folder / "new.u8")
        self._file: BinaryIO = self._path.open("xb")
        self._sum = 0

    def add(self, pixels: Pixels) -> None:
        """Appends one picture."""
        content = pixels.data.cast("B")
        self._sum = zlib.crc32(content, self._sum)
        self._file.write(content)

    def commit(self, file: Path) -> None:
        """Puts the entry in its place, on the disk for good."""
        self._file.write(self._sum.to_bytes(_SUM, "little"))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.replace(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):  # a full disk refuses what is still buffered; the file goes anyway
            self._file.close()
        self._path.unlink(missing_ok=True)


def read_survey(fingerprint: str | None) -> Survey | None:
    """What was found out about these very files before, if anything."""
    if fingerprint is None:
        return None
    try:
        # Not by msgspec: the name of a file need not be text, and its half characters must come back as they were.
        return msgspec.convert(json.loads(_survey_file(fingerprint).read_bytes()), Survey)
    except (OSError, ValueError, RecursionError, msgspec.ValidationError):
        return None


def write_survey(fingerprint: str | None, survey: Survey) -> None:
    """Remembers it, where the cache can be written; else it is found out again."""
    if fingerprint is None:
        return
    file = _survey_file(fingerprint)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary:
            temporary.write_text(json.dumps(msgspec.to_builtins(survey)), encoding="ascii")


def _survey_file(fingerprint: str) -> Path:
    return _folder() / f"{_key(fingerprint)}.json"


def _key(*what: object) -> str:
    """A file name for what is told, as this version of ganzoo and of PIL sees it: another one may read other files."""
    return hashlib.sha256(repr((*what, VERSION, PIL.__version__)).encode()).hexdigest()[:40]


def _folder() -> Path:
    return cache_home() / "pictures"


def _remove_abandoned(folder: Path) -> None:
    for file in folder.glob(".*.u8"):
        with contextlib.suppress(OSError):  # another process removes it too
            if file.stat().st_mtime < time.time() - _ABANDONED:
                file.unlink()
