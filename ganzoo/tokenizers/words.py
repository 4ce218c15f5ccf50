"""Words as tokens, by a rule that fits on a page and does not change with the version of Python or Unicode.

1. Text is normalised to NFC; made lower case where that is wanted.
2. White space and control characters separate.
3. An apostrophe, hyphen or full stop between two letters or digits belongs to their word (``don't``, ``self-made``, ``e.g``),
   and so does a comma or colon between two digits (``10,000``, ``12:30``).
4. Any other punctuation mark is a token of its own; two or more full stops, or hyphens, in a row are one (``...``, ``--``).
5. Everything else is part of a word.

The punctuation marks are listed in `_MARKS`. Scripts that do not separate words by spaces need characters or a tokenizer of
transformers.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

from ganzoo.tokenizers.listed import ListedTokenizer, most_frequent

# ASCII; Latin-1 without the ordinals and the micro sign; general punctuation and currency signs; CJK and full-width marks.
_MARKS = (
    r"!-/:-@\[-`{-~"
    "\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20c0\u2190-\u23ff\u2500-\u27bf"
    "\u3001-\u3003\u3008-\u3011\u3014-\u301f\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_GAP = "\\s\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff"
_LETTER = f"[^{_GAP}{_MARKS}]"
_PIECE = re.compile(
    rf"{_LETTER}+(?:(?:['’‐.-](?={_LETTER})|(?<=[0-9])[,:](?=[0-9])){_LETTER}+)*"
    r"|\.{2,}|-{2,}"
    rf"|[{_MARKS}]"
)
_NO_SPACE_BEFORE = frozenset(".,;:!?)]}%…’”»、。，；：？！）") | {"..."}
_NO_SPACE_AFTER = frozenset("([{$£€¥#“‘«¿¡（")
_NO_SPACE_AROUND = frozenset("/\\@_")
_QUOTES = frozenset("\"'`")


class WordTokenizer(ListedTokenizer):
    """Words and punctuation marks; see this module for the rule.

    Args:
        words: The vocabulary without special tokens.
        lower: Whether text is made lower case.

    Raises:
        InvalidValueError: a vocabulary that is none.
    """

    kind: ClassVar[str] = "word"

    def __init__(self, words: Sequence[str], *, lower: bool = False) -> None:
        super().__init__(words, lower=lower)

    @classmethod
    def of(cls, lines: Iterable[str], size: int | None = 5000, min_count: int = 1, *, lower: bool = False) -> Self:
        """The words of ``lines``, the most frequent first.

        Args:
            lines: Sentences.
            size: Tokens of the vocabulary at most, the four special ones included; None for no limit.
            min_count: Words that occur less often are left out.
            lower: Whether text is made lower case.

        Raises:
            InvalidValueError: no room for a word, or a ``min_count`` below 1.
            DataError: no word is left.
        """
        pieces = (piece for line in lines for piece in split_words(line, lower=lower))
        return cls(most_frequent(pieces, size, min_count), lower=lower)

    def join(self, ids: list[int]) -> str:
        """Words with a space between them, punctuation where a person would put it."""
        return join_words([self.vocabulary[i] for i in ids])

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "word", "lower": …, "words": […]}``."""
        return {"kind": self.kind, "lower": self.lower, "words": list(self.listed)}

    def _split(self, text: str) -> list[str]:
        return split_words(text, lower=self.lower)


def split_words(text: str, *, lower: bool = False) -> list[str]:
    """The words and punctuation marks of ``text``, by the rule of this module."""
    text = unicodedata.normalize("NFC", text)
    return _PIECE.findall(text.lower() if lower else text)


def join_words(words: Iterable[str]) -> str:
    """Words as readable text: no space before a comma, none behind an opening bracket, quotation marks in pairs."""
    text: list[str] = []
    open_quotes: set[str] = set()
    glued = True
    for word in words:
        closing = word in open_quotes
        attached = glued or closing or word in _NO_SPACE_BEFORE or word in _NO_SPACE_AROUND
        text += [word] if attached else [" ", word]
        glued = word in _NO_SPACE_AFTER or word in _NO_SPACE_AROUND or (word in _QUOTES and not closing)
        if word in _QUOTES:
            open_quotes ^= {word}
    return "".join(text)
