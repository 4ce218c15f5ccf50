"""How a run tells about itself: a live bar on a terminal, one plain line per interval elsewhere."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, Protocol

from ganzoo.training.engine import Progress


class Reporter(Protocol):
    """Told what happens in a run."""

    def started(self, done: int, total: int) -> None:
        """The run begins (or goes on) at ``done`` of ``total`` images."""
        ...

    def stepped(self, progress: Progress) -> None:
        """After each step."""
        ...

    def logged(self, progress: Progress, images_per_second: float) -> None:
        """After each line of metrics."""
        ...

    def note(self, text: str) -> None:
        """Something that a person should read."""
        ...


class Silent:
    """Tells nothing."""

    def started(self, done: int, total: int) -> None:
        """Nothing."""

    def stepped(self, progress: Progress) -> None:
        """Nothing."""

    def logged(self, progress: Progress, images_per_second: float) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class PlainLines(Silent):
    """One line per interval on standard error, for logs and pipes."""

    def __init__(self) -> None:
        self._total = 0

    def started(self, done: int, total: int) -> None:
        """Remembers the end, for the time left."""
        self._total = total

    def logged(self, progress: Progress, images_per_second: float) -> None:
        """The losses, the logits, the speed and the time left."""
        left = _duration((self._total - progress.images) / images_per_second) if images_per_second else "?"
        self.note(f"{progress.images}/{self._total} images  {_losses(progress)}  {images_per_second:.0f} images/s  {left} left")

    def note(self, text: str) -> None:
        """One line."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def terminal_reporter() -> Iterator[Reporter]:
    """A live bar when standard error is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        yield PlainLines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("images"), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True)) as bar:
        yield _Live(bar)


class _Live(Silent):
    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None

    def started(self, done: int, total: int) -> None:
        self._task = self._bar.add_task("", total=total, completed=done)

    def stepped(self, progress: Progress) -> None:
        self._bar.update(self._task, completed=progress.images)

    def logged(self, progress: Progress, images_per_second: float) -> None:
        self._bar.update(self._task, description=f"{_losses(progress)}  {images_per_second:.0f}/s")

    def note(self, text: str) -> None:
        self._bar.console.print(text, highlight=False, markup=False)


def _losses(p: Progress) -> str:
    return f"D {p.d_loss:.3f}  G {p.g_loss:.3f}  D(real) {p.d_real:+.2f}  D(fake) {p.d_fake:+.2f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
