"""The sums that files are checked against, and how they are computed."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Expected:
    """What a file must be.

    Attributes:
        digest: Hexadecimal.
        algorithm: ``sha256`` of the content, or ``git``, the SHA-1 that git names a blob by (its size goes into it).
        size: Bytes, or None where only the sum is known.
    """

    digest: str
    algorithm: Literal["sha256", "git"] = "sha256"
    size: int | None = None


@dataclass(frozen=True)
class Digests:
    """The sums of a file; ``git`` is computed only when it was asked for."""

    sha256: str
    git: str | None = None


def compute(path: Path, *, git: bool = False) -> Digests:
    """Read a file once and sum it.

    Raises:
        OSError: it cannot be read.
    """
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(usedforsecurity=False) if git else None
    with path.open("rb") as stream:
        if blob is not None:
            blob.update(b"blob %d\0" % os.fstat(stream.fileno()).st_size)
        while block := stream.read(_BLOCK):
            sha256.update(block)
            if blob is not None:
                blob.update(block)
    return Digests(sha256.hexdigest(), None if blob is None else blob.hexdigest())
