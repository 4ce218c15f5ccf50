"""Picture files made ready for training once: cropped, scaled and written as PNG, with their classes and captions."""

import hashlib
import os
import shutil
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import msgspec
from PIL import Image, ImageOps

from ganzoo.data.dataset import Skipped
from ganzoo.data.decode import BROKEN, read_picture, reason, strict_warnings
from ganzoo.data.decoding import in_order
from ganzoo.data.files import PictureFiles
from ganzoo.data.labels import INDEX
from ganzoo.data.pictures import PictureDataset
from ganzoo.errors import DataError, OutputError
from ganzoo.paths import check_parent, temporary_path

Crop = Literal["center", "pad", "none"]
CROPS: tuple[Crop, ...] = ("center", "pad", "none")
_SHARD = 1000  # pictures in a folder
_BESIDE = (".json", ".jsonl", ".txt")  # files of classes and captions
_LISTED = 8  # suffixes
_FILTER = Image.Resampling.BICUBIC  # as pictures are read for training: preparing them first changes no pixel


@dataclass(frozen=True)
class Wanted:
    """What pictures become.

    Attributes:
        size: Width and height in pixels; None keeps the size of each.
        crop: How another aspect ratio is dealt with: ``center`` scales until the shape is filled and cuts off the rest,
            ``pad`` scales until it fits and fills up with white, ``none`` squeezes. Without a size, the first two make squares.
        mode: ``RGB`` or ``L`` (grey).
    """

    size: tuple[int, int] | None = None
    crop: Crop = "center"
    mode: Literal["RGB", "L"] = "RGB"


@dataclass(frozen=True)
class Prepared:
    """What was written, and what was not.

    Attributes:
        path: The folder or zip file.
        pictures: How many are in it.
        skipped: Files that could not be used, and why.
        notes: What a person should know about those that were used, with how many it concerns.
    """

    path: Path
    pictures: int
    skipped: tuple[Skipped, ...]
    notes: dict[str, int]


@dataclass(frozen=True)
class _Made:
    name: str
    png: bytes = b""
    sha256: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()


def prepare_pictures(
    data: PictureDataset, target: Path, wanted: Wanted, *, progress: Callable[[int], object] | None = None
) -> Prepared:
    """Writes the pictures of ``data`` to ``target``: a zip file if it is called ``….zip``, else a folder.

    Scaling is bicubic with antialiasing, on the stored values (gamma-encoded sRGB, as all published figures have it; colour
    profiles are not applied). The first frame of an animation is used, transparency is laid on white, EXIF orientations are
    applied. Beside ``00000/img00000000.png`` and so on goes ``dataset.json`` with classes, captions and the original names.
    Nothing is overwritten, and nothing is left if anything fails.

    Raises:
        OutputError: ``target`` exists or cannot be written, or the disk is full.
        DataError: no picture can be read.
    """
    if target.exists() or target.is_symlink():
        raise OutputError(f"{target} exists already; nothing is overwritten.", hint="Give another name, or remove it first.")
    check_parent(target)
    try:
        with (_ZipOutput if target.suffix.lower() == ".zip" else _FolderOutput)(target) as output:
            prepared = _write(data, target, output, wanted, progress)
            output.commit()
            return prepared
    except OSError as e:
        if isinstance(e, OutputError):
            raise
        raise OutputError(f"{target} cannot be written: {reason(e)}.", hint="Nothing of it was left behind.") from e


def _write(
    data: PictureDataset, target: Path, output: "_Output", wanted: Wanted, progress: Callable[[int], object] | None
) -> Prepared:
    written: list[str] = []
    skipped: list[Skipped] = []
    notes = Counter(_others(data.source))
    seen: set[str] = set()
    with strict_warnings(), closing(in_order(lambda name: _make(data.source, name, wanted), data.names)) as results:
        for made in results:
            if made.problem:
                skipped.append(Skipped(data.source.locate(made.name), made.problem))
            else:
                output.add(_new_name(len(written)), made.png)
                written.append(made.name)
                notes.update(made.notes)
                notes.update(["copies of another file, kept"] if made.sha256 in seen else [])
                seen.add(made.sha256)
            if progress is not None:
                progress(1)
    if not written:
        first = f"{skipped[0].path.name}: {skipped[0].reason}"
        raise DataError(f"None of the {len(data)} picture files in {data.path} can be read; the first is {first}.")
    output.add(INDEX, msgspec.json.encode(_index(data, written)))
    return Prepared(target, len(written), tuple(skipped), dict(notes))


