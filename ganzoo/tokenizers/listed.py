"""Tokenizers whose vocabulary is a list: four special tokens, then what occurs in the data, the most frequent first."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.tokenizers.base import Tokenizer

SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
PAD, BOS, EOS, UNKNOWN = range(4)


class ListedTokenizer(Tokenizer):
    """Special tokens ``<pad>`` 0, ``<bos>`` 1, ``<eos>`` 2 and ``<unk>`` 3, then ``listed`` in its order.

    Args:
        listed: The vocabulary without special tokens.
        lower: Whether text is made lower case.

    Raises:
        InvalidValueError: a token that is empty, no text, listed twice, special, or not writable as UTF-8.
    """

    pad: int | None = PAD
    start: int = BOS
    end: int | None = EOS
    unknown: int | None = UNKNOWN

    def __init__(self, listed: Sequence[str], *, lower: bool = False) -> None:
        _check(listed)
        self.lower = lower
        self.vocabulary = (*SPECIAL, *listed)
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}

    @property
    def listed(self) -> tuple[str, ...]:
        """The vocabulary without special tokens."""
        return tuple(self.vocabulary[len(SPECIAL) :])

    def encode(self, text: str) -> list[int]:
        """The tokens of ``text``; ``<unk>`` for those that the vocabulary does not have."""
        find = self._ids.get
        return [find(piece, UNKNOWN) for piece in self._split(text)]

    @abstractmethod
    def _split(self, text: str) -> Iterable[str]:
        """The pieces of ``text`` that are looked up in the vocabulary."""

    def _first_unknown(self, text: str) -> str:
        pieces = (piece for piece in self._split(text) if piece not in self._ids)
        return repr(next(pieces, text))

    def _hidden(self) -> frozenset[int]:
        return frozenset((PAD, BOS, EOS))


def most_frequent(pieces: Iterable[str], size: int | None, min_count: int) -> list[str]:
    """The distinct ``pieces``, the most frequent first and equally frequent ones in the order of their code points.

    That order depends on the data alone: not on the order of the lines, and not on Python's hash seed.

    Args:
        pieces: All of them, as often as they occur.
        size: Tokens of the vocabulary at most, the four special ones included; None for no limit.
        min_count: Pieces that occur less often are left out.

    Raises:
        InvalidValueError: a ``size`` without room for a token, or a ``min_count`` below 1.
        DataError: nothing is left.
    """
    if (size is not None and size <= len(SPECIAL)) or min_count < 1:
        raise InvalidValueError(
            f"A vocabulary has more than its {len(SPECIAL)} special tokens and a smallest count from 1 on,"
            f" not a size of {size} and a count of {min_count}."
        )
    counts = sorted(Counter(pieces).items(), key=lambda item: (-item[1], item[0]))
    kept = [piece for piece, count in counts if count >= min_count and piece not in SPECIAL]
    if not kept:
        raise DataError(
            "There is nothing to make a vocabulary of.",
            hint=f"No token occurs {min_count} times." if counts else "The data hold no text.",
        )
    return kept if size is None else kept[: size - len(SPECIAL)]


def _check(listed: Sequence[str]) -> None:
    seen = set(SPECIAL)
    for token in listed:
        if not isinstance(token, str) or not token or token in seen:
            raise InvalidValueError(f"A vocabulary lists each token once, as text that is not empty; {token!r} is not so.")
        if not _is_utf8(token):
            raise InvalidValueError(f"The token {token!r} cannot be written as UTF-8.")
        seen.add(token)


def _is_utf8(token: str) -> bool:
    try:
        token.encode()
    except UnicodeEncodeError:
        return False
    return True
