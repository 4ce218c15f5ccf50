"""Progress bars: on standard error if it is a terminal, unless said otherwise. They never go where a pipe would read them."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ganzoo.hub.http import bar_class


@contextlib.contextmanager
def byte_bar(label: str, total: int, progress: bool | None) -> Iterator[Callable[[int], None]]:
    """A bar over ``total`` bytes.

    Args:
        label: What is downloaded.
        total: Its size in bytes.
        progress: Show it; None decides by the terminal.

    Yields:
        A function that takes the number of bytes that are there.
    """
    if not (sys.stderr.isatty() if progress is None else progress):
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def tqdm_class(progress: bool | None) -> Any:
    """The class that makes the Hub client show, hide or decide about its own bar; None leaves the decision to the client."""
    if progress is None:
        return None
    base = bar_class()

    class Decided(base):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["disable"] = not progress
            super().__init__(*args, **kwargs)

    return Decided
