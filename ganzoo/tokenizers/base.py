"""What a tokenizer is: text to token ids and back, in a form that can be written down completely."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError

Longer = Literal["cut", "error", "skip"]
_LONGER = ("cut", "error", "skip")
_SHOWN = 60  # characters of a sentence that an error quotes


class Tokenizer(ABC):
    """Turns text into token ids and back. Never changes once it is made.

    Attributes:
        kind: What `to_json` calls it.
        vocabulary: The token of every id.
        pad: Fills a row behind the end of its sentence; None where all sentences are of one length.
        start: What a generator is fed before the first token. It is never part of a batch.
        end: Closes a sentence that does not fill its row; None where all sentences are of one length.
        unknown: Stands for what the vocabulary does not have; None where nothing does.
    """

    kind: ClassVar[str]
    vocabulary: Sequence[str]
    pad: int | None
    start: int
    end: int | None
    unknown: int | None

    @property
    def size(self) -> int:
        """Tokens of the vocabulary, special ones included."""
        return len(self.vocabulary)

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """The tokens of ``text``, without start, end and padding."""

    @abstractmethod
    def join(self, ids: list[int]) -> str:
        """Readable text of tokens none of which is special."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values; `ganzoo.tokenizers.tokenizer_of` makes it again."""

    @property
    def sha256(self) -> str:
        """Hash of `to_json`: two tokenizers with one hash do the same."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """`to_json` as UTF-8, in the one spelling that is hashed and saved."""
        return json.dumps(self.to_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def decode(self, ids: Tensor | Iterable[int]) -> str:
        """Readable text of one sentence, up to its end; special tokens are left out, but unknown words are shown.

        Raises:
            InvalidValueError: an id outside the vocabulary.
        """
        numbers = self._numbers(ids)
        if self.end is not None and self.end in numbers:
            numbers = numbers[: numbers.index(self.end)]
        return self.join([number for number in numbers if number not in self._hidden()])

    def tokens(self, ids: Tensor | Iterable[int]) -> list[str]:
        """The token of every id, special ones included.

        Raises:
            InvalidValueError: an id outside the vocabulary.
        """
        return [self.vocabulary[number] for number in self._numbers(ids)]

    def batch(self, texts: Iterable[str], length: int, longer: Longer = "error") -> Tensor:
        """Sentences as int64 ``[N, length]``: tokens, the end, then padding. One that fills its row has no end.

        Args:
            texts: One sentence each.
            length: Tokens a row.
            longer: What becomes of sentences of more tokens: ``cut`` keeps their beginning, ``error`` refuses them, ``skip``
                leaves them out, so that there are fewer rows.

        Raises:
            InvalidValueError: a ``length`` below 1, or no such ``longer``.
            DataError: a sentence that is too long, or too short where every row must be full.
        """
        if length < 1 or longer not in _LONGER:
            raise InvalidValueError(
                f"Rows have at least 1 token and `longer` is one of {_LONGER}, not {length} and {longer!r}."
            )
        rows = [row for row in (self._row(text, length, longer) for text in texts) if row is not None]
        return torch.tensor(rows, dtype=torch.int64).view(len(rows), length)

    def encode_known(self, text: str) -> list[int]:
        """As `encode`, for what a person types: a prompt.

        Raises:
            InvalidValueError: something else than text, or a word that the vocabulary does not have; the message names it.
        """
        if not _is_text(text):
            raise InvalidValueError(f"A prompt is text, not {text!r}.", hint='For example: prompt="the man"')
        ids = self.encode(text)
        if self.unknown is not None and self.unknown in ids:
            raise InvalidValueError(
                f"The vocabulary has no token for {self._first_unknown(text)}.",
                hint=f"Use words that it has; it has {self.size} tokens, e.g. {self._examples()}.",
            )
        return ids

    def _first_unknown(self, text: str) -> str:
        parts = (part for part in text.split() if self.unknown in self.encode(part))
        return repr(next(parts, text))

    def _examples(self) -> str:
        ordinary = (i for i in range(self.size) if i not in self._hidden() and i != self.unknown)
        return ", ".join(repr(self.vocabulary[i]) for i, _ in zip(ordinary, range(5), strict=False))

    def _hidden(self) -> frozenset[int]:
        """Tokens that no text shows."""
        return frozenset(i for i in (self.pad, self.end) if i is not None)

    def _row(self, text: str, length: int, longer: Longer) -> list[int] | None:
        ids = self.encode(text)
        if len(ids) > length:
            if longer == "error":
                raise DataError(
                    f"A sentence has {len(ids)} tokens, more than {length}: {quoted(text)}.",
                    hint="Allow more tokens a sentence, or let longer ones be cut or left out.",
                )
            return ids[:length] if longer == "cut" else None
        if len(ids) == length:
            return ids
        if self.end is None or self.pad is None:
            raise DataError(f"A sentence has {len(ids)} tokens, but every one must have {length}: {quoted(text)}.")
        return [*ids, self.end, *[self.pad] * (length - len(ids) - 1)]

    def _numbers(self, ids: Tensor | Iterable[int]) -> list[int]:
        numbers: list[int] = [int(i) for i in (ids.tolist() if isinstance(ids, Tensor) else ids)]
        if numbers and not 0 <= min(numbers) <= max(numbers) < self.size:
            raise InvalidValueError(f"Token ids must be between 0 and {self.size - 1}, the last of the vocabulary.")
        return numbers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokenizer) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.kind, self.size))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # it never changes, so copies of a network share it

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size} tokens)"


def _is_text(value: object) -> bool:
    """Whether it can be written as UTF-8; half of a surrogate pair, as a broken command line has it, cannot."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def quoted(text: str) -> str:
    """``text`` as an error shows it: not all of a long one."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
