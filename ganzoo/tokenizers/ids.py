"""Plain ids as tokens, for data that come as numbers: SeqGAN's oracle, say."""

from typing import Any, ClassVar

from ganzoo.errors import InvalidValueError
from ganzoo.tokenizers.base import Tokenizer

LARGEST = 1_000_000


class IdTokenizer(Tokenizer):
    """Every id from 0 to ``size - 1`` is a token. No special ones: all sentences are of one length, and 0 starts them.

    Raises:
        InvalidValueError: a ``size`` that is not between 1 and 1,000,000.
    """

    kind: ClassVar[str] = "ids"
    pad: int | None = None
    start: int = 0
    end: int | None = None
    unknown: int | None = None

    def __init__(self, size: int) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LARGEST:
            raise InvalidValueError(f"A vocabulary of ids has between 1 and {LARGEST} of them, not {size!r}.")
        self.vocabulary = tuple(map(str, range(size)))

    def encode(self, text: str) -> list[int]:
        """The numbers in ``text``, separated by white space.

        Raises:
            InvalidValueError: something else, or a number outside the vocabulary.
        """
        try:
            return self._numbers(int(piece) for piece in text.split())
        except ValueError as e:
            raise InvalidValueError(f"{text!r} is not a list of ids from 0 to {self.size - 1}.") from e

    def join(self, ids: list[int]) -> str:
        """The numbers with a space between them."""
        return " ".join(map(str, ids))

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "ids", "size": …}``."""
        return {"kind": self.kind, "size": self.size}
