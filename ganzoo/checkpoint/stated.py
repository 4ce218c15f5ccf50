"""What a file says of how a network was made. Importing this needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Stated:
    """The construction of one network in the words of the file that holds it.

    Everything is plain data as in JSON (None, booleans, numbers, text, lists, and dicts with text as keys): tuples and small
    arrays of numbers have become lists, data types text such as ``"float16"``. What is none of this (a function, a tensor) is
    left out. Nobody has checked any of it: a file may state anything, of any type.

    Attributes:
        name: Of the class, or of the function that built the network. Text, never looked up.
        arguments: The named constructor arguments that were given; those left at their defaults are not among them.
        positional: The other constructor arguments.
        attributes: What the object remembers of itself, defaults included; names that begin with an underscore are left out.
        parts: The same of each network inside, by name.
        program: What wrote the file, in words for a person, as far as the kind of file tells.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    positional: tuple[Any, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, "Stated"] = field(default_factory=dict)
    program: str = field(default="", compare=False)

    def part(self, path: str) -> "Stated | None":
        """The network inside that ``path`` names, ``synthesis.b8.conv0`` say; None where there is none."""
        found: Stated | None = self
        for name in path.split("."):
            found = found.parts.get(name) if found is not None else None
        return found
