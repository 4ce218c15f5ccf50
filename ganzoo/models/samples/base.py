"""The common part of all samples: a batch with its seeds, and writing it without ever leaving half a file."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

from torch import Tensor

from ganzoo.errors import InvalidValueError, OutputError
from ganzoo.paths import atomic_path, check_parent


class Samples(ABC):
    """A batch of samples.

    Attributes:
        tensor: The whole batch, first dimension the sample.
        seeds: The seed of each sample; ``generator.sample(seeds=[samples.seeds[k]])`` makes sample ``k`` again.
        modality: ``image``, ``text``, ``audio``, ``video`` or ``vector``.
        suffixes: File types that `save` writes for the whole batch, by the suffix of the path.
        single_suffix: The file type of single files in a folder.
    """

    modality: ClassVar[str]
    suffixes: tuple[str, ...]
    single_suffix: ClassVar[str]

    def __init__(self, tensor: Tensor, seeds: Sequence[int]) -> None:
        if len(tensor) != len(seeds):
            raise InvalidValueError(f"{len(tensor)} samples cannot have {len(seeds)} seeds.")
        self.tensor = tensor
        self.seeds = tuple(seeds)

    def __len__(self) -> int:
        return len(self.tensor)

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        first = f", first seed {self.seeds[0]}" if self.seeds else ""
        return f"{type(self).__name__}({len(self)} x {list(self.tensor.shape[1:])}{first})"

    def __getitem__(self, which: int | slice) -> Self:
        """One sample, or the samples of a slice, as a batch with its seeds."""
        if isinstance(which, slice):
            return self._part(which)
        index = range(len(self))[which]  # raises IndexError, and counts negative ones from the end
        return self._part(slice(index, index + 1))

    @abstractmethod
    def _part(self, which: slice) -> Self:
        """The samples of a slice."""

    @abstractmethod
    def _write_all(self, path: Path, suffix: str) -> None:
        """Writes the whole batch into one file of type ``suffix``."""

    @abstractmethod
    def _write_one(self, index: int, path: Path) -> None:
        """Writes one sample into one file of type `single_suffix`."""

    def save(self, path: str | Path) -> list[Path]:
        """Writes the batch: one file when ``path`` ends in one of `suffixes`, else a folder of single files.

        A folder is made if only its last part is missing; its files are called ``0000-seed<seed>``. Files appear whole or not
        at all.

        Returns:
            The paths written.

        Raises:
            OutputError: no such parent folder, not writable, disk full, or a file type that cannot be written.
            InvalidValueError: nothing to write, or values that are not finite.
        """
        target = Path(path)
        self._check_finite()
        if target.suffix.lower() in self.suffixes:
            return [_write(target, lambda p: self._write_all(p, target.suffix.lower()))]
        if target.suffix and not target.is_dir():
            raise OutputError(
                f"{target}: {self.modality} samples cannot be written as '{target.suffix}'.",
                hint=f"Use {', '.join(self.suffixes)}, or a folder name for single files.",
            )
        make_folder(target)
        width = max(4, len(str(len(self) - 1)))
        names = [target / f"{i:0{width}}-seed{seed}{self.single_suffix}" for i, seed in enumerate(self.seeds)]
        return [_write(name, lambda p, i=i: self._write_one(i, p)) for i, name in enumerate(names)]  # type: ignore[misc]

    def _check_finite(self) -> None:
        if not len(self):
            raise InvalidValueError("There is no sample to write.")
        for seed, sample in zip(self.seeds, self.tensor, strict=True):
            if not sample.isfinite().all():
                raise InvalidValueError(
                    f"The sample of seed {seed} holds values that are not finite.", hint="The weights may be damaged."
                )


def make_folder(folder: Path) -> None:
    """Makes ``folder`` if only its last part is missing.

    Raises:
        OutputError: the parent is missing, or something that is no folder is in the way.
    """
    check_parent(folder)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as e:
        raise _output_error(folder, e) from e


def _write(target: Path, write: Callable[[Path], None]) -> Path:
    check_parent(target)
    try:
        with atomic_path(target) as temporary:
            write(temporary)
    except (OSError, ValueError) as e:  # the encoders' word for a picture that the format cannot hold
        raise _output_error(target, e) from e
    return target


def _output_error(target: Path, e: Exception) -> OutputError:
    return OutputError(f"{target} cannot be written: {getattr(e, 'strerror', None) or e}.")
