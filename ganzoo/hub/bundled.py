"""Weights inside an installed package. The package is found without running it."""

import importlib.util
from importlib.machinery import PathFinder
from pathlib import Path

from ganzoo.errors import IntegrityError, RemoteFileNotFoundError
from ganzoo.hub.digest import Expected
from ganzoo.hub.fetched import Fetched
from ganzoo.hub.safety import inside
from ganzoo.hub.verify import verify
from ganzoo.spec import BundledSource, WeightFile


def bundled_path(source: BundledSource, file: WeightFile) -> Path | None:
    """Where the file is, or None if the package or the file is missing."""
    candidates = (inside(folder, file.path) for folder in _folders(source.package))
    return next((path for path in candidates if path.is_file()), None)


def fetch_bundled(source: BundledSource, file: WeightFile) -> Fetched:
    """The file in the package, verified.

    Raises:
        RemoteFileNotFoundError: the package is not installed, or does not hold the file.
        IntegrityError: the file is damaged or another one.
        StorageError: the file cannot be read.
    """
    path = bundled_path(source, file)
    if path is None:
        folders = _folders(source.package)
        if not folders:
            text = f"{file.path} ships in the package '{source.package}', which is not installed."
            raise RemoteFileNotFoundError(text, hint="Install the distribution that brings it.")
        text = f"The installed package '{source.package}' ({folders[0]}) has no file {file.path}."
        raise RemoteFileNotFoundError(text, hint="Its installation is incomplete or of another version: install it again.")
    try:
        sha256 = verify(path, Expected(file.sha256, size=file.size), f"{path} of the package '{source.package}'")
    except IntegrityError as e:
        what = e.message.partition(" has the wrong content.")[0]
        hint = "The file was changed after the installation, or is of another version: install the package again."
        raise IntegrityError(what, e.expected, e.actual, hint=hint) from e
    return Fetched(path, sha256, None, cached=True)


def _folders(package: str) -> list[Path]:
    """The folders of a package. Only the top-level finder is asked: finding ``a.b`` the usual way would run ``a``."""
    top, *rest = package.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # a module that was imported in an unusual way and has no spec
        return []
    name, locations = top, list(spec.submodule_search_locations or ()) if spec else []
    for part in rest:
        name = f"{name}.{part}"
        child = PathFinder.find_spec(name, locations)
        locations = list(child.submodule_search_locations or ()) if child else []
    return [Path(folder) for folder in locations]
