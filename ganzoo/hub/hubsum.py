"""The Hub's own sum of a file, as its cache knows it: from the name of the blob, or from a cached file list.

It catches damage, not malice: whoever can change the repository can change it too. Models of the catalogue are checked
against the sum in their card instead.
"""

import json
import re
from pathlib import Path

from ganzoo.hub.client import repository_folder
from ganzoo.hub.digest import Expected


def local_sum(pointer: Path, repository: str, filename: str, commit: str) -> Expected | None:
    """The sum of a file in the Hub's cache as the cache knows it, or None. Makes no request.

    Args:
        pointer: The file in the cache's ``snapshots`` folder.
        repository: The repository.
        filename: The file's path in it.
        commit: The 40-hex commit.
    """
    return _from_link(pointer) or _from_list(repository, filename, commit)


def _from_link(pointer: Path) -> Expected | None:
    """One link away is the blob, and its name is the etag. Two links away the name may be another kind of hash."""
    if not pointer.is_symlink():
        return None
    name = pointer.readlink().name
    if re.fullmatch(r"[0-9a-f]{64}", name):
        return Expected(name)
    return Expected(name, "git") if re.fullmatch(r"[0-9a-f]{40}", name) else None


def _from_list(repository: str, filename: str, commit: str) -> Expected | None:
    try:
        text = (repository_folder(repository) / "trees" / f"{commit}.json").read_text(encoding="utf-8")
        entry = json.loads(text)["files"][filename]
        if "lfs_sha256" in entry:
            return Expected(entry["lfs_sha256"], size=entry.get("lfs_size"))
        return Expected(entry["blob_id"], "git", entry.get("size"))
    except (OSError, ValueError, KeyError, TypeError):  # no list, or one of another version
        return None
