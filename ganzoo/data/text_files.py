"""Sentences from files, a line at a time: plain text (``.txt``) and JSON lines (``.jsonl``), both strictly UTF-8."""

import codecs
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ganzoo.errors import DataError

TEXT_SUFFIXES = (".txt", ".jsonl")
FIELD = "text"
LONGEST = 2**20  # bytes of a line: more is no sentence, and a file without line ends must not fill the memory
_MARKS = (  # the longer ones first: that of UTF-32 begins as that of UTF-16 does
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_BREAKS = ("Cc", "Zl", "Zp")  # control characters, line and paragraph separators


@dataclass(frozen=True)
class Lines:
    """What a file holds.

    Attributes:
        texts: One sentence each, on one line, without white space around it.
        blank: Lines without text, which were left out.
        cleaned: Lines with control characters, which became spaces.
    """

    texts: tuple[str, ...]
    blank: int
    cleaned: int


def read_lines(path: Path) -> Lines:
    """The sentences of a ``.txt`` file, one a line, or of a ``.jsonl`` file, the field ``text`` of each line's object.

    Raises:
        DataError: no such file, no sentence in it, or a line that cannot be used; the message names it.
    """
    texts: list[str] = []
    blank = cleaned = 0
    jsonl = path.suffix.lower() == ".jsonl"
    for number, line in _numbered(path):
        where = f"{path}, line {number}"
        text = _field(line, where) if jsonl and not line.isspace() else line
        clean = one_line(text)
        cleaned += clean != text.strip()
        blank += not clean
        texts += [clean] if clean else []
    if not texts:
        raise DataError(f"There is no text in {path}.", hint="It needs one sentence a line.")
    return Lines(tuple(texts), blank, cleaned)


def one_line(text: str) -> str:
    """``text`` with its control characters and line breaks as spaces, and without white space around it."""
    text = text.strip()
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(c) in _BREAKS else c for c in text).strip()


def check_utf8(text: str, where: str) -> None:
    """Makes sure that ``text``, which stands ``where`` the error says, can be written as UTF-8.

    Raises:
        DataError: it cannot.
    """
    try:
        text.encode()
    except UnicodeEncodeError as e:
        raise DataError(f"{where} holds half of a surrogate pair, which is no text.") from e


def _numbered(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, from 1. Only a line feed ends one: other separators may stand inside a sentence."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), b""), start=1):
                if number == 1:
                    _check_first(line, path)
                if len(line) > LONGEST:
                    raise DataError(f"{path}, line {number} has more than {LONGEST} bytes; that is no sentence.")
                yield number, _decoded(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line, path, number)
    except OSError as e:
        raise DataError(f"{path} cannot be read: {e.strerror or e}.", hint="Give a .txt or .jsonl file.") from e


def _check_first(line: bytes, path: Path) -> None:
    """Recognises two ways to write a file that are not ours by its first line, for which nothing is wrong with one line."""
    encoding = next((name for mark, name in _MARKS if line.startswith(mark)), None)
    if encoding is not None:
        raise DataError(
            f"{path} is {encoding}, not UTF-8.", hint=f"Convert it first: iconv -f {encoding} -t UTF-8 old.txt > new.txt"
        )
    if not line.endswith(b"\n") and b"\r" in line.rstrip(b"\r"):
        raise DataError(
            f"{path} ends its lines in carriage returns alone.", hint="Convert it first: tr '\\r' '\\n' < old.txt > new.txt"
        )


def _decoded(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as e:
        raise DataError(
            f"{path}, line {number} is not UTF-8: byte 0x{line[e.start]:02x} at position {e.start + 1}.",
            hint="Convert the file first, e.g.: iconv -f WINDOWS-1252 -t UTF-8 old.txt > new.txt",
        ) from e


def _field(line: str, where: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as e:
        raise DataError(f"{where} is no JSON: {e}.") from e
    text = value.get(FIELD) if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise DataError(f"{where} has no text.", hint=f'Each line is an object with the field {FIELD}: {{"{FIELD}": "…"}}')
    check_utf8(text, where)
    return text
