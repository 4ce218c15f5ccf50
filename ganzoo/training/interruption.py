"""Stopping between two steps: a run that stops in the middle of one would leave a state that belongs to no step."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_AT_ONCE: dict[signal.Signals, Callable[[int, FrameType | None], Any] | signal.Handlers] = {  # what a second one does
    signal.SIGINT: signal.default_int_handler,  # Ctrl-C
    signal.SIGTERM: signal.SIG_DFL,  # what cluster schedulers, containers and torchrun send
}


@contextmanager
def graceful_interrupt(note: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether the process was asked to stop, by Ctrl-C or SIGTERM.

    The first request only sets that flag, the second of its kind stops at once. Outside the main thread, where Python delivers
    no signals, and for signals that the process was told to ignore (``nohup … &``), the flag stays unset.

    Args:
        note: Told that the request was heard.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = threading.Event()

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(number, _AT_ONCE[signal.Signals(number)])
        if not asked.is_set():
            asked.set()
            note("Stopping after this step; press Ctrl-C again to stop at once, without a checkpoint.")

    heard = [each for each in _AT_ONCE if signal.getsignal(each) not in (signal.SIG_IGN, None)]
    before = {each: signal.signal(each, first) for each in heard}
    try:
        yield asked.is_set
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
