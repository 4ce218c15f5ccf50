"""Where the bytes of pictures are: a folder or a zip file, both by relative names; nothing is ever extracted to disk."""

import hashlib
import os
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from ganzoo.errors import DataError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MAX_FILE = 256 * 2**20  # bytes of one file in an archive
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)  # others may ask for any amount of memory
MAX_EXPANSION = 100  # bytes unpacked for each byte of an archive of more than MAX_FILE; pictures hardly shrink
_ENCRYPTED = 0x1


class PictureFiles(ABC):
    """Named files, of which some are pictures.

    Attributes:
        path: Where they are.
        name: What a data set made of them is called.
        names: All of them by relative name (``sub/a.png``), sorted folder by folder.
    """

    path: Path
    name: str
    names: tuple[str, ...]

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The content of one file.

        Raises:
            OSError: it cannot be read; says why.
        """

    @abstractmethod
    def fingerprint(self) -> str | None:
        """A hash of where the files are, their sizes and times, which changes when they do; None where nobody can tell."""

    def locate(self, name: str) -> Path:
        """The file as a person would look for it."""
        return self.path / name

    def pictures(self) -> tuple[str, ...]:
        """The names of the pictures, going by their suffix."""
        return tuple(name for name in self.names if name.lower().endswith(PICTURE_SUFFIXES))


class FolderFiles(PictureFiles):
    """The files in a folder and in the folders below it, links to folders included; hidden ones are not looked at.

    Raises:
        DataError: no such folder, not a folder, or a folder in it that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise DataError(f"There is no folder {path}.", hint="Give a folder or zip file of pictures, or a data set's name.")
        if not path.is_dir():
            raise DataError(f"{path} is a file, not a folder of pictures.", hint=f"Give its folder: {path.parent}")
        self.path, self.name = path, path.resolve().name
        self.names = _in_order(_walk(path))

    def read(self, name: str) -> bytes:
        """The content of one file."""
        return (self.path / name).read_bytes()

    def fingerprint(self) -> str | None:
        """From the full path of the folder and the size and times of every file."""
        try:
            listed = [(name, *_identity(os.stat(self.path / name))) for name in self.names]  # noqa: PTH116  # many of them
        except OSError:
            return None
        return _hash(str(self.path.resolve()), listed)


class ZipFiles(PictureFiles):
    """The files in a zip archive, read where they are. Hidden ones are not looked at. May be read from several threads.

    Raises:
        DataError: not a zip archive; names that lead out of it, links, encrypted files, two files of one name, methods of
            compression other than the usual ones; files that would unpack to far more than pictures can.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        self._archive = self._open()
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        for entry in entries:
            self._check(entry)
        self._check_sizes(entries)
        named = {_plain(entry.filename): entry for entry in entries}
        self._entries = {name: entry for name, entry in named.items() if not _hidden(name)}
        self.names = _in_order(self._entries)

    def read(self, name: str) -> bytes:
        """The content of one file."""
        try:
            return self._archive.read(self._entries[name])
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as e:
            raise OSError(f"damaged in the archive: {e}") from e

    def fingerprint(self) -> str | None:
        """From the full path, size and times of the archive."""
        try:
            return _hash(str(self.path.resolve()), [_identity(self.path.stat())])
        except OSError:
            return None

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, EOFError) as e:
            raise DataError(f"{self.path} is no zip archive, or a damaged one: {e}.", hint="Pack it again.") from e
        except OSError as e:
            raise DataError(f"{self.path} cannot be read: {e.strerror or e}.") from e

    def _check(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename
        problem = None
        if name.startswith("/") or "\\" in entry.orig_filename or ".." in name.split("/") or name[1:2] == ":":
            problem = "has a name that leads out of the archive"
        elif stat.S_ISLNK(entry.external_attr >> 16):
            problem = "is a link"
        elif entry.flag_bits & _ENCRYPTED:
            problem = "is encrypted"
        elif entry.compress_type not in _METHODS:
            problem = f"is compressed in a way that is not read (method {entry.compress_type})"
        elif entry.file_size > MAX_FILE:
            problem = f"would unpack to {entry.file_size} bytes; {MAX_FILE} is the most"
        if problem is not None:
            raise DataError(f"{name!a} in {self.path} {problem}.", hint="Pack the pictures alone, as plain files.")

    def _check_sizes(self, entries: list[zipfile.ZipInfo]) -> None:
        names = {_plain(entry.filename) for entry in entries}
        if len(names) < len(entries):
            raise DataError(f"{self.path} has two files of one name.", hint="Pack the pictures again.")
        size, unpacked = self.path.stat().st_size, sum(entry.file_size for entry in entries)
        if unpacked > max(MAX_FILE, size * MAX_EXPANSION):
            raise DataError(
                f"{self.path} has {size} bytes and would unpack to {unpacked}: it is made to fill the memory.",
                hint="If it is honest, unpack it yourself and give the folder.",
            )


def _walk(folder: Path) -> Iterator[str]:
    above = {str(folder): frozenset([_place(str(folder))])}
    for parent, folders, files in os.walk(str(folder), onerror=_refuse, followlinks=True):
        around = above.pop(parent)
        # A link to a folder that it lies in would be followed for ever.
        places = {name: _place(os.path.join(parent, name)) for name in folders if not _hidden(name)}  # noqa: PTH118
        folders[:] = [name for name, place in places.items() if place not in around]
        above.update({os.path.join(parent, name): around | {places[name]} for name in folders})  # noqa: PTH118
        inner = Path(parent).relative_to(folder)
        for name in files:
            if not _hidden(name) and Path(parent, name).is_file():
                yield (inner / name).as_posix()


def _place(folder: str) -> tuple[int, int]:
    """What a folder is, by whatever path."""
    status = os.stat(folder)  # noqa: PTH116
    return status.st_dev, status.st_ino


def _refuse(e: OSError) -> None:
    raise DataError(
        f"The folder {e.filename} cannot be read: {e.strerror or e}.", hint="Pictures in it would be missing without a word."
    ) from e


def _plain(name: str) -> str:
    """``./a//b.png`` as ``a/b.png``."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _in_order(names: Iterator[str] | dict[str, zipfile.ZipInfo]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: name.split("/")))


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    # The time of the last change of the entry too: it cannot be set, so that an edit which restores the other time is seen.
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _hash(*values: object) -> str:
    return hashlib.sha256(repr(values).encode("utf-8", "surrogateescape")).hexdigest()
