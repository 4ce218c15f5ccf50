"""How a run tells about itself: a live display on a terminal, one plain line per interval elsewhere."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ganzoo.checkpoint.wording import printable
from ganzoo.training.game import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_MAIN = {
    "d_loss": "D {:.3f}",
    "g_loss": "G {:.3f}",
    "d_real": "D(real) {:+.2f}",
    "d_fake": "D(fake) {:+.2f}",
    "nll": "NLL {:.3f}",
    "reward": "reward {:.3f}",
}
LONGEST = 2000  # characters of a line; a path can be long


class Reporter(Protocol):
    """Told what happens in a run."""

    def started(self, done: int, total: int, unit: str) -> None:
        """The run begins or goes on at ``done`` of ``total`` examples, called ``unit``; told again when it goes back."""
        ...

    def stepped(self, progress: Progress) -> None:
        """After each step."""
        ...

    def logged(self, progress: Progress, images_per_second: float) -> None:
        """After each line of metrics."""
        ...

    def sampled(self, file: Path, images: int) -> None:
        """After each grid of samples."""
        ...

    def evaluated(self, figures: Mapping[str, float], images: int) -> None:
        """After each evaluation."""
        ...

    def note(self, text: str) -> None:
        """Something that a person should read."""
        ...

    def finished(self) -> None:
        """The run is at its end, or stops for now, as it was told to."""
        ...

    def closed(self) -> None:
        """Nothing more will be told, whatever the reason."""
        ...


class Silent:
    """Tells nothing."""

    def started(self, done: int, total: int, unit: str) -> None:
        """Nothing."""

    def stepped(self, progress: Progress) -> None:
        """Nothing."""

    def logged(self, progress: Progress, images_per_second: float) -> None:
        """Nothing."""

    def sampled(self, file: Path, images: int) -> None:
        """Nothing."""

    def evaluated(self, figures: Mapping[str, float], images: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def finished(self) -> None:
        """Nothing."""

    def closed(self) -> None:
        """Nothing."""


class Several:
    """Passes everything on to several reporters, in their order."""

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters = reporters

    def started(self, done: int, total: int, unit: str) -> None:
        """To all."""
        for reporter in self._reporters:
            reporter.started(done, total, unit)

    def stepped(self, progress: Progress) -> None:
        """To all."""
        for reporter in self._reporters:
            reporter.stepped(progress)

    def logged(self, progress: Progress, images_per_second: float) -> None:
        """To all."""
        for reporter in self._reporters:
            reporter.logged(progress, images_per_second)

    def sampled(self, file: Path, images: int) -> None:
        """To all."""
        for reporter in self._reporters:
            reporter.sampled(file, images)

    def evaluated(self, figures: Mapping[str, float], images: int) -> None:
        """To all."""
        for reporter in self._reporters:
            reporter.evaluated(figures, images)

    def note(self, text: str) -> None:
        """To all."""
        for reporter in self._reporters:
            reporter.note(text)

    def finished(self) -> None:
        """To all."""
        for reporter in self._reporters:
            reporter.finished()

    def closed(self) -> None:
        """To all."""
        for reporter in self._reporters:
            reporter.closed()


class PlainLines(Silent):
    """One line per interval on standard error, for logs and pipes."""

    def __init__(self) -> None:
        self._total, self._unit = 0, ""

    def started(self, done: int, total: int, unit: str) -> None:
        """Remembers the end, for the time left."""
        self._total, self._unit = total, unit

    def logged(self, progress: Progress, images_per_second: float) -> None:
        """The losses, the logits, the speed, the time left, and what the recipe has besides."""
        left = _duration((self._total - progress.images) / images_per_second) if images_per_second else "?"
        main, more = _words(progress)
        where = f"{progress.images}/{self._total} {self._unit}"
        self.note(f"{where}  {main}  {images_per_second:.0f} {self._unit}/s  {left} left{more}")

    def evaluated(self, figures: Mapping[str, float], images: int) -> None:
        """The figures."""
        self.note(f"{images}/{self._total} {self._unit}  {_figures(figures)}")

    def note(self, text: str) -> None:
        """One line."""
        print(_visible(text), file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def terminal_reporter() -> Iterator[Reporter]:
    """A live display when standard error is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        yield PlainLines()
        return
    from rich.console import Console

    live = _Live(Console(stderr=True))
    try:
        yield live
    finally:
        live.closed()


class _Live(Silent):
    """A bar with the time left, and below it the figures of the latest step; notes scroll by above."""

    def __init__(self, console: "Console") -> None:
        from rich.console import Group
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        speed, left = TextColumn("{task.fields[unit]}  {task.fields[speed]}"), TextColumn("left")
        self._bar = Bar(BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn(), left, auto_refresh=False)
        self._task = self._bar.add_task("", speed="", unit="")
        self._progress: Progress | None = None
        self._unit = ""
        self._display = Live(Group(self._bar, self), console=console, refresh_per_second=4)

    def __rich__(self) -> "Text":
        from rich.text import Text

        line = "" if self._progress is None else "".join(_words(self._progress))
        return Text(line, no_wrap=True, overflow="ellipsis")

    def started(self, done: int, total: int, unit: str) -> None:
        self._bar.reset(self._task, total=total, completed=done, speed="", unit=unit)
        self._unit = unit
        self._display.start()

    def stepped(self, progress: Progress) -> None:
        self._progress = progress
        speed = self._bar.tasks[0].speed  # of the last half minute
        self._bar.update(self._task, completed=progress.images, speed="" if speed is None else f"{speed:.0f}/s")

    def evaluated(self, figures: Mapping[str, float], images: int) -> None:
        self.note(f"after {images} {self._unit}: {_figures(figures)}")

    def note(self, text: str) -> None:
        self._display.console.print(_visible(text), highlight=False, markup=False, soft_wrap=True)

    def closed(self) -> None:
        self._display.stop()


def _words(p: Progress) -> tuple[str, str]:
    """What everybody wants to see of a step, and what the recipe has besides."""
    main = [p.phase] if p.phase is not None else []
    main += [form.format(p.figures[name]) for name, form in _MAIN.items() if name in p.figures]
    more = [f"  {name} {value:.3g}" for name, value in p.figures.items() if name not in _MAIN]
    return "  ".join(main), "".join(more)


def _visible(text: str) -> str:
    """Without what a terminal would obey: notes carry names of files."""
    return "\n".join(printable(line, LONGEST) for line in text.split("\n"))


def _figures(figures: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in figures.items())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
