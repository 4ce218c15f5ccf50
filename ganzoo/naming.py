"""One table of names for everything that plugins bring: models, architectures, data sets, metrics.

Two owners may claim one name: that name alone becomes an error that names both, and ``<owner>/<name>`` always works.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

from ganzoo.errors import AmbiguousNameError, UnknownNameError

T = TypeVar("T")


class NameTable(Generic[T]):
    """Names to things, with owners, aliases, and closest names on a miss.

    Args:
        kind: What the things are, for error messages, e.g. ``"model"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._claims: dict[str, list[tuple[str, T]]] = {}
        self._qualified: dict[str, list[T]] = {}
        self._things: dict[str, list[T]] = {}

    def add(self, owner: str, name: str, value: T, aliases: tuple[str, ...] = ()) -> None:
        """Registers ``value`` under ``name`` and its aliases for ``owner``."""
        self._things.setdefault(f"{owner}/{name}", []).append(value)
        self._qualified.setdefault(f"{owner}/{name}", []).append(value)
        for each in dict.fromkeys((name, *aliases)):
            self._claims.setdefault(each, []).append((f"{owner}/{name}", value))
            if each != name:
                self._qualified.setdefault(f"{owner}/{each}", []).append(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._claims)

    def values(self) -> list[T]:
        """Every thing once, whoever claims its name too."""
        return [value for values in self._things.values() for value in values]

    def claims(self, name: str) -> list[str]:
        """The qualified names that claim ``name``; more than one makes it ambiguous."""
        return [qualified for qualified, _ in self._claims.get(name, [])]

    def find(self, name: str) -> T:
        """The thing called ``name`` or ``<owner>/<name>``.

        Raises:
            UnknownNameError: nobody brings it; carries the closest names.
            AmbiguousNameError: several claim it.
        """
        if name in self._qualified:
            found = self._qualified[name]
            if len(found) > 1:
                raise AmbiguousNameError(self.kind, name, [name] * len(found))
            return found[0]
        claims = self._claims.get(name, [])
        if len(claims) > 1:
            raise AmbiguousNameError(self.kind, name, [qualified for qualified, _ in claims])
        if not claims:
            raise UnknownNameError(self.kind, name, closest(name, [*self._claims, *self._qualified]))
        return claims[0][1]


def closest(name: str, known: list[str], limit: int = 3) -> list[str]:
    """Up to ``limit`` of ``known`` that resemble ``name``, best first; qualified names only when ``name`` is qualified."""
    import difflib

    candidates = [k for k in known if ("/" in k) == ("/" in name)]
    lowered = {k.lower(): k for k in candidates}
    needle = name.lower()
    near = [lowered[m] for m in difflib.get_close_matches(needle, lowered, n=limit, cutoff=0.6)]
    inside = [k for low, k in lowered.items() if len(needle) >= 3 and (needle in low or low in needle)]
    return list(dict.fromkeys([*near, *sorted(inside)]))[:limit]
