"""What a fetch returns."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fetched:
    """A verified file on this machine.

    Attributes:
        path: Where it is. Read it, do not change it: it belongs to a cache or to an installed package.
        sha256: Of its content.
        revision: The 40-hex commit that it came from, or None where it did not come from the Hub.
        cached: True when nothing was downloaded.
    """

    path: Path
    sha256: str
    revision: str | None
    cached: bool
