"""Characters as tokens: code points after normalisation to NFC, control characters as spaces."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

from ganzoo.errors import InvalidValueError
from ganzoo.tokenizers.listed import ListedTokenizer, most_frequent


class CharTokenizer(ListedTokenizer):
    """Characters, white space included; see this module for the rule.

    Args:
        characters: The vocabulary without special tokens.
        lower: Whether text is made lower case.

    Raises:
        InvalidValueError: a vocabulary that is none.
    """

    kind: ClassVar[str] = "char"

    def __init__(self, characters: Sequence[str], *, lower: bool = False) -> None:
        super().__init__(characters, lower=lower)
        longer = next((c for c in characters if len(c) > 1), None)
        if longer is not None:
            raise InvalidValueError(f"{longer!r} is more than one character.")

    @classmethod
    def of(cls, lines: Iterable[str], size: int | None = None, min_count: int = 1, *, lower: bool = False) -> Self:
        """The characters of ``lines``, the most frequent first.

        Args:
            lines: Sentences.
            size: Tokens of the vocabulary at most, the four special ones included; None for no limit.
            min_count: Characters that occur less often are left out.
            lower: Whether text is made lower case.

        Raises:
            InvalidValueError: no room for a character, or a ``min_count`` below 1.
            DataError: no character is left.
        """
        pieces = (piece for line in lines for piece in _characters(line, lower))
        return cls(most_frequent(pieces, size, min_count), lower=lower)

    def join(self, ids: list[int]) -> str:
        """The characters one after the other."""
        return "".join(self.vocabulary[i] for i in ids)

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "char", "lower": …, "characters": […]}``."""
        return {"kind": self.kind, "lower": self.lower, "characters": list(self.listed)}

    def _split(self, text: str) -> str:
        return _characters(text, self.lower)


def _characters(text: str, lower: bool) -> str:
    text = unicodedata.normalize("NFC", text.lower() if lower else text)
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
