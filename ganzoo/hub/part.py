"""A download that is not finished: its bytes, their running sum, and the server's mark of the version that they belong to."""

import contextlib
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from ganzoo.paths import atomic_path

_BLOCK = 1 << 20


class _Origin(msgspec.Struct, frozen=True):
    url: str = ""
    etag: str = ""


class Part:
    """The file ``<name>.part``, which outlives the process that writes it. Open it with the folder's lock held.

    Attributes:
        size: Bytes that are there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path.with_name(f"{path.name}.json")
        self._stream = path.open("a+b")
        self._sum = hashlib.sha256()
        self.size = 0
        self._stream.seek(0)
        while block := self._stream.read(_BLOCK):
            self._sum.update(block)
            self.size += len(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stream.close()

    def etag(self, url: str) -> str:
        """The mark that ``url`` gave to the version of these bytes; empty if there is none."""
        try:
            origin = msgspec.json.decode(self._note.read_bytes(), type=_Origin)
        except (OSError, msgspec.MsgspecError):  # nothing noted down: the sum at the end decides
            return ""
        return origin.etag if origin.url == url else ""

    def restart(self, url: str = "", etag: str = "") -> None:
        """Throw the bytes away; those that follow belong to version ``etag`` of ``url``."""
        self._stream.truncate(0)
        self._sum, self.size = hashlib.sha256(), 0
        with atomic_path(self._note) as temporary:
            temporary.write_bytes(msgspec.json.encode(_Origin(url, etag)))

    def append(self, chunk: bytes) -> None:
        """Add bytes; they are on their way to the disk when this returns."""
        self._stream.write(chunk)
        self._sum.update(chunk)
        self.size += len(chunk)

    def flush(self) -> None:
        """Hand what was appended to the system, so that it survives this process."""
        self._stream.flush()

    @property
    def sha256(self) -> str:
        """Of the bytes that are there."""
        return self._sum.hexdigest()

    def finish(self, target: Path) -> None:
        """Give the complete file its name, in one step."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self.path.replace(target)
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove every trace."""
        with contextlib.suppress(OSError):  # a full disk may refuse to flush what is thrown away anyway
            self._stream.close()
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
