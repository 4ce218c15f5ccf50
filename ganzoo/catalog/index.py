"""Reads all cards of this machine, and remembers them.

Scanning the metadata of every installed package and parsing every card file costs more than all else that ``ganzoo list`` does.
So the result is kept in the cache folder beside stamps of everything that it was made from: the folders of ``sys.path``
(installing or removing a package changes its folder), the card folders and the card files. If one stamp differs, everything is
read anew. A cache that cannot be read or written is no error: it only costs time.
"""

import os
import stat
import sys
import time
import zlib
from collections.abc import Iterator

import msgspec

import ganzoo
from ganzoo.environment import cache_folder
from ganzoo.errors import CardError
from ganzoo.spec import ModelCard

# Everything here is on the path of `ganzoo list`: pathlib, tempfile and tomllib cost as much as all the rest and wait until the
# cache has to be made anew.

MISSING = -1
KEPT = 16  # files, one for each environment or folder
RACY = 2_000_000_000  # ns: a change this close to the reading may carry the same stamp, so it is not trusted yet

Stamp = tuple[str, int, int]  # path, mtime in ns, size (of files)


class Problem(msgspec.Struct, frozen=True):
    """A card, or a whole card file when ``model`` is None, that was set aside."""

    file: str
    model: str | None
    problem: str

    def error(self) -> CardError:
        """The problem as an exception."""
        return CardError(self.file, self.model, self.problem)


class Entry(msgspec.Struct, frozen=True):
    """A card, the plugin that brings it, and the file that it stands in.

    ``distribution`` is that plugin's, or None for a card of ganzoo's own registry.
    """

    owner: str
    distribution: str | None
    file: str
    card: ModelCard


class Brought(msgspec.Struct, frozen=True):
    """A problem and who brings it: the plugin and its distribution, or None for ganzoo's own registry."""

    problem: Problem
    plugin: str | None
    distribution: str | None


class Index(msgspec.Struct, frozen=True):
    """All cards of this machine, whatever ``GANZOO_PLUGINS`` says, and what was wrong with the others."""

    version: str
    written: int
    stamps: list[Stamp]
    entries: list[Entry]
    problems: list[Brought]


def read_index() -> Index:
    """The index of this machine: from the cache if nothing has changed, else made anew."""
    file = _cache_file()
    index = _cached(file)
    if index is None:
        index = _build()
        _write(file, index)
    return index


def registry_folder() -> str:
    """Where ganzoo's own cards are: inside the installed package, or beside it in a checkout."""
    package = os.path.dirname(ganzoo.__file__)
    inside = os.path.join(package, "_registry")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "registry")


def _cache_file() -> str:
    # One file for each interpreter and search path, so that environments do not overwrite each other's.
    key = zlib.crc32(os.fsencode("\0".join([sys.prefix, sys.version, ganzoo.__file__ or "", *_search_path()])))
    return os.path.join(cache_folder(), "index", f"{key:08x}.json")


def _cached(file: str) -> Index | None:
    try:
        with open(file, "rb") as stream:
            index = msgspec.json.decode(stream.read(), type=Index)
    except (OSError, ValueError):  # unreadable, or not of this shape: msgspec's errors are ValueErrors
        return None
    if index.version != ganzoo.__version__:
        return None
    fresh = all(_stamp(_from_json(path)) == (path, mtime, size) for path, mtime, size in index.stamps)
    settled = all(mtime < index.written - RACY for _, mtime, _ in index.stamps)
    return index if fresh and settled else None


def _build() -> Index:
    from pathlib import Path

    from ganzoo.catalog.cards import read_cards
    from ganzoo.discovery import installed_plugins

    written = time.time_ns()
    # Stamped before reading: a change in between then shows as a difference.
    stamps = [_stamp(path) for path in _search_path()]
    entries: list[Entry] = []
    problems: list[Brought] = []
    plugins = [(p.name, p.distribution, p.cards) for p in installed_plugins() if p.cards is not None]
    for plugin, distribution, folder in [(None, None, registry_folder()), *plugins]:
        stamps.append(_stamp(folder))
        for file in _card_files(folder):
            stamps.append(_stamp(file))
            for read in read_cards(Path(file)):
                if isinstance(read, Problem):
                    problems.append(Brought(read, plugin, distribution))
                else:
                    entries.append(Entry(plugin or read.plugin, distribution, printable_path(file), read))
    return Index(ganzoo.__version__, written, stamps, entries, problems)


def _search_path() -> list[str]:
    """``sys.path`` without relative parts: what they mean depends on the folder that the process was started in."""
    return [os.path.abspath(path) for path in sys.path]


def _to_json(path: str) -> str:
    """``path`` as text that JSON can hold, even if its bytes are no UTF-8; `_from_json` is the way back."""
    return os.fsencode(path).decode("latin-1")


def _from_json(path: str) -> str:
    return os.fsdecode(path.encode("latin-1"))


def printable_path(path: str) -> str:
    """``path`` for people and JSON, bytes that are no UTF-8 replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def _card_files(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # no such folder: this plugin brings no cards
        return
    yield from (os.path.join(folder, name) for name in names if name.endswith(".toml"))


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return (_to_json(path), MISSING, 0)
    # A folder's size says nothing that its time does not.
    return (_to_json(path), status.st_mtime_ns, 0 if stat.S_ISDIR(status.st_mode) else status.st_size)


def _write(file: str, index: Index) -> None:
    from pathlib import Path

    from ganzoo.paths import atomic_path

    try:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with atomic_path(Path(file)) as temporary:
            temporary.write_bytes(msgspec.json.encode(index))
        _prune(os.path.dirname(file))
    except OSError:
        return  # a read-only home: the next call scans again


def _prune(folder: str) -> None:
    """Keeps the newest files: ``python -m ganzoo`` has another search path in every folder that it is started in."""
    with os.scandir(folder) as entries:
        files = sorted((e.stat().st_mtime_ns, e.path) for e in entries if e.name.endswith(".json"))
    for _, path in files[:-KEPT]:
        os.remove(path)
