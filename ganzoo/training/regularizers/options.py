"""Checks of a regulariser's options: every refusal names the option and what it may be."""

import math
from collections.abc import Sequence

from ganzoo.errors import ConfigError


def check_number(
    name: str, value: object, *, above: float = -math.inf, at_least: float = -math.inf, at_most: float = math.inf
) -> float:
    """``value`` as a finite float within the bounds.

    Raises:
        ConfigError: it is not.
    """
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if math.isfinite(number) and above < number <= at_most and number >= at_least:
        return number
    bounds = (("above", above), ("at least", at_least), ("at most", at_most))
    limits = " and ".join(f"{words} {limit:g}" for words, limit in bounds if math.isfinite(limit))
    raise ConfigError(f"The option '{name}' must be a number{f' {limits}' if limits else ''}, not {value!r}.")


def check_count(name: str, value: object, *, at_least: int = 1) -> int:
    """``value`` as an integer.

    Raises:
        ConfigError: it is none, or too small.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise ConfigError(f"The option '{name}' must be an integer of at least {at_least}, not {value!r}.")
    return value


def check_flag(name: str, value: object) -> bool:
    """``value`` as a truth value.

    Raises:
        ConfigError: it is neither true nor false.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"The option '{name}' must be true or false, not {value!r}.")
    return value


def check_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """``value`` as one of ``choices``.

    Raises:
        ConfigError: it is none of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"The option '{name}' must be {' or '.join(choices)}, not {value!r}.")
    return value
