"""A small record for every file that was hashed, so that each is hashed once, and again only when it changed.

A record lives in ``<cache>/verified`` under a name made of the file's real path. It is made when a file was found to be what it
should be, and counts only while size, inode and the times of the last change (of content and of status) are the same.
"""

import hashlib
import os
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from ganzoo.errors import CacheWarning
from ganzoo.hub.digest import Digests
from ganzoo.paths import atomic_path, cache_home

# Two writes within one tick of the kernel's clock leave the same time stamp, so a file is hashed once it is older than that.
_TICK_SECONDS = 0.02


@dataclass(frozen=True)
class Stamp:
    """The state of a file that a record holds for."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The state as it is now."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class _Record(msgspec.Struct, frozen=True):
    path: str
    stamp: Stamp
    sha256: str
    git: str | None = None


def settled_stamp(path: Path) -> Stamp:
    """The stamp of a file, taken when its last change lies a tick back; what is hashed from now on belongs to it.

    Raises:
        OSError: there is no such file.
    """
    stamp = Stamp.of(path)
    age = time.time() - max(stamp.mtime_ns, stamp.ctime_ns) / 1e9
    if 0 <= age < _TICK_SECONDS:
        time.sleep(_TICK_SECONDS - age)
    return stamp


def recall(path: Path) -> Digests | None:
    """What is on record for a file as it is now, or None."""
    real = os.path.realpath(path)
    try:
        record = msgspec.json.decode(_record_path(real).read_bytes(), type=_Record)
        stamp = Stamp.of(Path(real))
    except (OSError, msgspec.MsgspecError):  # not hashed yet, or no longer readable: it is hashed again
        return None
    if record.path != real or record.stamp != stamp:
        return None
    return Digests(record.sha256, record.git)


def remember(path: Path, stamp: Stamp, digests: Digests) -> None:
    """Put a good file on record; a cache that cannot be written costs hashing again, nothing else.

    Args:
        path: The file.
        stamp: Of the file before it was hashed. If it changed since, it is not recorded.
        digests: Its sums.
    """
    real = os.path.realpath(path)
    target = _record_path(real)
    record = _Record(real, stamp, digests.sha256, digests.git)
    try:
        if Stamp.of(Path(real)) != stamp:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(target) as temporary:
            temporary.write_bytes(msgspec.json.encode(record))
    except OSError as e:
        text = f"{target.parent} cannot be written ({e.strerror}); files are verified again at every use"
        warnings.warn(text, CacheWarning, stacklevel=2)


def forget(path: Path) -> None:
    """Remove the record of a file."""
    try:
        _record_path(os.path.realpath(path)).unlink(missing_ok=True)
    except OSError as e:
        warnings.warn(f"a record of {path} could not be removed ({e.strerror})", CacheWarning, stacklevel=2)


def _record_path(real: str) -> Path:
    return cache_home() / "verified" / f"{hashlib.sha256(os.fsencode(real)).hexdigest()}.json"
