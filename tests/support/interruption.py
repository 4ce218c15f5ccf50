"""Interrupts a training run from inside."""

import signal

from ganzoo.training import Progress, Silent


class StopAfter(Silent):
    """Presses Ctrl-C after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self, progress: Progress) -> None:
        self.left -= 1
        if not self.left:
            signal.raise_signal(signal.SIGINT)
