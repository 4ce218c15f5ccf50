"""Words from files, made fit for a message to a person."""

from collections.abc import Iterable


def printable(text: object, limit: int = 80) -> str:
    """``text`` on one line, cut to ``limit`` characters; what could paint or mislead a terminal is written as an escape."""
    whole = str(text)
    cut = whole[:limit] + ("…" if len(whole) > limit else "")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def printable_shape(shape: Iterable[int], limit: int = 8) -> str:
    """A shape in square brackets, its first ``limit`` sizes."""
    sizes = list(shape)
    shown = [printable(size, 24) for size in sizes[:limit]]
    return f"[{', '.join([*shown, '…'] if len(sizes) > limit else shown)}]"
