"""How texts are cut into the words that figures count."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ganzoo.tokenizers.base import Tokenizer
from ganzoo.tokenizers.ids import IdTokenizer
from ganzoo.tokenizers.words import split_words

UNKNOWN = "<unk>"  # no word of a real text: there, its marks are words of their own


@dataclass(frozen=True)
class Words:
    """A way of cutting texts. Samples and reference are cut in the same way.

    Attributes:
        name: In words; part of every protocol, so that figures of unlike words never share a table.
        split: The words of a real text.
        unknown: What stands in a sample where the model wrote its token for unknown words; None where it has none.
    """

    name: str
    split: Callable[[str], list[str]]
    unknown: str | None = None

    def split_sample(self, text: str) -> list[str]:
        """The words of what a model wrote. Its token for unknown words is one word, `UNKNOWN`, whatever it looks like."""
        if self.unknown is None or self.unknown not in text:
            return self.split(text)
        first, *others = text.split(self.unknown)
        return [*self.split(first), *(word for part in others for word in (UNKNOWN, *self.split(part)))]


def words_of(tokenizer: Tokenizer | None) -> Words:
    """The words that samples of a model with ``tokenizer`` are measured by.

    Those of `ganzoo.tokenizers.split_words`, lower case where the tokenizer makes text lower case; ids as they are where tokens
    are ids. Words of the reference that the model cannot write stay what they are.
    """
    if isinstance(tokenizer, IdTokenizer):
        return IDS
    words = LOWER if getattr(tokenizer, "lower", False) else PLAIN
    if tokenizer is None or tokenizer.unknown is None:
        return words
    return replace(words, unknown=tokenizer.vocabulary[tokenizer.unknown])


PLAIN = Words("words and punctuation marks", split_words)
LOWER = Words("words and punctuation marks, lower case", partial(split_words, lower=True))
IDS = Words("ids", str.split)
