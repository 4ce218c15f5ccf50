"""Take a damaged file out of a cache, so that no other program finds it either."""

import os
import warnings
from pathlib import Path

from ganzoo.errors import CacheWarning
from ganzoo.hub.verdicts import forget


def purge(pointer: Path, cache: Path) -> None:
    """Remove a file, every link on the way to it and its record. Nothing outside ``cache`` is touched.

    Args:
        pointer: The file, or a link to it.
        cache: The folder of the cache.
    """
    forget(pointer)
    inside = Path(os.path.realpath(cache))
    current = pointer
    while inside in Path(os.path.realpath(current.parent)).parents:
        following = current.parent / current.readlink() if current.is_symlink() else None
        try:
            current.unlink(missing_ok=True)
        except OSError as e:
            warnings.warn(f"the damaged file {current} could not be removed ({e.strerror})", CacheWarning, stacklevel=2)
        if following is None:
            return
        current = following
