"""Many pictures at once: read, hashed and decoded by a few threads in one pass, handed out in their order.

Threads are enough: PIL and hashlib release the interpreter's lock while they work.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from ganzoo.data.decode import BROKEN, Pixels, Shape, decode, reason
from ganzoo.data.files import PictureFiles

MAX_WORKERS = 16
_AHEAD = 4  # pictures in flight for each worker: memory stays flat however large the data
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Decoded:
    """One file: its pixels, or why there are none; and the SHA-256 of its bytes where it could be read at all."""

    name: str
    pixels: Pixels | None
    sha256: str
    problem: str = ""


def workers() -> int:
    """Threads that decode: one for each processor that this process may use, at most 16."""
    return min(MAX_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def decode_all(
    files: PictureFiles, names: Iterable[str], shape: Shape, threads: int | None = None
) -> Generator[Decoded, None, None]:
    """The pictures ``names`` in this order, whatever order they are finished in. Broken ones say what their problem is."""
    return in_order(lambda name: _decode_one(files, name, shape), names, threads)


def hash_all(files: PictureFiles, names: Iterable[str], threads: int | None = None) -> Generator[tuple[str, str], None, None]:
    """Name and SHA-256 of each file, in the given order.

    Raises:
        OSError: a file cannot be read.
    """
    return in_order(lambda name: (name, hashlib.sha256(files.read(name)).hexdigest()), names, threads)


def in_order(work: Callable[[_T], _R], items: Iterable[_T], threads: int | None = None) -> Generator[_R, None, None]:
    """``work`` of every item, done by threads, handed out in the order of the items; few are in flight at once.

    The threads have ended when the iterator is exhausted or closed, or when an error of ``work`` came out of it.
    """
    count = workers() if threads is None else threads
    pending: deque[Future[_R]] = deque()
    with closing(_Pool(count)) as pool:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= count * _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


class _Pool(ThreadPoolExecutor):
    """A pool that gives up what has not begun when it is closed."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads, "ganzoo-decode")

    def close(self) -> None:
        self.shutdown(wait=True, cancel_futures=True)


def _decode_one(files: PictureFiles, name: str, shape: Shape) -> Decoded:
    try:
        content = files.read(name)
    except OSError as e:
        return Decoded(name, None, "", reason(e))
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        return Decoded(name, decode(content, shape), sha256)
    except BROKEN as e:
        return Decoded(name, None, sha256, reason(e))
