"""Text: token ids and what they stand for."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.samples.base import Samples

if TYPE_CHECKING:  # tokenizers stand above the networks, which only pass them on
    from ganzoo.tokenizers import Tokenizer

_SHOWN = 10  # sentences that a console is shown


class TextSamples(Samples):
    """Token ids ``[N, T]`` (int64), all of them in the vocabulary of the tokenizer.

    Attributes:
        tokenizer: What the ids stand for.
    """

    modality = "text"
    suffixes = (".txt",)
    single_suffix = ".txt"

    def __init__(self, tensor: Tensor, seeds: Sequence[int], *, tokenizer: "Tokenizer") -> None:
        super().__init__(tensor, seeds)
        if tensor.dim() != 2 or tensor.is_floating_point():
            raise InvalidValueError(f"Text is [N, T] token ids; this batch is {list(tensor.shape)} of {tensor.dtype}.")
        if tensor.numel() and not 0 <= int(tensor.min()) <= int(tensor.max()) < tokenizer.size:
            raise InvalidValueError(f"Token ids must be between 0 and {tokenizer.size - 1}, the last of the vocabulary.")
        self.tokenizer = tokenizer

    def _part(self, which: slice) -> Self:
        return type(self)(self.tensor[which], self.seeds[which], tokenizer=self.tokenizer)

    @property
    def vocabulary(self) -> Sequence[str]:
        """The token of every id."""
        return self.tokenizer.vocabulary

    @property
    def tokens(self) -> list[list[str]]:
        """The tokens of each sample, the end and padding included."""
        return [self.tokenizer.tokens(row) for row in self.tensor]

    @property
    def text(self) -> list[str]:
        """Each sample as readable text, on one line."""
        return [" ".join(self.tokenizer.decode(row).splitlines()) for row in self.tensor]

    def __repr__(self) -> str:
        """The first sentences; what a terminal would obey is escaped."""
        shown = [f"  {sentence!r}" for sentence in self[:_SHOWN].text]
        more = [f"  … and {len(self) - _SHOWN} more"] if len(self) > _SHOWN else []
        return "\n".join([super().__repr__(), *shown, *more])

    def _write_all(self, path: Path, suffix: str) -> None:
        path.write_text("".join(f"{line}\n" for line in self.text), encoding="utf-8")

    def _write_one(self, index: int, path: Path) -> None:
        self[index : index + 1]._write_all(path, self.single_suffix)
