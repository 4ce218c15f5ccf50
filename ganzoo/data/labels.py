"""Classes of pictures: from a ``dataset.json`` beside them, else from the folders that they lie in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ganzoo.data.files import PictureFiles
from ganzoo.errors import DataError

INDEX = "dataset.json"
CAPTIONS = "captions"  # its other entry, see ganzoo.data.captions
_LISTED = 3
_MOST = 2**31  # classes; a larger number is a mistake
_MARK = b"\xef\xbb\xbf"  # that some editors put before UTF-8


@dataclass(frozen=True)
class Labels:
    """The class of each picture by name, and what the classes are called (nothing, where they only have numbers).

    Attributes:
        classes: Picture to class, from 0.
        class_names: Names of the classes in the order of their numbers.
        listed: Whether a file says so, rather than the folders: then the names of the pictures do not tell their classes.
    """

    classes: Mapping[str, int]
    class_names: tuple[str, ...] = ()
    listed: bool = False


def find_labels(files: PictureFiles) -> Labels | None:
    """The classes of the pictures in ``files``, or None where nothing tells them.

    A ``dataset.json`` at the top says them in NVIDIA's form, ``{"labels": [["a/1.png", 3], …]}``, with names in an optional
    ``"class_names": ["cat", …]``, or in a simple one, ``{"a/1.png": "cat", …}``. Without labels in it, the folders at the top
    are the classes, if every picture lies in one and there are at least two; ``{"labels": null}`` says that there are none.

    Raises:
        DataError: a file of another form; pictures that are listed and not there, or there and not listed; classes that
            disagree with the folders.
    """
    pictures = files.pictures()
    content = read_index(files) if INDEX in files.names else {CAPTIONS: None}
    if "labels" in content:
        if content["labels"] is None:
            return None
        classes, class_names = _nvidia(files, content["labels"], content.get("class_names", []))
    elif CAPTIONS in content:
        return _from_folders(pictures)
    else:
        classes, class_names = _simple(files, content)
    where = str(files.locate(INDEX))
    known = set(pictures)
    _refuse(where, "lists pictures that are not there", [name for name in classes if name not in known])
    _refuse(where, "does not list the pictures", [name for name in pictures if name not in classes])
    if class_names:
        _check_folders(where, classes, class_names)
    return Labels(classes, class_names, listed=True)


def read_index(files: PictureFiles) -> Any:
    """The content of ``dataset.json``.

    Raises:
        DataError: it is no JSON object, or cannot be read.
    """
    try:
        content = msgspec.json.decode(read_text(files, INDEX))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise DataError(f"{files.locate(INDEX)} cannot be read as JSON: {e}.") from e
    if not isinstance(content, dict):
        raise _wrong_form(files, "it is not an object")
    return content


def read_text(files: PictureFiles, name: str) -> bytes:
    """The content of a file in UTF-8, without the mark that some editors put before it.

    Raises:
        OSError: it cannot be read.
    """
    return files.read(name).removeprefix(_MARK)


def is_class(value: object) -> bool:
    """Whether it is the number of a class."""
    return type(value) is int and 0 <= value < _MOST


def _nvidia(files: PictureFiles, labels: Any, class_names: Any) -> tuple[dict[str, int], tuple[str, ...]]:
    classes: dict[str, int] = {}
    for entry in labels if isinstance(labels, list) else [labels]:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
            raise _wrong_form(files, f"{_short(entry)} is not a pair of a picture and a class")
        name, label = entry
        if not is_class(label):
            raise _wrong_form(
                files, f"the class of {_short(name)} is {_short(label)}, not a whole number from 0 to {_MOST - 1}"
            )
        if name in classes:
            raise _wrong_form(files, f"{_short(name)} is listed twice")
        classes[name] = label
    if not isinstance(class_names, list) or not all(isinstance(name, str) for name in class_names):
        raise _wrong_form(files, "class_names is not a list of names")
    if class_names and max(classes.values(), default=0) >= len(class_names):
        raise _wrong_form(files, f"there is a class {max(classes.values())}, but only {len(class_names)} class_names")
    return classes, tuple(class_names)


def _simple(files: PictureFiles, content: dict[str, Any]) -> tuple[dict[str, int], tuple[str, ...]]:
    wrong = [name for name, label in content.items() if not isinstance(label, str)]
    if wrong:
        raise _wrong_form(files, f"the class of {_short(wrong[0])} is {_short(content[wrong[0]])}, not a name")
    class_names = tuple(sorted(set(content.values())))
    numbers = {name: number for number, name in enumerate(class_names)}
    return {name: numbers[label] for name, label in content.items()}, class_names


def _from_folders(pictures: Sequence[str]) -> Labels | None:
    folders = [name.partition("/")[0] if "/" in name else "" for name in pictures]
    class_names = tuple(sorted(set(folders)))
    if len(class_names) < 2 or "" in class_names:
        return None
    numbers = {name: number for number, name in enumerate(class_names)}
    return Labels({name: numbers[folder] for name, folder in zip(pictures, folders, strict=True)}, class_names)


def _check_folders(where: str, classes: Mapping[str, int], class_names: tuple[str, ...]) -> None:
    """A folder that is called like a class holds that class; folders of other names say nothing."""
    known = set(class_names)
    wrong = [
        f"{name} ({class_names[label]})"
        for name, label in classes.items()
        if (folder := name.partition("/")[0]) in known and "/" in name and folder != class_names[label]
    ]
    _refuse(where, "disagrees with the folders, which are called like classes, about", wrong)


def _refuse(where: str, problem: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        raise DataError(
            f"{where} {problem}: {', '.join(names[:_LISTED])}{more}.",
            hint=f"Correct {INDEX}, or remove it to use the folders as classes.",
        )


def _wrong_form(files: PictureFiles, problem: str) -> DataError:
    return DataError(
        f"{files.locate(INDEX)} is not in a form that says the classes of pictures: {problem}.",
        hint='Use {"labels": [["a/1.png", 3], …]} or {"a/1.png": "cat", …}.',
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
