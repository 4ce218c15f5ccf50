"""Which commit a branch or tag was at when it was last seen: the ``refs`` files of the Hub's cache.

A branch is noted down only after a file of its commit has arrived. A download that fails after the branch was resolved
therefore leaves the older, complete commit for the day without a network.
"""

import re
import warnings
from pathlib import Path

from ganzoo.errors import CacheWarning
from ganzoo.hub.client import repository_folder
from ganzoo.paths import atomic_path

_DEFAULT = "main"
_pending: dict[tuple[str, str], str] = {}


def is_commit(revision: str | None) -> bool:
    """Whether a revision is a full commit, which never moves."""
    return revision is not None and re.fullmatch(r"[0-9a-f]{40}", revision) is not None


def known_commit(repository: str, revision: str | None) -> str | None:
    """The commit of a branch or tag when it was last seen, or None."""
    try:
        commit = _path(repository, revision).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):  # never seen, or unreadable: as good as never seen
        return None
    return commit if is_commit(commit) else None


def announce(repository: str, revision: str | None, commit: str) -> None:
    """A branch or tag is at ``commit``; it is noted down by `confirm`."""
    _pending[repository, commit] = revision or _DEFAULT


def confirm(repository: str, commit: str) -> None:
    """A file of ``commit`` is in the cache: note down the branch that led to it, if one did."""
    revision = _pending.pop((repository, commit), None)
    if revision is None or known_commit(repository, revision) == commit:
        return
    path = _path(repository, revision)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_text(commit, encoding="utf-8")
    except OSError as e:
        text = f"the branch '{revision}' of {repository} could not be noted down for offline use ({e.strerror})"
        warnings.warn(text, CacheWarning, stacklevel=2)


def _path(repository: str, revision: str | None) -> Path:
    return repository_folder(repository) / "refs" / (revision or _DEFAULT)
