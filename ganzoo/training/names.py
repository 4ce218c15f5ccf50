"""The error for a name in a configuration that nobody knows."""

from collections.abc import Sequence

from ganzoo.errors import ConfigError
from ganzoo.naming import closest


def unknown(kind: str, name: str, known: Sequence[str]) -> ConfigError:
    """An error that names the closest of ``known``, or all of them."""
    near = closest(name, list(known))
    hint = "Did you mean " + " or ".join(f"'{n}'" for n in near) + "?" if near else None
    if hint is None:
        hint = f"Known: {', '.join(sorted(known))}." if known else "It has none."
    return ConfigError(f"There is no {kind} named '{name}'.", hint=hint)
