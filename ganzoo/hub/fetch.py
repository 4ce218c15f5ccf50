"""A file of a model card, from the first place that has it."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ganzoo.errors import HubError, RevisionNotFoundError, StorageError
from ganzoo.hub.bundled import bundled_path, fetch_bundled
from ganzoo.hub.digest import Expected
from ganzoo.hub.fetched import Fetched
from ganzoo.hub.https import fetch_https, https_path
from ganzoo.hub.hubfile import HubFile
from ganzoo.hub.redact import redact
from ganzoo.hub.repository import fetch_file
from ganzoo.hub.safety import check_name
from ganzoo.spec import BundledSource, HttpsSource, HubSource, Source, WeightFile

_log = logging.getLogger("ganzoo.hub")


def fetch(
    source: Source,
    file: WeightFile,
    *,
    mirrors: Sequence[Source] = (),
    revision: str | None = None,
    force: bool = False,
    progress: bool | None = None,
) -> Fetched:
    """Fetch one file of a model, verified by size and sha256.

    What is in a cache, the source's or a mirror's, is used without a request. Otherwise the source is asked, then the
    mirrors in their order.

    Args:
        source: Where the card says that the file is.
        file: The file, with its size in bytes and its sha256.
        mirrors: Other places that have the same file.
        revision: Another branch, tag or commit than the card pins. The card's sum does not hold for it: the file is checked
            against the Hub's own sum, and the mirrors are not asked.
        force: Download again, whatever is in a cache.
        progress: Show a bar; None decides by the terminal.

    Returns:
        The verified file.

    Raises:
        HubError: what went wrong at the source and at the mirrors, and what to do.
        InvalidValueError: the file name or the revision cannot exist.
    """
    check_name(file.path)
    if revision is not None:
        return _other_revision(source, file, revision, force=force, progress=progress)
    places = (source, *mirrors)
    found = None if force else _from_caches(places, file, progress)
    return found or _from_places(places, file, force=force, progress=progress)


def cached_path(source: Source, file: WeightFile) -> Path | None:
    """Where the file is on this machine, or None. Makes no request and does not verify.

    Args:
        source: Where the card says that the file is.
        file: The file.

    Raises:
        InvalidValueError: the file's path leaves its folder.
    """
    check_name(file.path)
    if isinstance(source, HubSource):
        return HubFile(source.repository, file.path, source.revision).cached
    path = https_path(file) if isinstance(source, HttpsSource) else bundled_path(source, file)
    return path if path is not None and path.is_file() else None


def _other_revision(source: Source, file: WeightFile, revision: str, *, force: bool, progress: bool | None) -> Fetched:
    if not isinstance(source, HubSource):
        text = f"{file.path} does not come from the Hub, so there is no revision '{revision}' of it."
        raise RevisionNotFoundError(text, hint="Leave out the part from '@' on.")
    if revision == source.revision:
        return _fetch_one(source, file, force=force, progress=progress)
    found = fetch_file(source.repository, file.path, revision=revision, force=force, progress=progress)
    if found.revision == source.revision:  # another name of the pinned commit: the card's sum holds
        return replace(_fetch_one(source, file, force=False, progress=progress), cached=found.cached)
    return found


def _from_caches(places: Sequence[Source], file: WeightFile, progress: bool | None) -> Fetched | None:
    """The first good copy on this machine. A damaged one is repaired by the place that it came from, if that can be reached."""
    for place in places:
        if cached_path(place, file) is None:
            continue
        try:
            return _fetch_one(place, file, force=False, progress=progress)
        except HubError as e:
            if len(places) == 1:
                raise
            _log.info("The copy from %s is not usable: %s", _name(place), e.message)
    return None


def _from_places(places: Sequence[Source], file: WeightFile, *, force: bool, progress: bool | None) -> Fetched:
    failed: list[tuple[Source, HubError]] = []
    for place in places:
        try:
            found = _fetch_one(place, file, force=force, progress=progress)
        except StorageError:
            raise
        except HubError as e:
            failed.append((place, e))
            continue
        if failed:
            _log.warning("%s came from the mirror %s: %s", file.path, _name(place), failed[0][1].message)
        return found
    first = failed[0][1]
    if len(failed) > 1:
        others = "\n".join(f"The mirror {_name(place)} did not help: {_first_line(e)}" for place, e in failed[1:])
        first.args = (f"{first.args[0]}\n{others}",)
    raise first


def _fetch_one(place: Source, file: WeightFile, *, force: bool, progress: bool | None) -> Fetched:
    if isinstance(place, HttpsSource):
        return fetch_https(place, file, force=force, progress=progress)
    if isinstance(place, BundledSource):
        return fetch_bundled(place, file)
    wanted = HubFile(place.repository, file.path, place.revision, Expected(file.sha256, size=file.size))
    return wanted.fetch(force=force, progress=progress)


def _name(place: Source) -> str:
    if isinstance(place, HubSource):
        return f"{place.repository}@{place.revision[:10]}"
    return redact(place.url) if isinstance(place, HttpsSource) else f"package '{place.package}'"


def _first_line(error: HubError) -> str:
    return error.message.splitlines()[0]
