"""Ctrl-C between two steps: a run that stops in the middle of one would leave a state that belongs to no step."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def graceful_interrupt(note: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether Ctrl-C was pressed: the first one only sets that flag, the second interrupts at once.

    Outside the main thread, where Python delivers no signals, and where the process was told to ignore them (``nohup … &``),
    the flag stays unset.

    Args:
        note: Told that the request was heard.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield lambda: False
        return
    pressed = threading.Event()

    def first(number: int, frame: FrameType | None) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        note("Stopping after this step; press Ctrl-C again to stop at once, without a checkpoint.")

    before = signal.signal(signal.SIGINT, first)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
