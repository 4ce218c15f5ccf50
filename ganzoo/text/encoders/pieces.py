"""An encoder's own tokenizer: sentences, and the words of another vocabulary, to its word pieces."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganzoo.errors import CheckpointError
from ganzoo.text.encoders.files import EncoderFiles
from ganzoo.text.encoders.network import import_transformers
from ganzoo.tokenizers import HuggingFaceTokenizer, Tokenizer

_PROBE = "a"


class WordPieces(NamedTuple):
    """The pieces of every token of a vocabulary, one behind the other; token ``i`` has those from ``starts[i]`` on."""

    pieces: Tensor
    starts: Tensor


class PieceTokenizer:
    """The tokenizer that belongs to an encoder.

    Args:
        files: The encoder.
        max_tokens: Longer sentences are cut; special tokens count.

    Attributes:
        before: Special tokens in front of every sentence, e.g. ``[CLS]``.
        after: Those behind it, e.g. ``[SEP]``.

    Raises:
        MissingExtraError: transformers is not installed.
        CheckpointError: no tokenizer, or one that needs code of its own.
    """

    def __init__(self, files: EncoderFiles, max_tokens: int) -> None:
        transformers = import_transformers(f"The encoder '{files.name}'")
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                str(files.folder), local_files_only=True, trust_remote_code=False
            )
        except Exception as e:  # a damaged tokenizer.json raises a plain Exception
            raise CheckpointError(f"The tokenizer of the encoder {files.folder} cannot be read: {e}") from e
        self.max_tokens = min(max_tokens, self._tokenizer.model_max_length)
        whole, inner = (self._ids([_PROBE], special)[0] for special in (True, False))
        at = next(i for i in range(len(whole)) if whole[i : i + len(inner)] == inner)
        self.before, self.after = whole[:at], whole[at + len(inner) :]

    def sentences(self, texts: Sequence[str]) -> list[list[int]]:
        """Pieces of every sentence with the special tokens around it, no more than ``max_tokens``."""
        return self._ids(list(texts), True)

    def words(self, tokenizer: Tokenizer) -> WordPieces:
        """The pieces of every token of ``tokenizer``, as in the middle of a sentence.

        Its special tokens become the encoder's: the end of a sentence what the encoder puts behind one, and so on.
        """
        # Another tokenizer of transformers shares pieces that are no text of their own, such as BERT's "##ing".
        shared = self._tokenizer.get_vocab() if isinstance(tokenizer, HuggingFaceTokenizer) else {}
        rows = self._ids([f" {tokenizer.join([i]).strip()}" for i in range(tokenizer.size)], False)
        rows = [[shared[token]] if token in shared else row for token, row in zip(tokenizer.vocabulary, rows, strict=True)]
        for mine, theirs in self._special(tokenizer).items():
            rows[mine] = [theirs]
        nothing = next(i for i in (self._tokenizer.unk_token_id, self._tokenizer.pad_token_id, 0) if i is not None)
        rows = [row or [nothing] for row in rows]  # white space has no pieces
        lengths = torch.tensor([len(row) for row in rows])
        return WordPieces(torch.tensor([i for row in rows for i in row]), lengths.cumsum(0) - lengths)

    def text(self, tokenizer: Tokenizer, row: Tensor) -> str:
        """The sentence ``row`` of ``tokenizer`` as this tokenizer is to read it: unknown words are its own unknown token."""
        text = tokenizer.decode(row)
        unknown = self._tokenizer.unk_token
        if tokenizer.unknown is None or unknown is None:
            return text
        return text.replace(tokenizer.vocabulary[tokenizer.unknown], unknown)

    def _special(self, tokenizer: Tokenizer) -> dict[int, int]:
        """What the special tokens of ``tokenizer`` are here. Plain ids have none: what they start with is a token like any."""
        if tokenizer.end is None:
            return {}
        pairs = [
            (tokenizer.pad, self._tokenizer.pad_token_id),
            (tokenizer.unknown, self._tokenizer.unk_token_id),
            (tokenizer.start, next(iter(self.before), None)),
            (tokenizer.end, next(iter(self.after), None)),
        ]
        return {mine: theirs for mine, theirs in pairs if mine is not None and theirs is not None}

    def _ids(self, texts: list[str], special: bool) -> list[list[int]]:
        if not texts:
            return []
        found: list[list[int]] = self._tokenizer(
            texts,
            add_special_tokens=special,
            padding=False,
            truncation=special,
            max_length=self.max_tokens if special else None,
        )["input_ids"]
        return found
