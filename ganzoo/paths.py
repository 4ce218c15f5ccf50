"""Where ganzoo keeps what it can make again: ``GANZOO_HOME``, else ``$XDG_CACHE_HOME/ganzoo``, else ``~/.cache/ganzoo``.

Downloads from the Hub live in the Hub's own cache (``HF_HOME``), never here.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ganzoo.environment import cache_folder
from ganzoo.errors import OutputError

_TEMPORARY = re.compile(r"\..{1,32}\.[0-9a-f]{12}(\..{1,15})?")


def cache_home() -> Path:
    """The cache folder; it need not exist. Read from the environment at each call."""
    return Path(cache_folder())


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A temporary path beside ``target`` that takes its place when the block ends well, and is removed when it does not.

    Where ``target`` is a symbolic link, the file that it points to is replaced and the link stays.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full. ``target`` is as it was.
    """
    target = target.resolve() if target.is_symlink() else target
    temporary = temporary_path(target)
    # The system applies the umask; setting the mode afterwards would have to ask for it, which races with other threads.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_path(target: Path) -> Path:
    """A name beside ``target`` that nobody uses, short enough for every file system."""
    return target.with_name(f".{target.name[:32]}.{os.urandom(6).hex()}{target.suffix[:16]}")


def leftovers(folder: Path) -> list[Path]:
    """What has a name of `temporary_path` in ``folder``: left by processes that were killed, or being written just now."""
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name)]


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
