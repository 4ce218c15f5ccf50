"""Bytes of one address into a `Part`: ranges, redirects, retries, and never more than was announced."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from ganzoo.errors import (
    AuthenticationError,
    HubError,
    IntegrityError,
    RateLimitError,
    RemoteFileNotFoundError,
    UnreachableError,
)
from ganzoo.hub.http import library, session
from ganzoo.hub.part import Part
from ganzoo.hub.redact import reason, redact
from ganzoo.hub.safety import check_url

_ATTEMPTS = 5
FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0
_PROGRESS = 1 << 20
_REDIRECTS = 10

_log = logging.getLogger("ganzoo.hub")


class _InterruptedError(Exception):
    """An attempt ended early. ``wait``: seconds that the server asked for; ``error``: what to raise when patience ends."""

    def __init__(self, error: HubError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


@dataclass(frozen=True)
class Wanted:
    """A file of a server: its address, its bytes and its pinned sum."""

    url: str
    size: int
    sha256: str


def transfer(wanted: Wanted, part: Part, advance: Callable[[int], None]) -> None:
    """Complete a partial file.

    Args:
        wanted: The whole.
        part: What is there already.
        advance: Told the number of bytes that are there.

    Raises:
        HubError: what went wrong and what to do. The part is kept where going on later makes sense.
        OSError: the disk is full or cannot be written.
    """
    failures, best = 0, part.size
    while part.size < wanted.size:
        try:
            _attempt(wanted, part, advance)
        except _InterruptedError as e:
            part.flush()
            failures = 0 if part.size >= best + _PROGRESS else failures + 1
            best = max(best, part.size)
            if failures >= _ATTEMPTS:
                raise e.error from e
            pause = min(FIRST_PAUSE * 2 ** max(failures - 1, 0) if e.wait is None else e.wait, _LONGEST_PAUSE)
            _log.info("%s Trying again in %.1f s.", e.error.message, pause)
            time.sleep(pause)


def _attempt(wanted: Wanted, part: Part, advance: Callable[[int], None]) -> None:
    """One request, from where the part ends."""
    httpx, url = library(), wanted.url
    try:
        with _open(url, _headers(url, part)) as response:
            _check_status(response, url)
            _place(response, wanted, part)
            for chunk in _chunks(response):
                if part.size + len(chunk) > wanted.size:
                    part.restart()
                    raise _wrong_size(response, wanted, "more")
                part.append(chunk)
                advance(part.size)
    except (httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL) as e:
        raise UnreachableError(f"{redact(url)} cannot be asked: {reason(e)}.", hint="Check the proxy settings.") from e
    except httpx.HTTPError as e:
        text = f"The download of {redact(url)} broke off: {reason(e)}."
        raise _InterruptedError(UnreachableError(text, hint="Run the same command again: it goes on where it stopped.")) from e
    if part.size < wanted.size:
        raise _InterruptedError(_wrong_size(response, wanted, f"{part.size:,}"))


def _headers(url: str, part: Part) -> dict[str, str]:
    from ganzoo import __version__

    headers = {"Accept-Encoding": "identity", "User-Agent": f"ganzoo/{__version__}"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        etag = part.etag(url)
        if etag and not etag.startswith("W/"):
            headers["If-Range"] = etag
    return headers


@contextmanager
def _open(url: str, headers: dict[str, str]) -> Iterator[Any]:
    """The response at the end of all redirects, each of which must be safe."""
    from huggingface_hub import constants

    timeout = library().Timeout(constants.HF_HUB_DOWNLOAD_TIMEOUT, connect=constants.HF_HUB_ETAG_TIMEOUT)
    check_url(url)
    for _ in range(_REDIRECTS):
        with session().stream("GET", url, headers=headers, follow_redirects=False, timeout=timeout) as response:
            location = response.headers.get("Location")
            if not (response.is_redirect and location):
                yield response
                return
        url = check_url(urljoin(url, location), previous=url)
    raise UnreachableError(f"{redact(url)} is the end of {_REDIRECTS} redirects and not a file.")


def _check_status(response: Any, url: str) -> None:
    """Raise for everything but 200, 206 and 416."""
    status = response.status_code
    if status in (200, 206, 416):
        return
    place = redact(url)
    if status == 429:
        late = RateLimitError(f"{urlsplit(url).hostname} asks to slow down (429).", hint="Wait a few minutes and try again.")
        raise _InterruptedError(late, _retry_after(response))
    if status in (401, 403):
        raise AuthenticationError(
            f"The server refused access to {place} ({status}).", hint="Look for another copy of the model."
        )
    if status in (404, 410):
        raise RemoteFileNotFoundError(
            f"{place} does not exist ({status}).", hint="It may have moved: report it to the card's author."
        )
    error = UnreachableError(f"{urlsplit(url).hostname} answered with status {status} for {place}.", hint="Try again later.")
    raise _InterruptedError(error, _retry_after(response)) if status >= 500 or status == 408 else error


def _place(response: Any, wanted: Wanted, part: Part) -> None:
    """Make the part end where the body begins."""
    etag, known = response.headers.get("ETag", ""), part.etag(wanted.url)
    if response.status_code == 206 and _continues(response, part, wanted.size) and known in ("", etag):
        return
    if response.status_code != 200:
        part.restart()
        total = response.headers.get("Content-Range", "").rpartition("/")[2]
        if total.isdecimal() and int(total) != wanted.size:
            raise _wrong_size(response, wanted, f"{int(total):,}")
        raise _InterruptedError(UnreachableError(f"{redact(wanted.url)} changed while it was downloaded."), wait=0.0)
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) != wanted.size and not _is_encoded(response):
        part.restart()
        raise _wrong_size(response, wanted, f"{int(length):,}")
    part.restart(wanted.url, etag)


def _continues(response: Any, part: Part, size: int) -> bool:
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    return bool(span.partition("-")[0] == str(part.size) and total in ("*", str(size)))


def _chunks(response: Any) -> Iterator[bytes]:
    """The body as it arrives. Chunks of a chosen size would throw the last bytes before a lost connection away."""
    read: Iterator[bytes] = response.iter_bytes() if _is_encoded(response) else response.iter_raw()
    return read


def _is_encoded(response: Any) -> bool:
    return response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")


def _wrong_size(response: Any, wanted: Wanted, found: str) -> IntegrityError:
    hint = "The file on the server is another one. Report it to the card's author."
    if "html" in response.headers.get("Content-Type", "").lower():
        hint = "The server sent a web page instead: a log-in page of this network, or a notice. Open the address in a browser."
    actual = f"not hashed: {found} bytes where {wanted.size:,} were expected"
    return IntegrityError(redact(wanted.url), wanted.sha256, actual, hint=hint)


def _retry_after(response: Any) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
