"""The one place where a model's name, a Hub repository and a path are told apart."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ganzoo.errors import InvalidValueError

_CATALOGUE = re.compile(
    r"(?:(?P<plugin>[A-Za-z0-9][\w.-]*)/)?(?P<name>[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w.\-/]+))?", re.ASCII
)
_HUB = re.compile(r"(?P<repository>[A-Za-z0-9][\w.-]*/[\w.-]+)(?:@(?P<revision>[\w.\-/]+))?", re.ASCII)


@dataclass(frozen=True)
class CatalogueName:
    """``[plugin/]name[@revision]``."""

    name: str
    plugin: str | None = None
    revision: str | None = None

    @property
    def qualified(self) -> str:
        """The name with its plugin where one was given."""
        return self.name if self.plugin is None else f"{self.plugin}/{self.name}"


@dataclass(frozen=True)
class HubName:
    """``hf:org/repo[@revision]``."""

    repository: str
    revision: str | None = None


@dataclass(frozen=True)
class PathName:
    """A file or folder on this machine; it need not exist."""

    path: Path


def parse_name(text: str | os.PathLike[str]) -> CatalogueName | HubName | PathName:
    """What a person means by ``text``.

    ``hf:`` is a Hub repository; what starts with ``.``, ``/`` or ``~`` or exists on disk is a path; all else is a name of the
    catalogue. A `pathlib.Path` is always a path.

    Raises:
        InvalidValueError: it is none of them: empty, a web address, or with characters that no name has.
    """
    if not isinstance(text, str):
        return PathName(Path(text).expanduser())
    if text.startswith("hf:"):
        return _hub_name(text)
    if text.startswith((".", "/", "~", os.sep)) or _exists(text):
        return PathName(Path(text).expanduser())
    match = _CATALOGUE.fullmatch(text)
    if match is None or (match["revision"] or "").startswith(("/", "-")) or ".." in (match["revision"] or ""):
        raise InvalidValueError(f"{text!r} is no model name, Hub repository or path.", hint=_advice(text))
    return CatalogueName(match["name"].lower(), match["plugin"], match["revision"])


def _hub_name(text: str) -> HubName:
    match = _HUB.fullmatch(text.removeprefix("hf:"))
    if match is None or ".." in text:
        raise InvalidValueError(f"{text!r} is no Hub repository.", hint="Write hf:organisation/repository[@revision].")
    return HubName(match["repository"], match["revision"])


def _exists(text: str) -> bool:
    try:
        return bool(text) and os.path.lexists(text)
    except ValueError:  # a NUL character
        return False


def _advice(text: str) -> str:
    if text.startswith(("http://", "https://")):
        return "A Hub repository is written hf:organisation/repository; download other files and give their path."
    return "`ganzoo list` shows the names; a repository is written hf:organisation/repository; a path starts with . or /."
