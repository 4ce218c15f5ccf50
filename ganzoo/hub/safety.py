"""Names that come from cards, repositories and people, checked before they become paths or URLs."""

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from ganzoo.errors import InvalidValueError, UnreachableError


def inside(base: Path, relative: str) -> Path:
    """``base / relative``, which stays inside ``base``.

    The check is on the names only: package managers and the Hub's cache put links where files are expected.

    Raises:
        InvalidValueError: the path is empty, absolute or climbs out.
    """
    path = Path(os.path.normpath(base / relative))
    if not relative or "\0" in relative or "\\" in relative or Path(os.path.normpath(base)) not in path.parents:
        raise InvalidValueError(f"{relative!r} is not a relative path inside {base}.")
    return path


def check_name(relative: str) -> str:
    """``relative`` itself, if it is a clean path inside a repository.

    Raises:
        InvalidValueError: it is not.
    """
    inside(Path("repository"), relative)
    if ".." in relative.split("/"):
        raise InvalidValueError(f"{relative!r} is not a relative path inside a repository.")
    return relative


def check_revision(revision: str) -> str:
    """``revision`` itself, if git could have such a branch, tag or commit.

    Raises:
        InvalidValueError: it could not, e.g. because it is empty or holds ``..``.
    """
    if not revision or ".." in revision or revision.startswith(("/", "-")) or any(c in revision for c in "\\\0 \t\r\n"):
        raise InvalidValueError(f"{revision!r} is no branch, tag or commit.")
    return revision


def check_url(url: str, *, previous: str | None = None) -> str:
    """``url`` itself, if files may be downloaded from it: https anywhere, http on this machine only.

    Args:
        url: The address.
        previous: The address that redirected to it, if any.

    Raises:
        UnreachableError: it is plain http, has no host, or a redirect leaves https.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    place = f"{parts.scheme}://{parts.hostname or ''}"
    if previous is not None and urlsplit(previous).scheme == "https":
        raise UnreachableError(
            f"{urlsplit(previous).hostname} redirects from https to {place}, which is refused.",
            hint="Weights are never downloaded over an unencrypted connection. Try again later, or from another network.",
        )
    if parts.scheme == "http" and _is_loopback(parts.hostname):
        return url
    raise UnreachableError(f"{place} is not an https address, and weights are downloaded over https only.")


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
