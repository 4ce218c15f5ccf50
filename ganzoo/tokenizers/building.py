"""A tokenizer from data, by the kind that a recipe names."""

from collections.abc import Iterable

from ganzoo.errors import ConfigError
from ganzoo.tokenizers.base import Tokenizer
from ganzoo.tokenizers.characters import CharTokenizer
from ganzoo.tokenizers.hugging_face import HuggingFaceTokenizer
from ganzoo.tokenizers.words import WordTokenizer

PREFIX = "hf:"


def build_tokenizer(
    kind: str, lines: Iterable[str], *, size: int | None = 5000, min_count: int = 1, lower: bool = False
) -> Tokenizer:
    """A tokenizer for ``lines``.

    Args:
        kind: ``word``, ``char``, or ``hf:<folder or repository[@revision]>``; the last brings its own vocabulary, so that the
            other arguments mean nothing to it.
        lines: Sentences.
        size: Tokens of the vocabulary at most, special ones included; None for no limit.
        min_count: Tokens that occur less often are left out.
        lower: Whether text is made lower case.

    Raises:
        ConfigError: no such kind.
        DataError: nothing to make a vocabulary of.
        CheckpointError, HubError, MissingExtraError: a tokenizer of transformers that cannot be had.
    """
    if kind.startswith(PREFIX):
        return HuggingFaceTokenizer.load(kind.removeprefix(PREFIX))
    if kind == WordTokenizer.kind:
        return WordTokenizer.of(lines, size, min_count, lower=lower)
    if kind == CharTokenizer.kind:
        return CharTokenizer.of(lines, size, min_count, lower=lower)
    raise ConfigError(
        f"There is no kind of tokenizer '{kind}'.",
        hint="Use word, char, or hf: before the name of a model with a fast tokenizer, e.g. hf:openai-community/gpt2.",
    )
