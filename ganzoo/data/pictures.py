"""Data sets of picture files: mixed sizes and modes are fine, broken files are set aside by name."""

import hashlib
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganzoo.data.captions import ListedCaptions, find_captions
from ganzoo.data.dataset import Dataset, Examples, Skipped, TensorExamples, picture_shape
from ganzoo.data.decode import BROKEN, Pixels, Shape, decode, reason, strict_warnings
from ganzoo.data.decoding import decode_all, hash_all, in_order
from ganzoo.data.files import PICTURE_SUFFIXES, FolderFiles, PictureFiles, ZipFiles
from ganzoo.data.labels import Labels, find_labels
from ganzoo.data.picture_cache import EntryWriter, Survey, entry_file, open_entry, read_survey, write_survey
from ganzoo.data.text_files import TEXT_SUFFIXES
from ganzoo.errors import CacheWarning, DataError

MEMORY_LIMIT = 2 * 2**30  # bytes of decoded pictures that are kept in memory where the cache cannot be used
_LISTED = 5
Progress = Callable[[int], object]


class PictureDataset(Dataset):
    """The pictures among some files, in the order of their names, with the classes and captions that the files tell.

    Files that cannot be read are set aside in `skipped` when the pictures are prepared; `labels` and `captions` follow.

    Args:
        source: Where the pictures are.
        labels: The class of every picture.
        captions: Their texts.
        name: How results cite it; the name of the folder or archive unless given.

    Attributes:
        source: Where the pictures are.
        names: Those that are used, by their names in it.

    Raises:
        DataError: no pictures.
    """

    def __init__(
        self,
        source: PictureFiles,
        *,
        labels: Labels | None = None,
        captions: ListedCaptions | None = None,
        name: str | None = None,
    ) -> None:
        self.source = source
        self.names = source.pictures()
        if not self.names:
            raise DataError(
                f"There are no pictures in {source.path}.",
                hint=f"Looked in it and in the folders below it for {', '.join(PICTURE_SUFFIXES)}; "
                f"sentences come in one {' or '.join(TEXT_SUFFIXES)} file, not in a folder.",
            )
        self.path, self.name = source.path, source.name if name is None else name
        self._labels, self._listed_captions = labels, captions
        self.class_names = () if labels is None else labels.class_names
        self._sha256: str | None = None
        self._problems: dict[str, str] = {}
        self._lasting = True  # whether what is wrong with files is in their content, and not on the way to it
        self._use(self.names)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def files(self) -> tuple[Path, ...]:
        """The pictures that are used."""
        return tuple(self.source.locate(name) for name in self.names)

    @property
    def sha256(self) -> str:
        """Hash of the relative names and the bytes of all pictures that are used, and of the classes that a file lists."""
        if self._sha256 is None:
            survey = read_survey(self.source.fingerprint())
            try:
                self._sha256 = self._content_hash(hash_all(self.source, self.names)) if survey is None else survey.sha256
            except OSError as e:
                raise DataError(f"A picture in {self.path} cannot be read: {reason(e)}.") from e
        return self._sha256

    def prepare(self, shape: tuple[int, ...], *, progress: Progress | None = None) -> Examples:
        """All pictures, from ganzoo's cache if they were prepared before; else decoded once, by several threads, into it.

        Where the cache cannot be written they are kept in memory, and decoded when they are shown if there are too many.

        Args:
            shape: Channels (1 or 3), height and width.
            progress: Called with 1 after each file.

        Raises:
            DataError: none of the files can be read, or more than half of them cannot.
        """
        wanted = picture_shape(shape, self.name)
        fingerprint = self.source.fingerprint()
        survey = read_survey(fingerprint)
        if survey is not None:
            self._set_aside(dict(survey.skipped), survey.sha256)
            stored = open_entry(entry_file(survey.sha256, wanted), len(self), wanted)
            if stored is not None:
                return stored
        cached = self._cached(wanted, fingerprint, progress)
        return self._without_cache(wanted, progress) if cached is None else cached

    def _cached(self, shape: Shape, fingerprint: str | None, progress: Progress | None) -> Examples | None:
        """The pictures decoded into the cache; None where that cannot be written."""
        try:
            with EntryWriter(len(self) * math.prod(shape)) as writer:
                self._decode_to(writer.add, shape, progress)
                file = entry_file(self.sha256, shape)
                writer.commit(file)
        except OSError as e:
            warnings.warn(f"The decoded pictures of {self.name} are not cached: {reason(e)}.", CacheWarning, stacklevel=4)
            return None
        if self._lasting:
            write_survey(fingerprint, Survey(self.sha256, tuple(self._problems.items())))
        return open_entry(file, len(self), shape)

    def _without_cache(self, shape: Shape, progress: Progress | None) -> Examples:
        pixels: list[Pixels] = []
        in_memory = len(self) * math.prod(shape) <= MEMORY_LIMIT
        self._decode_to(pixels.append if in_memory else lambda _: None, shape, progress)
        if in_memory:
            return TensorExamples(torch.from_numpy(np.stack(pixels)))
        return _ShownExamples(self.source, self.names, shape)

    def _decode_to(self, add: Callable[[Pixels], object], shape: Shape, progress: Progress | None) -> None:
        """Every picture in its order to ``add``, hashed in the same pass; the broken ones are set aside."""
        hashes: list[tuple[str, str]] = []
        problems: dict[str, str] = {}
        with strict_warnings(), closing(decode_all(self.source, self.names, shape)) as all_decoded:
            for one in all_decoded:
                if one.pixels is None:
                    problems[one.name] = one.problem
                    self._lasting &= bool(one.sha256)
                else:
                    hashes.append((one.name, one.sha256))
                    add(one.pixels)
                if progress is not None:
                    progress(1)
        self._check_usable(len(hashes), problems)
        self._set_aside(problems, self._content_hash(hashes))

    def _content_hash(self, hashes: Iterable[tuple[str, str]]) -> str:
        digest = hashlib.sha256()
        listed = self._labels.classes if self._labels is not None and self._labels.listed else {}
        for name, inner in hashes:
            label = f"\0{listed[name]}" if listed else ""
            digest.update(f"{name}\0{inner}{label}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _set_aside(self, problems: Mapping[str, str], sha256: str) -> None:
        self._problems.update(problems)
        self._sha256 = sha256
        self._use(tuple(name for name in self.names if name not in self._problems))
        self.skipped = tuple(Skipped(self.source.locate(name), problem) for name, problem in self._problems.items())

    def _use(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.labels = None if self._labels is None else torch.tensor([self._labels.classes[name] for name in names])
        self.captions = None if self._listed_captions is None else self._listed_captions.of(names)

    def _check_usable(self, good: int, problems: Mapping[str, str]) -> None:
        if len(problems) <= good:
            return
        shown = list(problems.items())[:_LISTED]
        listed = "".join(f"\n  {name}: {problem}" for name, problem in shown)
        more = f"\n  and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        what = "None" if not good else f"Only {good}"
        raise DataError(
            f"{what} of the {good + len(problems)} picture files in {self.path} can be read:{listed}{more}",
            hint="Remove or repair these files, then start again.",
        )


class ImageFolder(PictureDataset):
    """The pictures in a folder and in the folders below it. Hidden files and folders are not looked at.

    Args:
        path: The folder.
        name: How results cite it; the folder's name unless given.

    Raises:
        DataError: no such folder, not a folder, or no pictures in it; classes or captions that cannot be used.
    """

    def __init__(self, path: str | Path, *, name: str | None = None) -> None:
        files = FolderFiles(Path(path))
        super().__init__(files, labels=find_labels(files), captions=find_captions(files), name=name)


class ImageZip(PictureDataset):
    """The pictures in a zip file and in its folders, read without unpacking it.

    Args:
        path: The zip file.
        name: How results cite it; the file's name without its suffix unless given.

    Raises:
        DataError: not a zip file, one that is not safe to read, or no pictures in it; classes or captions that cannot be used.
    """

    def __init__(self, path: str | Path, *, name: str | None = None) -> None:
        files = ZipFiles(Path(path))
        super().__init__(files, labels=find_labels(files), captions=find_captions(files), name=name)


def open_pictures(path: Path) -> PictureDataset:
    """The pictures at ``path``: in a zip file, going by its suffix, or else in a folder.

    Raises:
        DataError: nothing usable there.
    """
    return ImageZip(path) if path.suffix.lower() == ".zip" and path.is_file() else ImageFolder(path)


class _ShownExamples:
    """Pictures decoded when they are asked for."""

    def __init__(self, files: PictureFiles, names: Sequence[str], shape: Shape) -> None:
        self.files, self.names, self.shape = files, tuple(names), shape

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, indices: Tensor) -> Tensor:
        names = [self.names[i] for i in indices.tolist()]
        return torch.from_numpy(np.stack(list(in_order(self._one, names))))

    def _one(self, name: str) -> Pixels:
        try:
            return decode(self.files.read(name), self.shape)
        except BROKEN as e:
            raise DataError(
                f"{self.files.locate(name)} could be read when the run began and cannot be read now: {reason(e)}.",
                hint="Put the file back as it was, then resume the run.",
            ) from e
