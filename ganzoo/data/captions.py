"""Texts of pictures: in ``dataset.json``, in ``metadata.jsonl``, or in a text file beside each picture."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, overload

import msgspec

from ganzoo.data.files import PictureFiles
from ganzoo.data.labels import CAPTIONS, INDEX, read_index, read_text
from ganzoo.errors import DataError

METADATA = "metadata.jsonl"
FIELDS = ("text", "caption", "captions")
Texts = tuple[str, ...]


class ListedCaptions(Sequence[Texts]):
    """Captions that one file lists, for the pictures ``names`` in this order; those that it does not list have none."""

    def __init__(self, listed: dict[str, Texts], names: Sequence[str]) -> None:
        self._listed, self._names = listed, tuple(names)

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> Texts: ...
    @overload
    def __getitem__(self, index: slice) -> list[Texts]: ...
    def __getitem__(self, index: int | slice) -> Texts | list[Texts]:
        if isinstance(index, slice):
            return [self._one(name) for name in self._names[index]]
        return self._one(self._names[index])

    def of(self, names: Sequence[str]) -> "ListedCaptions":
        """The captions of other pictures."""
        return ListedCaptions(self._listed, names)

    def _one(self, name: str) -> Texts:
        return self._listed.get(name, ())


class TextFileCaptions(ListedCaptions):
    """Captions in ``x.txt`` beside ``x.png``, one a line, read when they are asked for.

    Raises:
        DataError: (when asked for) a text that cannot be read or is not UTF-8.
    """

    def __init__(self, files: PictureFiles, names: Sequence[str]) -> None:
        super().__init__({}, names)
        self._files, self._known = files, frozenset(files.names)

    def of(self, names: Sequence[str]) -> "TextFileCaptions":
        """The captions of other pictures."""
        return TextFileCaptions(self._files, names)

    def _one(self, name: str) -> Texts:
        beside = _beside(name)
        if beside not in self._known:
            return ()
        try:
            text = self._files.read(beside).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as e:
            raise DataError(
                f"The captions in {self._files.locate(beside)} cannot be read: {e}.", hint="Save the file as UTF-8."
            ) from e
        return tuple(line.strip() for line in text.splitlines() if line.strip())


def find_captions(files: PictureFiles) -> ListedCaptions | None:
    """The captions of the pictures in ``files``, or None where there are none; the first of these that exists says them all.

    ``"captions"`` in ``dataset.json`` at the top (``[["a/1.png", ["a cat", …]], …]``); ``metadata.jsonl`` at the top or in any
    folder, as Hugging Face has it: lines of ``{"file_name": "1.png", "text": "a cat"}``, the file named from there, the texts
    under ``text``, ``caption`` or ``captions``, one or a list; text files beside the pictures.

    Raises:
        DataError: a file of another form, or one that lists pictures that are not there.
    """
    pictures = files.pictures()
    if INDEX in files.names and isinstance(indexed := read_index(files).get(CAPTIONS), list):
        return ListedCaptions(_from_index(files, indexed), pictures)
    metadata = [name for name in files.names if PurePosixPath(name).name == METADATA]
    if metadata:
        listed = {picture: texts for name in metadata for picture, texts in _from_metadata(files, name)}
        return ListedCaptions(listed, pictures) if any(listed.values()) else None
    known = set(files.names)
    if any(_beside(name) in known for name in pictures):
        return TextFileCaptions(files, pictures)
    return None


def _beside(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(".txt"))


def _from_index(files: PictureFiles, entries: list[Any]) -> dict[str, Texts]:
    known = set(files.pictures())
    listed: dict[str, Texts] = {}
    for entry in entries:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
            raise _wrong(files, INDEX, f"{str(entry)[:60]} is not a pair of a picture and its captions")
        listed[_there(files, INDEX, entry[0], known)] = _texts(files, INDEX, entry[1])
    return listed


def _from_metadata(files: PictureFiles, name: str) -> Iterator[tuple[str, Texts]]:
    folder, known = PurePosixPath(name).parent, set(files.pictures())
    try:
        lines = read_text(files, name).splitlines()
    except OSError as e:
        raise _wrong(files, name, str(e)) from e
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            entry = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
            raise _wrong(files, where, str(e)) from e
        if not isinstance(entry.get("file_name"), str):
            raise _wrong(files, where, "there is no file_name")
        picture = _there(files, where, str(folder / entry["file_name"]), known)
        field = next((field for field in FIELDS if entry.get(field) is not None), None)
        yield picture, () if field is None else _texts(files, where, entry[field])


def _there(files: PictureFiles, where: str, picture: str, known: set[str]) -> str:
    if picture not in known:
        raise _wrong(files, where, f"the picture {picture} is not there")
    return picture


def _texts(files: PictureFiles, where: str, value: Any) -> Texts:
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise _wrong(files, where, f"{str(value)[:60]} is not a text or a list of texts")
    return tuple(texts)


def _wrong(files: PictureFiles, where: str, problem: str) -> DataError:
    return DataError(f"The captions in {files.locate(where)} cannot be used: {problem}.")
