"""Where ganzoo keeps what it can make again: ``GANZOO_HOME``, else ``$XDG_CACHE_HOME/ganzoo``, else ``~/.cache/ganzoo``.

Downloads from the Hub live in the Hub's own cache (``HF_HOME``), never here.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ganzoo.environment import cache_folder
from ganzoo.errors import OutputError


def cache_home() -> Path:
    """The cache folder; it need not exist. Read from the environment at each call."""
    return Path(cache_folder())


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A temporary path beside ``target`` that takes its place when the block ends well, and is removed when it does not.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full. ``target`` is as it was.
    """
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_parent(target: Path) -> None:
    """Makes sure that the folder which ``target`` is to be written into exists.

    Raises:
        OutputError: it does not, or it is no folder.
    """
    parent = target.parent
    if not parent.exists():
        raise OutputError(
            f"{target} cannot be written: the folder {parent} does not exist.", hint=f"Make it first: mkdir -p {parent}"
        )
    if not parent.is_dir():
        raise OutputError(f"{target} cannot be written: {parent} is not a folder.")
