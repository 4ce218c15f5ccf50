"""What each opcode of a pickle, of every protocol from 0 to 5, does to the machine."""

import re
import struct
from collections.abc import Callable
from typing import Any

from ganzoo.checkpoint.pickle_state import Blob, Machine, Record, Refused

_MAX_LONG = 256  # bytes of one integer
_MAX_LINE = 640  # characters of a number written as text
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _push(read: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        m.stack.append(read(m))

    return action


def _constant(value: Any) -> Callable[[Machine], None]:
    return _push(lambda _: value)


def _ignore(count: int) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        m.take(count)

    return action


def _text(raw: bytes) -> str | bytes:
    """A string of Python 2, which knew no difference between text and bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _quoted(m: Machine) -> str | bytes:
    raw = m.line().strip()
    if len(raw) < 2 or raw[:1] != raw[-1:] or raw[:1] not in (b"'", b'"'):
        raise Refused("it has a string without quotes")
    return _text(_ESCAPE.sub(_unescaped, raw[1:-1]))


def _unescaped(found: re.Match[bytes]) -> bytes:
    letter = found[1]
    return bytes([int(letter[1:], 16)]) if letter[:1] == b"x" and len(letter) == 3 else _ESCAPED.get(letter, letter)


def _utf8(raw: bytes) -> str:
    """Half a surrogate pair, which pickle writes and no other format can, is spelt out."""
    return raw.decode("utf-8", "backslashreplace")


def _new_text(m: Machine, form: str) -> str | Blob:
    raw = m.text(form)
    return raw if isinstance(raw, Blob) else _utf8(raw)


def _old_text(m: Machine, form: str) -> str | bytes | Blob:
    raw = m.old_text(form)
    return raw if isinstance(raw, Blob) else _text(raw)


def _unicode_line(m: Machine) -> str:
    return _utf8(m.line().decode("raw-unicode-escape").encode("utf-8", "surrogatepass"))


def _integer_text(m: Machine) -> int:
    raw = m.line(_MAX_LINE)
    return raw == b"01" if raw in (b"00", b"01") else int(raw)  # how protocol 0 writes False and True


def _long_text(m: Machine) -> int:
    return int(m.line(_MAX_LINE).removesuffix(b"L"))


def _long(form: str) -> Callable[[Machine], int]:
    def read(m: Machine) -> int:
        count = m.number(form)
        if not 0 <= count <= _MAX_LONG:
            raise Refused("it has a number of absurd length")
        return int.from_bytes(m.take(count), "little", signed=True)

    return read


def _read_global(m: Machine) -> Record:
    return m.ask(*(_utf8(m.line()) for _ in range(2)))


def _stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    m.stack.append(m.ask(module, name))


def _extension(form: str) -> Callable[[Machine], Record]:
    return lambda m: m.known(f"<extension registry code {m.number(form)}>")


def _reduce(m: Machine) -> None:
    args, function = m.stack.pop(), m.stack.pop()
    m.stack.append(m.call(function, args))


def _newobj_ex(m: Machine) -> None:
    keywords, args, cls = m.stack.pop(), m.stack.pop(), m.stack.pop()
    m.stack.append(m.call(cls, args, keywords))


def _inst(m: Machine) -> None:
    cls = _read_global(m)
    args = tuple(m.since_mark())
    m.stack.append(m.call(cls, args))


def _obj(m: Machine) -> None:
    cls, *args = m.since_mark()
    m.stack.append(m.call(cls, tuple(args)))


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        if len(m.stack) < count:
            raise Refused("it takes more from its stack than there is")
        m.stack[-count:] = [tuple(m.stack[-count:])]

    return action


def _collect(make: Callable[[list[Any]], Any]) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        made = make(m.since_mark())
        m.stack.append(made)  # since_mark has put another list in the place of m.stack

    return action


def _frozenset(m: Machine) -> None:
    items = m.since_mark()
    m.stack.append(m.made("builtins.frozenset", (items,)))


def _dict(m: Machine) -> None:
    made: dict[Any, Any] = {}
    m.put(made, m.since_mark())
    m.stack.append(made)


def _set_item(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    m.put(m.stack[-1], [key, value])


def _set_items(m: Machine) -> None:
    flat = m.since_mark()
    m.put(m.stack[-1], flat)


def _append(m: Machine) -> None:
    value = m.stack.pop()
    m.append(m.stack[-1], [value])


def _appends(m: Machine) -> None:
    values = m.since_mark()
    m.append(m.stack[-1], values)


def _pop(m: Machine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.since_mark()


def _pop_mark(m: Machine) -> None:
    m.since_mark()


def _put(read: Callable[[Machine], int]) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        m.remember(read(m))

    return action


def _get(read: Callable[[Machine], int]) -> Callable[[Machine], None]:
    return _push(lambda m: m.memo[read(m)])


def _refuse_buffer(_: Machine) -> None:
    raise Refused("it needs buffers that are not in it")


def _read(form: str) -> Callable[[Machine], int]:
    return lambda m: m.number(form)


_U1, _U2, _I4, _U4, _U8 = (_read(form) for form in ("<B", "<H", "<i", "<I", "<Q"))
_ACTIONS: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": _ignore(1),
    b"\x95": _ignore(8),
    b"(": Machine.mark,
    b"0": _pop,
    b"1": _pop_mark,
    b"2": _push(lambda m: m.stack[-1]),
    # literals
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _push(_integer_text),
    b"L": _push(_long_text),
    b"J": _push(_I4),
    b"K": _push(_U1),
    b"M": _push(_U2),
    b"\x8a": _push(_long("<B")),
    b"\x8b": _push(_long("<i")),
    b"F": _push(lambda m: float(m.line(_MAX_LINE))),
    b"G": _push(lambda m: struct.unpack(">d", m.take(8))[0]),
    b"S": _push(_quoted),
    b"T": _push(lambda m: _old_text(m, "<i")),
    b"U": _push(lambda m: _old_text(m, "<B")),
    b"V": _push(_unicode_line),
    b"X": _push(lambda m: _new_text(m, "<I")),
    b"\x8c": _push(lambda m: _new_text(m, "<B")),
    b"\x8d": _push(lambda m: _new_text(m, "<Q")),
    b"B": _push(lambda m: m.literal("<I")),
    b"C": _push(lambda m: m.literal("<B")),
    b"\x8e": _push(lambda m: m.literal("<Q")),
    b"\x96": _push(lambda m: m.literal("<Q")),  # a bytearray, which nobody will change
    b"\x97": _refuse_buffer,
    b"\x98": _refuse_buffer,
    # containers
    b")": _constant(()),
    b"\x85": _tuple_of(1),
    b"\x86": _tuple_of(2),
    b"\x87": _tuple_of(3),
    b"t": _collect(tuple),
    b"]": _push(lambda _: []),
    b"l": _collect(list),
    b"a": _append,
    b"e": _appends,
    b"}": _push(lambda _: {}),
    b"d": _dict,
    b"s": _set_item,
    b"u": _set_items,
    b"\x8f": _push(lambda m: m.made("builtins.set", ())),
    b"\x90": _appends,
    b"\x91": _frozenset,
    # the memo
    b"p": _put(lambda m: int(m.line(_MAX_LINE))),
    b"q": _put(_U1),
    b"r": _put(_U4),
    b"\x94": lambda m: m.remember(len(m.memo)),
    b"g": _get(lambda m: int(m.line(_MAX_LINE))),
    b"h": _get(_U1),
    b"j": _get(_U4),
    # globals, calls, and what lies outside
    b"c": _push(_read_global),
    b"\x93": _stack_global,
    b"\x82": _push(_extension("<B")),
    b"\x83": _push(_extension("<H")),
    b"\x84": _push(_extension("<i")),
    b"R": _reduce,
    b"\x81": _reduce,
    b"\x92": _newobj_ex,
    b"i": _inst,
    b"o": _obj,
    b"b": Machine.build,
    b"P": lambda m: m.outside(_utf8(m.line())),
    b"Q": lambda m: m.outside(m.stack.pop()),
}
TABLE: list[Callable[[Machine], None] | None] = [_ACTIONS.get(bytes([code])) for code in range(256)]