def _make(files: PictureFiles, name: str, wanted: Wanted) -> _Made:
    try:
        content = files.read(name)
        picture = read_picture(content, wanted.mode)
        with Image.open(BytesIO(content)) as file:
            animated = getattr(file, "is_animated", False)
        shaped = _shaped(picture, wanted)
    except BROKEN as e:
        return _Made(name, problem=reason(e))
    small = wanted.size is not None and (picture.width < wanted.size[0] or picture.height < wanted.size[1])
    notes = [
        *(["animated, first frame used"] if animated else []),
        *(["smaller than the wanted size, enlarged"] if small else []),
    ]
    target = BytesIO()
    shaped.save(target, "png")
    return _Made(name, target.getvalue(), hashlib.sha256(content).hexdigest(), notes=tuple(notes))


def _shaped(picture: Image.Image, wanted: Wanted) -> Image.Image:
    if wanted.crop == "none":
        return picture if wanted.size is None else picture.resize(wanted.size, _FILTER)
    side = (min if wanted.crop == "center" else max)(picture.size)
    if wanted.size is None and Image.MAX_IMAGE_PIXELS is not None and side**2 > Image.MAX_IMAGE_PIXELS:
        raise ValueError(f"would become a picture of {side}x{side} pixels, too large to be read again")
    size = (side, side) if wanted.size is None else wanted.size
    if wanted.crop == "center":
        return ImageOps.fit(picture, size, _FILTER)
    return ImageOps.pad(picture, size, _FILTER, color="white")


def _index(data: PictureDataset, written: Sequence[str]) -> dict[str, Any]:
    rows = {name: row for row, name in enumerate(data.names)}
    chosen = [(_new_name(i), rows[name]) for i, name in enumerate(written)]
    index: dict[str, Any] = {"labels": None}
    if data.labels is not None:
        labels = data.labels.tolist()
        index["labels"] = [[new, labels[row]] for new, row in chosen]
        index["class_names"] = [_readable(name) for name in data.class_names]
    if data.captions is not None:
        index["captions"] = [[new, list(data.captions[row])] for new, row in chosen]
    return {**index, "sources": [[new, _readable(data.names[row])] for new, row in chosen]}


def _others(files: PictureFiles) -> dict[str, int]:
    """Files that are neither pictures by their names nor say anything about them: a note with their suffixes and number."""
    known = set(files.pictures())
    suffixes = Counter(PurePosixPath(name).suffix.lower() or "none" for name in files.names if name not in known)
    left = {suffix: count for suffix, count in suffixes.most_common() if suffix not in _BESIDE}
    if not left:
        return {}
    listed = ", ".join([*left][:_LISTED]) + (", …" if len(left) > _LISTED else "")
    return {f"no pictures by their suffix ({listed}), left out": sum(left.values())}


def _readable(name: str) -> str:
    """The name of a file for JSON, which holds text only; bytes that are no text are written as numbers."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _new_name(number: int) -> str:
    return f"{number // _SHARD:05}/img{number:08}.png"


class _Output(ABC):
    """Something that is written beside the target and takes its name at last, or goes away."""

    def __init__(self, target: Path) -> None:
        self.target, self.temporary = target, temporary_path(target)

    @abstractmethod
    def add(self, name: str, content: bytes) -> None:
        """Writes one file."""

    def commit(self) -> None:
        """Puts the result in its place."""
        if self.target.exists():
            raise OutputError(f"{self.target} was made by somebody else meanwhile; nothing is overwritten.")
        self.temporary.rename(self.target)

    @abstractmethod
    def remove(self) -> None:
        """Removes what is not in its place."""

    def __enter__(self) -> "_Output":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class _FolderOutput(_Output):
    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self.temporary.mkdir()

    def add(self, name: str, content: bytes) -> None:
        file = self.temporary / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)

    def remove(self) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)


class _ZipOutput(_Output):
    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self._file = os.fdopen(os.open(self.temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666), "w+b")
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)  # PNG is compressed already

    def add(self, name: str, content: bytes) -> None:
        # One date for all: the same pictures give the same file.
        self._archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)

    def commit(self) -> None:
        self._archive.close()
        self._file.close()
        super().commit()

    def remove(self) -> None:
        try:
            self._archive.close()
            self._file.close()
        except OSError:
            self._file.close()
        finally:
            self.temporary.unlink(missing_ok=True)
