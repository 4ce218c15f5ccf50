"""The files of the npm package, from its folder or straight from its .tgz; nothing is extracted to disk."""

import os
import tarfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path, PurePosixPath

from ganzoo.errors import DataError

NAME = "emoji-datasource-google"
VERSION = "16.0.0"
VARIABLE = "GANZOO_EMOJI"
PICTURES = "img/google/64"
INDEX = "emoji.json"
INSTALL = f"npm install {NAME}@{VERSION}"
_LARGEST = {INDEX: 16 * 2**20}  # bytes; the real one has 1.3 MB
_LARGEST_PICTURE = 256 * 2**10  # the largest real one has 13 kB
_MOST_FILES = 20_000  # the real package has 3,800


class Package(ABC):
    """The index and the pictures of the package."""

    @abstractmethod
    def index(self) -> bytes:
        """The content of ``emoji.json``."""

    @abstractmethod
    def pictures(self) -> dict[str, bytes]:
        """The 64 px pictures by file name."""


class FolderPackage(Package):
    """The package as npm installs it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def index(self) -> bytes:
        """The content of ``emoji.json``."""
        return _read(self.path / INDEX, _LARGEST[INDEX])

    def pictures(self) -> dict[str, bytes]:
        """The 64 px pictures by file name."""
        folder = self.path / PICTURES
        if not folder.is_dir():
            raise DataError(f"{self.path} has no folder {PICTURES}.", hint=f"Install the package again: {INSTALL}")
        return {file.name: _read(file, _LARGEST_PICTURE) for file in sorted(folder.glob("*.png"))}


class TgzPackage(Package):
    """The package as npm packs it. Read once, from its beginning to its end; only the files that are wanted are kept.

    Raises:
        DataError: not a .tgz, a damaged one, or one whose files are larger or more than those of the package could be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = self._read_all()

    def index(self) -> bytes:
        """The content of ``emoji.json``."""
        if INDEX not in self._files:
            raise DataError(
                f"There is no {INDEX} in {self.path}.", hint=f"Give a package made by npm: npm pack {NAME}@{VERSION}"
            )
        return self._files[INDEX]

    def pictures(self) -> dict[str, bytes]:
        """The 64 px pictures by file name."""
        return {PurePosixPath(name).name: content for name, content in self._files.items() if name != INDEX}

    def _read_all(self) -> dict[str, bytes]:
        try:
            with tarfile.open(self.path, "r|gz") as archive:
                return self._wanted(archive)
        except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError) as e:
            raise DataError(
                f"{self.path} cannot be read as a package of npm: {e}.", hint=f"Get it again: npm pack {NAME}@{VERSION}"
            ) from e

    def _wanted(self, archive: tarfile.TarFile) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        for number, member in enumerate(archive):
            if number >= _MOST_FILES:
                raise DataError(f"{self.path} holds more than {_MOST_FILES} files; that is not {NAME}.")
            name = member.name.partition("/")[2]  # npm packs everything below package/
            if not (name == INDEX or PurePosixPath(name).match(f"{PICTURES}/*.png")):
                continue
            largest = _LARGEST.get(name, _LARGEST_PICTURE)
            # A link would name another place; only plain files of this very archive are read, and never written anywhere.
            if not member.isfile() or member.size > largest:
                raise DataError(f"{member.name} in {self.path} is no file of at most {largest} bytes; that is not {NAME}.")
            content = archive.extractfile(member)
            files[name] = b"" if content is None else content.read(largest)
        return files


def find_package(start: Path | None = None) -> Package:
    """The package: where ``GANZOO_EMOJI`` says, else in ``node_modules`` of ``start`` (the current folder) or a folder above.

    Raises:
        DataError: nothing there; the hint is the command that installs it.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return _open(Path(given).expanduser())
    here = (Path.cwd() if start is None else start).resolve()
    for folder in (here, *here.parents):
        installed = folder / "node_modules" / NAME
        if installed.is_dir():
            return FolderPackage(installed)
    raise DataError(
        f"The data set emoji needs the npm package {NAME}, which is not in node_modules here or above.",
        hint=f"Install it here: {INSTALL}\nOr set {VARIABLE} to its folder or .tgz file: npm pack {NAME}@{VERSION}",
    )


def _open(path: Path) -> Package:
    if path.is_dir():
        return FolderPackage(path)
    if path.is_file():
        return TgzPackage(path)
    raise DataError(f"{VARIABLE} names {path}, which does not exist.", hint=f"Give the folder or .tgz of {NAME} {VERSION}.")


def _read(file: Path, largest: int) -> bytes:
    try:
        size = file.stat().st_size
        if size > largest:
            raise DataError(f"{file} has {size} bytes; the file of {NAME} has at most {largest}.")
        return file.read_bytes()
    except OSError as e:
        raise DataError(f"{file} cannot be read: {e.strerror or e}.", hint=f"Install the package again: {INSTALL}") from e
