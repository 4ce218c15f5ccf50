"""The parts of the machine that runs a pickle as data: its stack, memo and limits, and the records that it makes."""

import mmap
import struct
from dataclasses import dataclass
from typing import Any

Data = bytes | mmap.mmap

MAX_DEPTH = 100  # of what is nested; the deepest checkpoints that people write have about ten levels
RECONSTRUCTOR = "copyreg._reconstructor"  # how old protocols make an object
PERSISTENT = "<persistent id>"
COMPUTED = "<a name computed while loading>"
COMPUTED_CALL = "<a function computed while loading>"
MAX_INLINE = 64  # bytes of a literal; longer ones stay where they are, as a `Blob`
MAX_TEXT = 4096  # bytes of a text; likewise (the source text of a program, or bytes as protocol 2 writes them)
_RECORD, _TABLE, _ENTRY = 128, 176, 104  # bytes of memory that Python takes: a record, a table that was empty, an entry
_PLACE = 8  # bytes of a place in a list or tuple
_MAX_NAMES = 10_000  # different globals
_MAX_KEY = 512  # characters of a dict's key
_MAX_KEY_TUPLE = 16  # parts of a key that is a tuple
_MAX_ODD_KEYS = 10_000  # keys whose hashes a file could make collide, which costs their number squared
_PYTHON2_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_PLAIN = (str, bytes, int, float)


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that a pickle holds and that were not read.

    Attributes:
        start: Where they begin in its data.
        size: How many there are.
        text: Whether they are a text in UTF-8.
    """

    start: int
    size: int
    text: bool = False


@dataclass(eq=False, repr=False, slots=True)
class Record:
    """A global that a pickle asked for, or a call of one. It is never looked up and never called.

    Attributes:
        name: ``module.name`` of the global; `PERSISTENT` for what lies outside the pickle, its id being the only argument.
        args: What it was called with, or None for the global itself.
        keywords: Named arguments, where there were any.
        state: What ``__setstate__`` would have got.
        items: Values that were appended afterwards, as to a list or set.
        entries: What was set afterwards, as in a dict.
    """

    name: str
    args: tuple[Any, ...] | None = None
    keywords: dict[Any, Any] | None = None
    state: Any = None
    items: list[Any] | None = None
    entries: dict[Any, Any] | None = None

    def __repr__(self) -> str:
        return f"<Record of {self.name[:80]!a}>"


class Refused(Exception):  # noqa: N818  becomes a PickleError
    """Why the machine stopped."""


class Machine:
    """Stack, memo and position. The methods named after an opcode's kind carry it out.

    Args:
        data: The pickle is in it; a mapped file is never copied as a whole.
        start: Where it begins.
        size: How many bytes it may have, those of every `Blob` not counted.
        memory: How many bytes of memory its values may take.
    """

    def __init__(self, data: Data, start: int, size: int, memory: int) -> None:
        self.data = data
        self.position, self.end = start, min(start + size, len(data))
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []  # the stacks below each mark
        self.memo: dict[int, Any] = {}
        self.names: dict[str, None] = {}
        self.persistent: list[Record] = []
        self.odd_keys = 0
        self.memory = memory

    def spend(self, count: int) -> None:
        """Counts memory that a step of the program takes."""
        self.memory -= count
        if self.memory < 0:
            raise Refused("its values need far more memory than it has bytes")

    def ending(self) -> str:
        """Words for having come to the end of the data."""
        if self.position < self.end:
            return ""
        return "it is too long for a description of tensors" if self.end < len(self.data) else "it ends early"

    # --- reading ---

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        end = self.position + count
        if count < 0 or end > self.end:
            self.position = self.end
            raise Refused(self.ending())
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def number(self, form: str) -> int:
        """The next number, in a form of the `struct` module."""
        (value,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(value)

    def line(self, limit: int | None = None) -> bytes:
        """What comes before the next line break; ``limit`` is that of a number's digits."""
        end = self.data.find(b"\n", self.position, self.end)
        if end < 0:
            self.position = self.end
            raise Refused(self.ending())
        taken = self.take(end - self.position)
        self.position += 1
        if limit is not None and len(taken) > limit:
            raise Refused("it has a number of absurd length")
        return taken

    def literal(self, form: str) -> bytes | Blob:
        """Bytes that are preceded by their number; where there are many, only where they are."""
        return self._bytes(form, MAX_INLINE, text=False)

    def text(self, form: str) -> bytes | Blob:
        """The same for a text in UTF-8, of which more is read."""
        return self._bytes(form, MAX_TEXT, text=True)

    def old_text(self, form: str) -> bytes | Blob:
        """The same for a string of Python 2, which may be anything."""
        return self._bytes(form, MAX_TEXT, text=False)

    def _bytes(self, form: str, most: int, *, text: bool) -> bytes | Blob:
        count = self.number(form)
        if count <= most or self.position + count > len(self.data):
            return self.take(count)
        blob = Blob(self.position, count, text)
        self.position += count
        self.end = min(self.end + count, len(self.data))
        return blob

    # --- marks ---

    def mark(self) -> None:
        """Begins a list of items."""
        if len(self.marked) >= MAX_DEPTH:
            raise Refused(f"it is nested more than {MAX_DEPTH} deep")
        self.marked.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        """Ends it: the items that were pushed since. `stack` is another list afterwards."""
        items = self.stack
        self.stack = self.marked.pop()
        return items

    # --- globals and calls ---

    def ask(self, module: object, name: object) -> Record:
        """The record of a global whose two names were on the stack or in the file."""
        if isinstance(module, str) and isinstance(name, str):
            return self.known(f"{_PYTHON2_MODULES.get(module, module)}.{name}")
        return self.known(COMPUTED)

    def known(self, name: str) -> Record:
        """The record of a global, which is noted as asked for."""
        self.spend(_ENTRY + len(name))
        self.names.setdefault(name)
        if len(self.names) > _MAX_NAMES:
            raise Refused(f"it asks for more than {_MAX_NAMES} things")
        return self.made(name, None)

    def made(self, name: str, args: tuple[Any, ...] | None, keywords: dict[Any, Any] | None = None) -> Record:
        """A new record."""
        self.spend(_RECORD)
        return Record(name, args, keywords)

    def call(self, function: Any, args: Any, keywords: Any = None) -> Record:
        """The record of a call of whatever ``function`` is."""
        if not isinstance(args, tuple) or not isinstance(keywords, dict | None):
            raise Refused("it calls something with no proper arguments")
        if isinstance(function, Record) and function.args is None:
            name, given = _object(args) if function.name == RECONSTRUCTOR else (function.name, args)
            return self.made(name, given, keywords)
        if not isinstance(function, Record) or function.name != PERSISTENT:  # old files of whole modules keep classes outside
            self.known(COMPUTED_CALL)
        self.spend(_PLACE * len(args))  # which are written out once more
        return self.made(COMPUTED_CALL, (function, *args), keywords)

    def outside(self, key: object) -> None:
        """Pushes the record of something outside the pickle."""
        record = self.made(PERSISTENT, (key,))
        self.persistent.append(record)
        self.stack.append(record)

    # --- containers ---

    def remember(self, place: int) -> None:
        """Puts what is on top into the memo."""
        self.spend(_ENTRY)
        self.memo[place] = self.stack[-1]

    def key(self, key: Any) -> Any:
        """``key`` if hashing it is cheap and safe."""
        if isinstance(key, str | bytes):
            if len(key) > _MAX_KEY:
                raise Refused(f"a dict has a key of more than {_MAX_KEY} characters")
            return key
        if isinstance(key, int) and -(2**60) < key < 2**60:
            return key
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) > _MAX_KEY_TUPLE or not all(part is None or isinstance(part, _PLAIN) for part in parts):
            raise Refused("a dict has a key that is no plain value")
        self.odd_keys += 1
        if self.odd_keys > _MAX_ODD_KEYS:
            raise Refused(f"its dicts have more than {_MAX_ODD_KEYS} keys that are no text or small number")
        return tuple(self.key(part) for part in parts) if isinstance(key, tuple) else key

    def put(self, target: Any, flat: list[Any]) -> None:
        """Sets items of a dict or record, keys and values in turn."""
        self.spend(_TABLE + _ENTRY * (len(flat) // 2))
        pairs = [(self.key(flat[i]), flat[i + 1]) for i in range(0, len(flat), 2)]
        if isinstance(target, Record):
            target.entries = {} if target.entries is None else target.entries
            target.entries.update(pairs)
        elif isinstance(target, dict):
            target.update(pairs)
        else:
            raise Refused("it puts items into something that is no dict")

    def append(self, target: Any, values: list[Any]) -> None:
        """Appends to a list or record."""
        self.spend(_ENTRY)
        if isinstance(target, list):
            target.extend(values)
        elif isinstance(target, Record):
            target.items = [] if target.items is None else target.items
            target.items.extend(values)
        else:
            raise Refused("it appends to something that is no list")

    def build(self) -> None:
        """Gives the record below the top the state on top."""
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, Record) or target.args is None:
            raise Refused("it sets the state of something that is no object")
        target.state = state


def _object(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """A class's name and its arguments, from those of `RECONSTRUCTOR`: the class, its base, and what that is made of."""
    cls, content = (args[0], args[2]) if len(args) == 3 else (None, None)
    if not isinstance(cls, Record) or cls.args is not None:
        raise Refused("it makes an object of something that is no class")
    return cls.name, () if content is None else (content,)
