"""How a transformer reads a batch of sentences: through text and its own tokenizer, or with our vocabulary as its own."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.text.encoders.encoder import SentenceEncoder, load_encoder
from ganzoo.text.encoders.files import EncoderFiles
from ganzoo.text.encoders.network import hidden_size, pretrained_network, random_network
from ganzoo.text.encoders.pieces import PieceTokenizer
from ganzoo.text.encoders.settings import read_settings
from ganzoo.text.encoders.soft import extent, soft_sentences
from ganzoo.tokenizers import Tokenizer

_REMEMBERED = 32_768  # vectors of texts; 50 MB with MiniLM


class FrozenReader:
    """A frozen pretrained encoder. It is no part of the network's state, and read when it is first needed.

    Args:
        files: The encoder.

    Attributes:
        size: Numbers of a sentence's vector.
    """

    def __init__(self, files: EncoderFiles) -> None:
        self.files, self.size = files, hidden_size(files)
        self._encoder: SentenceEncoder | None = None
        self._vectors: OrderedDict[str, Tensor] = OrderedDict()
        self._table: tuple[Tokenizer, Tensor] | None = None

    @property
    def encoder(self) -> SentenceEncoder:
        """The encoder, shared with whoever uses it too."""
        if self._encoder is None:
            self._encoder = load_encoder(self.files)
        return self._encoder

    def hard(self, ids: Tensor, tokenizer: Tokenizer) -> Tensor:
        """Vectors ``[N, size]`` of ids ``[N, T]``; texts that were seen lately are not read again."""
        encoder = self.encoder.to(ids.device)
        texts = [encoder.pieces.text(tokenizer, row) for row in ids.cpu()]
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        known = dict(zip(new, encoder.embed(new), strict=True)) if new else {}
        found = torch.stack([known[text] if text in known else self._vectors[text] for text in texts])
        self._remember(texts, known)
        return found.to(ids.device)

    def soft(self, p: Tensor, tokenizer: Tokenizer) -> Tensor:
        """Vectors ``[N, size]`` of soft sentences ``[N, T, V]``."""
        encoder = self.encoder.to(p.device)
        if self._table is None or self._table[0] is not tokenizer or self._table[1].device != p.device:
            self._table = (tokenizer, encoder.word_table(tokenizer).to(p.device))
        return soft_sentences(p, self._table[1], encoder.network, encoder.pieces, tokenizer)

    def _remember(self, texts: list[str], known: Mapping[str, Tensor]) -> None:
        for text in texts:
            if text in self._vectors:
                self._vectors.move_to_end(text)
            else:
                self._vectors[text] = known[text].clone()  # a row would keep its whole batch
        while len(self._vectors) > _REMEMBERED:
            self._vectors.popitem(last=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # it never says anything else


class TunedReader(nn.Module):
    """A pretrained encoder that is trained with its judge; its weights are part of the network's state."""

    def __init__(self, files: EncoderFiles) -> None:
        super().__init__()
        self.network = pretrained_network(files, read_settings(files.folder)).train()
        self.pieces = PieceTokenizer(files, self.network.max_tokens)
        self.size = self.network.size
        self._words: tuple[Tokenizer, Tensor, Tensor] | None = None

    def hard(self, ids: Tensor, tokenizer: Tokenizer) -> Tensor:
        """Vectors ``[N, size]`` of ids ``[N, T]``."""
        sentences = self.pieces.sentences([self.pieces.text(tokenizer, row) for row in ids.cpu()])
        length = max(map(len, sentences))
        rows = torch.tensor([[*row, *[0] * (length - len(row))] for row in sentences], device=ids.device)
        lengths = torch.tensor([len(row) for row in sentences], device=ids.device)
        mask = torch.arange(length, device=ids.device) < lengths.unsqueeze(1)
        vectors: Tensor = self.network(mask, ids=rows)
        return vectors

    def soft(self, p: Tensor, tokenizer: Tokenizer) -> Tensor:
        """Vectors ``[N, size]`` of soft sentences ``[N, T, V]``."""
        if self._words is None or self._words[0] is not tokenizer:
            self._words = (tokenizer, *self.pieces.words(tokenizer))
        _, pieces, starts = self._words
        table = F.embedding_bag(pieces.to(p.device), self.network.token_table, starts.to(p.device), mode="mean")
        return soft_sentences(p, table, self.network, self.pieces, tokenizer)


class OwnReader(nn.Module):
    """A transformer from scratch whose vocabulary is that of the sentences.

    Args:
        definition: See `random_network`.
        vocab_size: Tokens.
        pad_token: The id that fills a row behind its sentence, or None.
    """

    def __init__(self, definition: Mapping[str, Any], vocab_size: int, pad_token: int | None) -> None:
        super().__init__()
        self.network = random_network(definition, vocab_size, pad_token)
        self.size, self.pad_token = self.network.size, pad_token

    def hard(self, ids: Tensor, tokenizer: Tokenizer) -> Tensor:
        """Vectors ``[N, size]`` of ids ``[N, T]``."""
        vectors: Tensor = self.network(extent(ids, tokenizer.end, self.pad_token)[0], ids=ids)
        return vectors

    def soft(self, p: Tensor, tokenizer: Tokenizer) -> Tensor:
        """Vectors ``[N, size]`` of soft sentences ``[N, T, V]``; of exact one-hots what `hard` gives."""
        mask, _ = extent(p.argmax(2), tokenizer.end, self.pad_token)
        table = self.network.token_table
        vectors: Tensor = self.network(mask, vectors=p.to(table.dtype) @ table)
        return vectors
