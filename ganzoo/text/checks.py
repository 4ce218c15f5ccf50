"""Checks of what the constructors of all networks of text are given."""

from ganzoo.errors import ConfigError


def check_sizes(**sizes: object) -> None:
    """Makes sure that every one is a whole number from 1 on.

    Raises:
        ConfigError: one is not; the message names it.
    """
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"'{name}' must be a whole number from 1 on, not {value!r}.")


def check_dropout(dropout: float) -> None:
    """Makes sure that it is a probability below 1.

    Raises:
        ConfigError: it is not.
    """
    if not 0 <= dropout < 1:
        raise ConfigError(f"'dropout' must be from 0 to less than 1, not {dropout!r}.")
