"""How texts are cut into the words that figures count."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ganzoo.tokenizers.base import Tokenizer
from ganzoo.tokenizers.ids import IdTokenizer
from ganzoo.tokenizers.words import split_words

UNKNOWN = "<unk>"
_UNKNOWN = re.compile(f"({re.escape(UNKNOWN)})")


@dataclass(frozen=True)
class Words:
    """A way of cutting texts. Samples and reference are cut in the same way.

    Attributes:
        name: In words; part of every protocol, so that figures of unlike words never share a table.
        split: The words of a text.
    """

    name: str
    split: Callable[[str], list[str]]


def words_of(tokenizer: Tokenizer | None) -> Words:
    """The words that samples of a model with ``tokenizer`` are measured by.

    Those of `ganzoo.tokenizers.split_words`, lower case where the tokenizer makes text lower case; ids as they are where tokens
    are ids. Words of the reference that the model cannot write stay what they are, and ``<unk>`` in a sample is one word.
    """
    if isinstance(tokenizer, IdTokenizer):
        return IDS
    return LOWER if getattr(tokenizer, "lower", False) else PLAIN


def _split(text: str, *, lower: bool) -> list[str]:
    if UNKNOWN not in text:
        return split_words(text, lower=lower)
    parts = _UNKNOWN.split(text)
    return [word for part in parts for word in ([part] if part == UNKNOWN else split_words(part, lower=lower))]


PLAIN = Words("words and punctuation marks", partial(_split, lower=False))
LOWER = Words("words and punctuation marks, lower case", partial(_split, lower=True))
IDS = Words("ids", str.split)
