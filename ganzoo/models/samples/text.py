"""Text: token ids with their vocabulary."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.samples.base import Samples


class TextSamples(Samples):
    """Token ids ``[N, T]`` (int64). Ids outside the vocabulary's range cannot occur; padding is not part of the text.

    Attributes:
        vocabulary: The token of every id.
        padding: Tokens that are left out of the text.
        separator: What stands between two tokens.
    """

    modality = "text"
    suffixes = (".txt",)
    single_suffix = ".txt"

    def __init__(
        self,
        tensor: Tensor,
        seeds: Sequence[int],
        *,
        vocabulary: Sequence[str],
        padding: Sequence[str] = ("<pad>", "<bos>", "<eos>"),
        separator: str = " ",
    ) -> None:
        super().__init__(tensor, seeds)
        if tensor.dim() != 2 or tensor.is_floating_point():
            raise InvalidValueError(f"Text is [N, T] token ids; this batch is {list(tensor.shape)} of {tensor.dtype}.")
        if tensor.numel() and not 0 <= int(tensor.min()) <= int(tensor.max()) < len(vocabulary):
            raise InvalidValueError(f"Token ids must be between 0 and {len(vocabulary) - 1}, the last of the vocabulary.")
        self.vocabulary, self.padding, self.separator = vocabulary, tuple(padding), separator

    def _part(self, which: slice) -> Self:
        return type(self)(
            self.tensor[which],
            self.seeds[which],
            vocabulary=self.vocabulary,
            padding=self.padding,
            separator=self.separator,
        )

    @property
    def tokens(self) -> list[list[str]]:
        """The tokens of each sample, padding included."""
        return [[self.vocabulary[i] for i in row] for row in self.tensor.tolist()]

    @property
    def text(self) -> list[str]:
        """Each sample as text, padding left out."""
        return [self.separator.join(t for t in row if t not in self.padding) for row in self.tokens]

    def _write_all(self, path: Path, suffix: str) -> None:
        path.write_text("".join(f"{line}\n" for line in self.text), encoding="utf-8")

    def _write_one(self, index: int, path: Path) -> None:
        self[index : index + 1]._write_all(path, self.single_suffix)
