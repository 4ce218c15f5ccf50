"""Pictures in a data set of Hugging Face's library ``datasets``: of the Hub at a pinned commit, or on this disk.

No code of a repository is ever run (the library has not been able to since version 4), and no file is opened because a row
names it, unless it lies in the caches of Hugging Face: the pictures must be in the rows.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.data.captions import FIELDS, ListedCaptions, Texts
from ganzoo.data.files import PictureFiles
from ganzoo.data.labels import Labels, is_class
from ganzoo.data.pictures import PictureDataset
from ganzoo.errors import DataError, MissingExtraError

PREFIX = "hf-datasets:"
EXTRA = "hf-datasets"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_FORM = f"Write {PREFIX}ORG/NAME[@REVISION][:SPLIT], or {PREFIX}./folder-or-file.parquet[:SPLIT]."


class HuggingFacePictures(PictureDataset):
    """The pictures of one split, with its classes and captions where it has such columns.

    The pictures are in the column ``image``, or in the only one that holds pictures; the classes in ``label``, or in the only
    one of the type ClassLabel; the captions in ``text``, ``caption`` or ``captions``.

    Args:
        text: ``ORG/NAME[@REVISION][:SPLIT]`` on the Hub, or the path of a folder (parquet files, or written by
            ``save_to_disk``) or of a parquet file on this disk. Without a revision, the newest commit is used and told in the
            name.
        split: The split, where ``text`` has none.

    Raises:
        MissingExtraError: the library ``datasets`` is not installed.
        DataError: nothing of that name, no such split, no column of pictures.
    """

    def __init__(self, text: str, *, split: str = "train") -> None:
        try:
            import datasets
        except ImportError as e:
            raise MissingExtraError(f"The data set {PREFIX}{text}", "datasets", EXTRA) from e
        where = _parse(text, split)
        rows = _translated(text, lambda: where.load(datasets))
        columns = _Columns.of(datasets, rows, where.name)
        files = _RowFiles(datasets, rows, columns.image, where)
        super().__init__(
            files,
            labels=_labels(rows, columns.label, files.names),
            captions=_captions(rows, columns.caption, files.names),
            name=where.name,
        )
        self.licence, self.url = rows.info.license or None, where.url


@dataclass(frozen=True)
class _Local:
    """Something on this disk."""

    path: Path
    split: str
    url: None = None

    @property
    def name(self) -> str:
        return f"{self.path.resolve().name}/{self.split}"

    def load(self, datasets: Any) -> Any:
        if (self.path / "dataset_dict.json").exists():
            return datasets.load_from_disk(str(self.path))[self.split]
        if (self.path / "state.json").exists():
            return datasets.load_from_disk(str(self.path))
        if self.path.is_file():
            return datasets.load_dataset("parquet", data_files={self.split: str(self.path)}, split=self.split)
        return datasets.load_dataset(str(self.path), split=self.split)

    def identity(self, rows: Any) -> object:
        files = [Path(file["filename"]) for file in rows.cache_files]
        # The split too: those that are cut out of one file (``train[:10]``) differ by nothing else.
        return [self.split, *((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)] if files else None


@dataclass(frozen=True)
class _Remote:
    """A repository of the Hub at a commit."""

    repository: str
    revision: str
    split: str

    @property
    def name(self) -> str:
        return f"{self.repository}@{self.revision[:12]}/{self.split}"

    @property
    def path(self) -> Path:
        return Path(self.repository)

    @property
    def url(self) -> str:
        return f"https://huggingface.co/datasets/{self.repository}/tree/{self.revision}"

    def load(self, datasets: Any) -> Any:
        return datasets.load_dataset(self.repository, revision=self.revision, split=self.split)

    def identity(self, rows: Any) -> object:
        return self.repository, self.revision, self.split


@dataclass(frozen=True)
class _Columns:
    """Which columns hold what."""

    image: str
    label: str | None
    caption: str | None

    @classmethod
    def of(cls, datasets: Any, rows: Any, name: str) -> "_Columns":
        features = rows.features
        images = [column for column, feature in features.items() if isinstance(feature, datasets.Image)]
        image = "image" if "image" in images else images[0] if len(images) == 1 else None
        if image is None:
            what = f"several columns of pictures: {', '.join(images)}" if images else "no column of pictures"
            raise DataError(f"{name} has {what}.", hint=f"Its columns are {', '.join(features)}.")
        classes = [column for column, feature in features.items() if isinstance(feature, datasets.ClassLabel)]
        label = "label" if "label" in features else classes[0] if len(classes) == 1 else None
        return cls(image, label, next((field for field in FIELDS if field in features), None))


class _RowFiles(PictureFiles):
    """The rows as files that are called by their numbers."""

    def __init__(self, datasets: Any, rows: Any, column: str, where: _Local | _Remote) -> None:
        self.path, self.name = where.path, where.name
        self.names = tuple(f"{number:09}" for number in range(len(rows)))
        self._column = column
        self._rows = rows.select_columns([column]).cast_column(column, datasets.Image(decode=False))
        self._identity = where.identity(rows)
        self._caches = tuple(Path(str(cache)).resolve() for cache in (datasets.config.HF_CACHE_HOME,))

    def pictures(self) -> tuple[str, ...]:
        return self.names

    def locate(self, name: str) -> Path:
        return self.path / f"row {int(name)}"

    def read(self, name: str) -> bytes:
        row: dict[str, Any] = self._rows[int(name)][self._column] or {}
        content, path = row.get("bytes"), row.get("path")
        if isinstance(content, bytes):
            return content
        if path is None:
            raise OSError("there is no picture in this row")
        file = Path(path).resolve()
        if not any(file.is_relative_to(cache) for cache in self._caches):
            raise OSError("the row only names a file; save the data set with its pictures (save_to_disk does)")
        return file.read_bytes()

    def fingerprint(self) -> str | None:
        return None if self._identity is None else hashlib.sha256(repr(self._identity).encode()).hexdigest()


def full_name(text: str) -> str:
    """``text`` with a path in it made a full one, so that it means the same in every folder."""
    local = _local(text)
    if local is None:
        return text
    path, given = local
    return f"{path.resolve()}:{given}" if given else str(path.resolve())


def _local(text: str) -> tuple[Path, str] | None:
    """The path and the split (empty where there is none) that ``text`` names; None for a repository."""
    main, _, given = text.rpartition(":") if ":" in text else (text, "", "")
    for path, split in ((Path(text).expanduser(), ""), (Path(main).expanduser(), given)):
        if path.exists():
            return path, split
    return (Path(main).expanduser(), given) if text.startswith((".", "/", "~")) else None


def _parse(text: str, split: str) -> _Local | _Remote:
    local = _local(text)
    if local is not None:
        if not local[0].exists():
            raise DataError(f"There is no folder or file {local[0]}.", hint=_FORM)
        return _Local(local[0], local[1] or split)
    main, _, given = text.rpartition(":") if ":" in text else (text, "", "")
    repository, _, revision = main.partition("@")
    if not _REPOSITORY.fullmatch(repository):
        raise DataError(f"'{text}' names no data set of the Hugging Face Hub.", hint=_FORM)
    return _Remote(repository, _commit(repository, revision), given or split)


def _commit(repository: str, revision: str) -> str:
    """The commit that ``revision`` stands for, the newest where it is empty; a commit stands for itself, without a request."""
    if _COMMIT.fullmatch(revision):
        return revision
    from huggingface_hub import HfApi

    what = repository if not revision else f"{repository}@{revision}"
    sha = _translated(what, lambda: HfApi().dataset_info(repository, revision=revision or None).sha)
    if not sha:
        raise DataError(f"The Hub tells no commit of {what}.", hint=f"Name one: {PREFIX}{repository}@COMMIT")
    return str(sha)


def _translated(what: str, action: Callable[[], Any]) -> Any:
    """What ``action`` returns; whatever the libraries raise becomes an error that names the data set."""
    try:
        return action()
    except DataError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as e:
        raise DataError(f"The data set {PREFIX}{what} cannot be opened: {_one_line(e)}", hint=_FORM) from e


def _one_line(e: Exception) -> str:
    text = " ".join(str(e).split()) or type(e).__name__
    return text if len(text) <= 300 else f"{text[:299]}…"


def _labels(rows: Any, column: str | None, names: Sequence[str]) -> Labels | None:
    if column is None:
        return None
    numbers = rows.select_columns([column])[:][column]
    if not all(is_class(number) for number in numbers):
        return None  # unlabelled, as test splits often are, or not classes at all
    class_names = getattr(rows.features[column], "names", None) or ()
    return Labels(dict(zip(names, numbers, strict=True)), tuple(class_names), listed=True)


def _captions(rows: Any, column: str | None, names: Sequence[str]) -> ListedCaptions | None:
    if column is None:
        return None
    texts = (_texts(value) for value in rows.select_columns([column])[:][column])
    return ListedCaptions(dict(zip(names, texts, strict=True)), names)


def _texts(value: Any) -> Texts:
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in values if isinstance(text, str))
