"""Sentences to vectors with a pretrained encoder, and an embedding table for any vocabulary."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import DataError
from ganzoo.text.encoders.files import DEFAULT, EncoderFiles, find_encoder
from ganzoo.text.encoders.network import pretrained_network
from ganzoo.text.encoders.pieces import PieceTokenizer
from ganzoo.text.encoders.settings import read_settings
from ganzoo.tokenizers import Tokenizer

# Every call of the network has one of a few shapes, which its text alone decides: with any other batch beside it a sentence
# would get a vector that differs in the last bits, and a training run that was resumed would not be the one that was not.
_ROWS = 16  # sentences a call
_STEP = 8  # lengths are rounded up to a multiple of this many tokens


class SentenceEncoder:
    """A frozen pretrained encoder, float32. It never changes, so copies of what holds it share it.

    The vector of a sentence depends on that sentence alone, to the last bit (one machine, one number of threads).

    Args:
        files: See `find_encoder`.

    Attributes:
        name: See `EncoderFiles`, and so ``sha256``.
        network: The encoder with its pooling, in evaluation mode.
        pieces: Its tokenizer.
        size: Numbers of a sentence's vector, D.

    Raises:
        MissingExtraError: transformers is not installed.
        CheckpointError: the files are damaged, incomplete, or need code of their own.
    """

    def __init__(self, files: EncoderFiles) -> None:
        self.name, self.sha256 = files.name, files.sha256
        self.network = pretrained_network(files, read_settings(files.folder)).requires_grad_(False)
        self.pieces = PieceTokenizer(files, self.network.max_tokens)
        self.size = self.network.size

    def embed(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Tensor:
        """Vectors of sentences, float32 ``[N, D]`` on the CPU.

        Args:
            texts: One sentence each. What is too long for the encoder is cut.
            progress: Told how many of how many are done, now and then.

        Raises:
            DataError: something else than a sequence of text.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise DataError(f"The encoder {self.name} needs a list of sentences, not {_kind(texts)}.")
        found = torch.empty(len(texts), self.size)
        done = 0
        for length, places, rows in self._calls(self.pieces.sentences(texts)):
            found[places] = self._vectors(rows, length)[: len(places)]
            done += len(places)
            if progress is not None:
                progress(done, len(texts))
        return found

    def word_table(self, tokenizer: Tokenizer) -> Tensor:
        """An embedding for every token of ``tokenizer``: the mean of its word pieces' rows, float32 ``[V, E]`` on the CPU."""
        pieces, starts = self.pieces.words(tokenizer)
        return F.embedding_bag(pieces, self.network.token_table.detach().cpu(), starts, mode="mean")

    def to(self, device: torch.device | str) -> Self:
        """Compute there from now on."""
        self.network.to(device)
        return self

    def _calls(self, sentences: list[list[int]]) -> list[tuple[int, list[int], list[list[int]]]]:
        """Padded length, places in the batch and pieces of at most `_ROWS` sentences each, the longest first."""
        by_length: dict[int, list[int]] = {}
        for place, pieces in enumerate(sentences):
            length = min(-(-max(len(pieces), 1) // _STEP) * _STEP, self.pieces.max_tokens)
            by_length.setdefault(length, []).append(place)
        calls = []
        for length in sorted(by_length, reverse=True):  # so that what there is no memory for fails at once
            places = by_length[length]
            for i in range(0, len(places), _ROWS):
                some = places[i : i + _ROWS]
                calls.append((length, some, [sentences[place] for place in some]))
        return calls

    def _vectors(self, rows: list[list[int]], length: int) -> Tensor:
        """``[_ROWS, D]``: of the rows, then of nothing."""
        ids, mask = torch.zeros(_ROWS, length, dtype=torch.int64), torch.zeros(_ROWS, length, dtype=torch.bool)
        mask[:, 0] = True  # a row without any token would divide by zero
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row, dtype=torch.int64)
            mask[i, : len(row)] = True
        device = self.network.token_table.device
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            vectors: Tensor = self.network(mask.to(device), ids=ids.to(device))
        return vectors.float().cpu()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


_loaded: "weakref.WeakValueDictionary[tuple[str, str], SentenceEncoder]" = weakref.WeakValueDictionary()


def load_encoder(source: str | EncoderFiles = DEFAULT) -> SentenceEncoder:
    """An encoder by name, see `find_encoder`; one that is in use already is shared.

    Raises:
        GanzooError: see `find_encoder` and `SentenceEncoder`.
    """
    files = find_encoder(source) if isinstance(source, str) else source
    key = (str(files.folder.resolve()), files.sha256)
    encoder = _loaded.get(key)
    if encoder is None:
        encoder = _loaded[key] = SentenceEncoder(files)
    return encoder


def default_encoder() -> SentenceEncoder:
    """MiniLM (all-MiniLM-L6-v2, 384 numbers a sentence), which comes with the extra ``text`` and needs no network.

    Raises:
        MissingExtraError: the extra is not installed.
    """
    return load_encoder(DEFAULT)


def _kind(texts: object) -> str:
    if isinstance(texts, str):
        return "one text"
    return f"a tensor {list(texts.shape)}" if isinstance(texts, Tensor) else f"a {type(texts).__name__} of something else"
