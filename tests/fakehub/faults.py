"""Faults by rule: which request is hit, and what happens to it."""

import threading
from dataclasses import dataclass, field
from typing import Literal

FaultName = Literal["drop", "reset", "delay", "truncate", "short", "cut", "corrupt", "stall", "page", "status"]


@dataclass
class Fault:
    """One rule. Everything that is given must fit the request.

    Attributes:
        name: ``drop`` closes without an answer; ``reset`` sends RST; ``delay`` waits ``seconds`` first; ``truncate`` announces
            the whole and closes (FIN) half-way; ``cut`` the same with RST; ``short`` announces and sends half; ``corrupt``
            flips a byte; ``stall`` waits ``seconds`` half-way; ``page`` is 200 with a web page; ``status`` answers ``status``.
        kind: The path class, see `fakehub.server.classify`.
        method: The HTTP method.
        path: A part of the path.
        skip: How many fitting requests pass first.
        times: How many are hit; None is all of them.
    """

    name: FaultName
    kind: str | None = None
    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int | None = None
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    hits: int = 0

    def fits(self, method: str, kind: str, path: str) -> bool:
        return self.method in (None, method) and self.kind in (None, kind) and self.path in path


class Faults:
    """The rules in force, safe to ask from many threads."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._rules.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, method: str, kind: str, path: str) -> Fault | None:
        """The first rule that hits this request, counted."""
        with self._lock:
            for rule in self._rules:
                if not rule.fits(method, kind, path):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                elif rule.times is None or rule.hits < rule.times:
                    rule.hits += 1
                    return rule
            return None
