"""Files of ordinary https servers, in ganzoo's own cache: ``https/<sha256>/<name>``."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ganzoo.errors import IntegrityError, OfflineError, StorageError
from ganzoo.hub.client import is_offline
from ganzoo.hub.digest import Digests, Expected
from ganzoo.hub.fetched import Fetched
from ganzoo.hub.part import Part
from ganzoo.hub.progress import byte_bar
from ganzoo.hub.purge import purge
from ganzoo.hub.redact import redact
from ganzoo.hub.safety import check_name, inside
from ganzoo.hub.storage import storage_error
from ganzoo.hub.transfer import Wanted, transfer
from ganzoo.hub.verdicts import remember, settled_stamp
from ganzoo.hub.verify import verify
from ganzoo.paths import cache_home
from ganzoo.spec import HttpsSource, WeightFile

_NOTICE_SECONDS = 10.0
_TWICE = "It was downloaded twice and nothing was kept. The file on the server is another one: tell the card's author."
_log = logging.getLogger("ganzoo.hub")


def https_path(file: WeightFile) -> Path:
    """Where a file of an https server is kept; named after its sum, so mirrors share it."""
    return inside(cache_home() / "https" / file.sha256, PurePosixPath(file.path).name)


def fetch_https(source: HttpsSource, file: WeightFile, *, force: bool = False, progress: bool | None = None) -> Fetched:
    """Fetch a file of an https server.

    An interrupted download goes on where it stopped, also in another process; several processes download once.

    Args:
        source: The server.
        file: The file, with its size in bytes and its sha256.
        force: Download again, whatever is in the cache.
        progress: Show a bar; None decides by the terminal.

    Raises:
        HubError: what went wrong and what to do.
    """
    url = f"{source.url.rstrip('/')}/{quote(check_name(file.path))}"
    target = https_path(file)
    cached = None if force else _cached(target, file, url)
    if cached is not None:
        return cached
    if is_offline():
        hint = "Unset HF_HUB_OFFLINE (and TRANSFORMERS_OFFLINE) once to download it."
        raise OfflineError(f"Offline mode is on, and {redact(url)} would have to be downloaded.", hint=hint)
    try:
        with _lock(target):
            found = None if force else _cached(target, file, url)  # another process may have been faster
            return found or _download(url, target, file, progress)
    except OSError as e:
        raise storage_error(e, f"{redact(url)} could not be put into the cache") from e


def _cached(target: Path, file: WeightFile, url: str) -> Fetched | None:
    if not target.is_file():
        return None
    try:
        return Fetched(target, verify(target, Expected(file.sha256, size=file.size), redact(url)), None, cached=True)
    except IntegrityError:  # damaged since it was downloaded: it is removed and downloaded again
        purge(target, cache_home())
        return None


def _download(url: str, target: Path, file: WeightFile, progress: bool | None) -> Fetched:
    """Download under the lock. A wrong sum is tried once more from the first byte, then nothing is kept."""
    with Part(target.with_name(f"{target.name}.part")) as part:
        try:
            _fill(url, part, file, progress)
            if part.sha256 != file.sha256:
                part.restart()
                _fill(url, part, file, progress)
            if part.sha256 != file.sha256:
                raise IntegrityError(redact(url), file.sha256, part.sha256, hint=_TWICE)
            part.finish(target)
        except (IntegrityError, OSError):
            part.discard()
            raise
    # Nobody else writes under the lock, so the sum of the stream is the sum of the file.
    remember(target, settled_stamp(target), Digests(file.sha256))
    return Fetched(target, file.sha256, None, cached=False)


def _fill(url: str, part: Part, file: WeightFile, progress: bool | None) -> None:
    if part.size > file.size:
        part.restart()
    with byte_bar(PurePosixPath(file.path).name, file.size, progress) as advance:
        advance(part.size)
        transfer(Wanted(url, file.size, file.sha256), part, advance)


@contextlib.contextmanager
def _lock(target: Path) -> Iterator[None]:
    """One process at a time. The system frees the lock of a process that dies."""
    from filelock import FileLock, Timeout

    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f"{target.name}.lock"))
    while True:
        try:
            lock.acquire(timeout=_NOTICE_SECONDS)
            break
        except Timeout:
            _log.info("Waiting for another process that downloads %s.", target.name)
        except NotImplementedError as e:
            raise StorageError(f"The disk of {target.parent} knows no locks.", hint="Set GANZOO_HOME to a local folder.") from e
    try:
        yield
    finally:
        lock.release()
