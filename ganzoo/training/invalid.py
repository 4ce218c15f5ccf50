"""What is wrong with a value that does not decode, in words for the person who typed it."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from ganzoo.errors import ConfigError

S = TypeVar("S", bound=msgspec.Struct)

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "object": "a table of fields",
    "array": "a list",
    "null": "null",
}
_QUOTED = re.compile(r"`(\w+(?: \| \w+)*)`")


def reason(error: msgspec.ValidationError, target: type) -> str:
    """Which kind of value was expected, which came, and in which field.

    Args:
        error: What decoding to ``target`` raised.
        target: A struct.
    """
    what, _, place = str(error).partition(" - at ")
    field = place.replace("`", "").replace("key in ", "").removeprefix("$").removeprefix(".")
    words = _QUOTED.sub(lambda match: " or ".join(_KINDS.get(kind, kind) for kind in match[1].split(" | ")), what)
    allowed = _choices(inspect.type_info(target), field.split("."))
    one_of = f"; it is one of {', '.join(allowed)}" if allowed else ""
    return f"{words}{one_of}" + (f" ({field})" if field else "")


def read_options(what: str, given: Mapping[str, Any], kind: type[S], path: str | None = None) -> S:
    """The own options of a part, as the struct ``kind``.

    Args:
        what: Begins the error.
        given: The options.
        kind: Has a field for each that there is.
        path: Where they stand in a recipe, so that the error can say how to take one out.

    Raises:
        ConfigError: one that it does not have, or cannot use.
    """
    try:
        return msgspec.convert(whole(given), kind)
    except msgspec.ValidationError as e:
        known = kind.__struct_fields__
        hint = f"Its options: {', '.join(known)}." if known else "It has no options."
        left_over = [name for name in given if name not in known]
        if path is not None and left_over:
            hint += f" Take out what it has not: {' '.join(f'--set {path}.{name}=null' for name in left_over)}"
        raise ConfigError(f"{what} cannot be used: {reason(e, kind)}.", hint=hint) from e


def whole(value: Any) -> Any:
    """``value`` with numbers such as ``1e6``, which TOML and JSON take for fractions, as whole numbers; tables all through."""
    if isinstance(value, Mapping):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _choices(kind: inspect.Type, path: list[str]) -> list[str]:
    """The values that the field at ``path`` may have, where they are few enough to be listed in its type."""
    for name in path:
        structs = [each for each in _members(kind) if isinstance(each, inspect.StructType)]
        found = [field.type for struct in structs for field in struct.fields if field.name == name]
        if not found:
            return []
        kind = found[0]
    return [str(value) for each in _members(kind) if isinstance(each, inspect.LiteralType) for value in each.values]


def _members(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)
