"""What the commands print: plain tables for people, JSON for machines. No rich here: `ganzoo list` must start fast."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

GAP = 2
NARROWEST = 12


def echo_json(value: Any) -> None:
    """Prints ``value`` (builtins and msgspec structs) as indented JSON."""
    import json

    import msgspec

    # ASCII, because a path need not be UTF-8 and a terminal need not show it.
    click.echo(json.dumps(msgspec.to_builtins(value), indent=2))


def printable(text: str) -> str:
    """``text`` without what a terminal would obey or cannot show: names in files and cards are other people's words."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def echo_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table whose last column is cut to fit the terminal; uncut when the output is no terminal."""
    lines = [[printable(cell).replace("\n", " ") for cell in line] for line in (headers, *rows)]
    widths = [max(len(line[column]) for line in lines) for column, _ in enumerate(headers)]
    if sys.stdout.isatty():
        room = columns() - sum(widths[:-1]) - GAP * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(room, NARROWEST))
    title, *body = (_line(line, widths) for line in lines)
    click.echo("\n".join([click.style(title, bold=True), *body]))  # at once: each call costs


def echo_fields(fields: Sequence[tuple[str, str]], indent: str = "") -> None:
    """Prints names and values in two columns; lines of a value stay in its column."""
    width = max((len(name) for name, _ in fields), default=0) + GAP
    for name, value in fields:
        first, *rest = printable(value).split("\n")
        click.echo(f"{indent}{name:<{width}}{first}".rstrip())
        for line in rest:
            click.echo(f"{indent}{'':<{width}}{line}")


def columns() -> int:
    """The terminal's width: ``COLUMNS``, else what the terminal says, else 80. (`shutil` has this, at 3 ms for its imports.)"""
    forced = os.environ.get("COLUMNS", "")
    if forced.isdecimal() and int(forced) > 0:
        return int(forced)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


def size(count: int) -> str:
    """Bytes for people, e.g. ``2.1 MB`` (decimal, as shops and the Hub have it)."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    cut = [c if len(c) <= w else c[: w - 1] + "…" for c, w in zip(cells, widths, strict=True)]
    return (" " * GAP).join(f"{c:<{w}}" for c, w in zip(cut, widths, strict=True)).rstrip()
