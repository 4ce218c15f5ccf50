"""Runs a pickle as the data that it is: plain values become plain values, everything else an inert record.

A pickle is a program for a machine with a stack and a memo, and the only way for it to reach code is to ask for a *global* (a
module's function or class) and to have it called. Here nothing is ever imported or called: a global, and each call of one,
becomes a `Record` that says what was asked for. Whoever reads the result decides which records mean something.

Memory and time are bounded by the limits: every step is charged for the memory that it may take.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ganzoo.checkpoint.allowance import Allowance
from ganzoo.checkpoint.pickle_opcodes import TABLE
from ganzoo.checkpoint.pickle_state import Data, Machine, Record, Refused

_STOP = ord(".")
_STEP = 64  # bytes of memory; the smallest object and its place on the stack


@dataclass(frozen=True)
class Limits:
    """How much one pickle may hold.

    Attributes:
        size: Bytes, those of every `Blob` not counted.
        opcodes: Steps of the program; a tensor takes about 25.
        memory: Bytes of memory that its values may take; None goes by the size of the data.
    """

    size: int = 16 * 2**20
    opcodes: int = 2_000_000
    memory: int | None = None


@dataclass(frozen=True)
class Pickle:
    """What one pickle holds.

    Attributes:
        value: The object. It may contain itself and be nested deeply: walk it with a limit.
        names: Every global that it asks for, in order of first appearance.
        persistent: Every record of something outside, in order.
        end: Position after its last byte.
    """

    value: Any
    names: tuple[str, ...]
    persistent: tuple[Record, ...]
    end: int


class PickleError(Exception):
    """The bytes are no complete pickle, or exceed a limit; ``names`` are the globals that were asked for until then."""

    def __init__(self, problem: str, names: Iterable[str]) -> None:
        super().__init__(problem)
        self.names = tuple(names)


def run_pickle(data: Data, start: int = 0, limits: Limits = Limits()) -> Pickle:
    """The pickle that begins at ``start``. Long bytes in it are not read: each is a `Blob` that says where they are.

    Raises:
        PickleError: the data ends early, is damaged, or exceeds ``limits``.
    """
    memory = Allowance.of(len(data)).memory if limits.memory is None else limits.memory
    machine = Machine(data, start, limits.size, memory)
    try:
        value = _run(machine, limits.opcodes)
    except Refused as e:
        raise PickleError(str(e), machine.names) from e
    except (IndexError, KeyError, ValueError, OverflowError, struct.error) as e:
        raise PickleError(machine.ending() or "its program makes no sense", machine.names) from e
    return Pickle(value, tuple(machine.names), tuple(machine.persistent), machine.position)


def _run(machine: Machine, opcodes: int) -> Any:
    data = machine.data
    for _ in range(opcodes):
        if machine.position >= machine.end:
            raise Refused(machine.ending())
        code = data[machine.position]
        machine.position += 1
        machine.spend(_STEP)
        if code == _STOP:
            return machine.stack.pop()
        action = TABLE[code]
        if action is None:
            raise Refused(f"it has the unknown opcode {code:#04x}")
        action(machine)
    raise Refused(f"it has more than {opcodes} steps")
