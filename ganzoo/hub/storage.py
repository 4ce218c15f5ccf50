"""A disk that is full, or a folder that cannot be written, in words."""

import errno

from ganzoo.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MOVE = "set HF_HOME (the Hub's cache) and GANZOO_HOME (ganzoo's own) to a folder with room"


def storage_error(error: OSError, what: str) -> StorageError:
    """The error for a failed write.

    Args:
        error: What the system said.
        what: What could not be done, a whole clause.
    """
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _FULL:
        return StorageError(f"{what}: the disk is full{where}.", hint=f"Make room, or {_MOVE}.")
    text = f"{what}: {error.strerror or error}{where}."
    return StorageError(text, hint=f"Check the permissions of the cache, or {_MOVE} that you may write to.")
