"""Sentences: as lines, or as token ids where the data come as numbers."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import torch
from torch import Tensor

from ganzoo.data.dataset import Dataset, Modality, TensorExamples
from ganzoo.data.text_files import check_utf8, one_line, read_lines
from ganzoo.errors import DataError

if TYPE_CHECKING:  # tokenizers stand above the data, which only pass them on
    from ganzoo.tokenizers import Tokenizer


class Density(Protocol):
    """A distribution of sentences that is known exactly."""

    def log_prob(self, tokens: Tensor) -> Tensor:
        """Log-probability ``[N, T]`` (natural logarithm) of each token of ``tokens`` (int64 ``[N, T]``), given those before.

        0 behind the end of a sentence.
        """
        ...


class TextDataset(Dataset):
    """Sentences.

    Args:
        lines: One sentence each. Control characters and line breaks in them become spaces; blank lines are left out.
        name: How results cite it.
        tokenizer: What their tokens are, where the data decide that themselves.
        density: The distribution that they are drawn from, where it is known; needs a ``tokenizer``.
        validation: Sentences of the same kind, held out to stop early.
        licence: SPDX identifier or a short text.
        url: Where it comes from.

    Attributes:
        ids: The sentences as int64 ``[N, T]``, or None where they come as text.
        blank: Lines that were left out because there was no text in them.
        cleaned: Lines in which control characters became spaces.

    Raises:
        DataError: no sentence, or one that cannot be written as UTF-8.
    """

    modality: Modality = "text"
    lines: Sequence[str]
    ids: Tensor | None = None
    blank: int = 0
    cleaned: int = 0

    def __init__(
        self,
        lines: Iterable[str],
        name: str,
        *,
        tokenizer: "Tokenizer | None" = None,
        density: Density | None = None,
        validation: "TextDataset | None" = None,
        licence: str | None = None,
        url: str | None = None,
    ) -> None:
        given = tuple(lines)
        clean = [one_line(line) for line in given]
        self.lines = tuple(line for line in clean if line)
        self.blank = len(given) - len(self.lines)
        self.cleaned = sum(bool(c) and c != line.strip() for c, line in zip(clean, given, strict=True))
        self.name, self.licence, self.url = name, licence, url
        self.tokenizer, self.density, self.validation = tokenizer, density, validation
        if not self.lines:
            raise DataError(f"{name}: there is no text in it.")
        for number, line in enumerate(self.lines, start=1):
            check_utf8(line, f"{name}, sentence {number}")

    @classmethod
    def from_file(cls, path: str | Path, *, name: str | None = None) -> Self:
        """The lines of a ``.txt`` file, or the field ``text`` of each line of a ``.jsonl`` file.

        Args:
            path: The file; UTF-8.
            name: How results cite it; the file's name without its suffix unless given.

        Raises:
            DataError: no such file, no text in it, or a line that cannot be used; the message names it.
        """
        read = read_lines(Path(path))
        made = cls(read.texts, Path(path).stem if name is None else name)
        made.blank, made.cleaned = read.blank, read.cleaned
        return made

    @classmethod
    def of_ids(
        cls,
        ids: Tensor,
        name: str,
        *,
        tokenizer: "Tokenizer",
        density: Density | None = None,
        validation: "TextDataset | None" = None,
        licence: str | None = None,
        url: str | None = None,
    ) -> Self:
        """Sentences that come as tokens, int64 ``[N, T]``; ``tokenizer`` says what they stand for.

        Raises:
            DataError: no sentence, or another kind of tensor.
            InvalidValueError: an id outside the vocabulary.
        """
        if ids.dtype != torch.int64 or ids.dim() != 2 or not ids.numel():
            raise DataError(f"{name}: sentences are int64 [N, T], at least one, not {ids.dtype} {list(ids.shape)}.")
        more = {"tokenizer": tokenizer, "density": density, "validation": validation, "licence": licence, "url": url}
        made = cls([tokenizer.decode(row) for row in ids], name, **more)  # type: ignore[arg-type]  # as this very signature says
        if len(made) != len(ids):
            raise DataError(f"{name}: {made.blank} of its {len(ids)} sentences are empty.")
        made.ids = ids
        return made

    def __len__(self) -> int:
        return len(self.lines)

    @cached_property
    def duplicates(self) -> int:
        """Sentences that repeat an earlier one."""
        return len(self.lines) - len(Counter(self.lines))

    @cached_property
    def sha256(self) -> str:
        """Hash of the sentences in their order: UTF-8, a line feed behind each."""
        digest = hashlib.sha256()
        for line in self.lines:
            digest.update(line.encode() + b"\n")
        return digest.hexdigest()

    def prepare(self, shape: tuple[int, ...]) -> TensorExamples:
        """Never: what the tokens of text are is not decided by a shape.

        Raises:
            DataError: always, saying what is needed instead.
        """
        raise DataError(
            f"{self.name} is text, which needs a tokenizer before it can take the shape {list(shape)}.",
            hint="Train an architecture that makes text on it: ganzoo list --modality text",
        )
