"""Folders of pictures: mixed sizes and modes are fine, broken files are set aside by name."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ganzoo.data.dataset import Dataset, Pictures, TensorPictures
from ganzoo.data.decode import decode
from ganzoo.errors import DataError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
MEMORY_LIMIT = 2 * 1024**3  # bytes of decoded pictures that are kept; larger sets are decoded when they are shown
_LISTED = 5
# What PIL raises on files that are no pictures or broken ones, decompression bombs included.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    TypeError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used, and why."""

    path: Path
    reason: str


class ImageFolder(Dataset):
    """The pictures in a folder and in the folders below it, in the order of their names.

    Hidden files and folders and files of other types are not looked at. Files that cannot be read are set aside in `skipped`.

    Args:
        path: The folder.
        name: How results cite it; the folder's name unless given.

    Raises:
        DataError: no such folder, not a folder, or no pictures in it.
    """

    def __init__(self, path: str | Path, *, name: str | None = None) -> None:
        self.path = Path(path)
        self.files = _picture_files(self.path)
        self.skipped: tuple[Skipped, ...] = ()
        self.name = self.path.resolve().name if name is None else name

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def sha256(self) -> str:
        """Hash of the relative names and the bytes of all files that are used."""
        digest = hashlib.sha256()
        for file in self.files:
            inner = hashlib.sha256(_read(file)).hexdigest()
            digest.update(f"{file.relative_to(self.path).as_posix()}\0{inner}\n".encode())
        return digest.hexdigest()

    def prepare(self, image_size: int, channels: int, *, progress: Callable[[int], object] | None = None) -> Pictures:
        """All pictures, decoded once into memory where they fit, else decoded when they are shown.

        Args:
            image_size: Pixels a side.
            channels: 1 (grey) or 3 (RGB).
            progress: Called with 1 after each file.

        Raises:
            DataError: none of the files can be read, or more than half of them cannot.
        """
        in_memory = len(self.files) * image_size * image_size * channels <= MEMORY_LIMIT
        good: list[Path] = []
        pixels: list[Tensor] = []
        skipped: list[Skipped] = []
        for file in self.files:
            try:
                decoded = _decode_file(file, image_size, channels)
            except _BROKEN as e:
                skipped.append(Skipped(file, _reason(e)))
            else:
                good.append(file)
                if in_memory:
                    pixels.append(decoded)
            if progress is not None:
                progress(1)
        self._set_aside(good, skipped)
        return TensorPictures(torch.stack(pixels)) if in_memory else _FilePictures(good, image_size, channels)

    def _set_aside(self, good: list[Path], skipped: list[Skipped]) -> None:
        if len(skipped) > len(good):
            listed = "".join(f"\n  {s.path.name}: {s.reason}" for s in skipped[:_LISTED])
            more = f"\n  and {len(skipped) - _LISTED} more" if len(skipped) > _LISTED else ""
            what = "None" if not good else f"Only {len(good)}"
            raise DataError(
                f"{what} of the {len(self.files)} picture files in {self.path} can be read:{listed}{more}",
                hint="Remove or repair these files, then start again.",
            )
        if skipped:
            self.files, self.skipped = tuple(good), (*self.skipped, *skipped)
            self.__dict__.pop("sha256", None)


class _FilePictures:
    """Pictures decoded when they are asked for."""

    def __init__(self, files: Sequence[Path], image_size: int, channels: int) -> None:
        self.files, self.image_size, self.channels = tuple(files), image_size, channels

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, indices: Tensor) -> Tensor:
        return torch.stack([self._one(self.files[i]) for i in indices.tolist()])

    def _one(self, file: Path) -> Tensor:
        try:
            return _decode_file(file, self.image_size, self.channels)
        except _BROKEN as e:
            raise DataError(
                f"{file} could be read when the run began and cannot be read now: {_reason(e)}.",
                hint="Put the file back as it was, then resume the run.",
            ) from e


def _picture_files(folder: Path) -> tuple[Path, ...]:
    if not folder.exists():
        raise DataError(f"There is no folder {folder}.", hint="Give a folder of pictures or the name of a data set.")
    if not folder.is_dir():
        raise DataError(f"{folder} is a file, not a folder of pictures.", hint=f"Give its folder: {folder.parent}")
    found = (p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
    files = sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    if not files:
        raise DataError(
            f"There are no pictures in {folder}.",
            hint=f"Looked in it and in the folders below it for {', '.join(PICTURE_SUFFIXES)}.",
        )
    return tuple(files)


def _decode_file(file: Path, image_size: int, channels: int) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")  # damaged EXIF and the like: the pixels are what counts
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return decode(file.read_bytes(), image_size, channels)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as e:
        raise DataError(f"{file} cannot be read: {e.strerror or e}.") from e


def _reason(e: BaseException) -> str:
    if isinstance(e, UnidentifiedImageError):
        return "not a picture, whatever its name says"
    if isinstance(e, OSError) and e.strerror:
        return e.strerror
    return str(e) or type(e).__name__
