"""A file is what was expected, or an error says what it is instead."""

from pathlib import Path

from ganzoo.errors import IntegrityError, StorageError
from ganzoo.hub.digest import Digests, Expected, compute
from ganzoo.hub.verdicts import Stamp, recall, remember, settled_stamp


def verify(path: Path, expected: Expected, what: str) -> str:
    """Check size and sum of a file; it is hashed only if it is new or changed.

    Args:
        path: The file.
        expected: What it must be.
        what: The file and where it came from, for the error.

    Returns:
        The sha256 of its content.

    Raises:
        IntegrityError: the size or the sum is another one.
        StorageError: the file cannot be read.
    """
    found = recall(path)
    known = found is not None and _digest(found, expected) is not None
    try:
        stamp = Stamp.of(path) if known else settled_stamp(path)
        if found is None or not known:
            found = compute(path, git=expected.algorithm == "git")
    except OSError as e:
        raise StorageError(f"{path} cannot be read: {e.strerror}.", hint="Check the permissions of the file.") from e
    _compare(stamp.size, found, expected, what)
    if not known:
        remember(path, stamp, found)
    return found.sha256


def _compare(size: int, found: Digests, expected: Expected, what: str) -> None:
    actual = _digest(found, expected) or ""
    if expected.size is not None and expected.size != size:
        raise IntegrityError(
            f"{what} has {size:,} bytes where {expected.size:,} were expected, and so", expected.digest, actual
        )
    if actual != expected.digest:
        raise IntegrityError(what, expected.digest, actual)


def _digest(found: Digests, expected: Expected) -> str | None:
    return found.git if expected.algorithm == "git" else found.sha256
