"""The convolutional judge of SeqGAN: filters of many lengths, their maxima, a highway layer (Kim 2014; Yu et al. 2017)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.errors import ConfigError
from ganzoo.text.checks import check_dropout, check_sizes
from ganzoo.text.discriminators.base import TextDiscriminator

# Yu et al. 2017, section 5.1 and appendix; the published code has the same for sentences of 20 tokens.
FILTER_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)
FILTER_COUNTS = (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160)


class Highway(nn.Module):
    """``gate * relu(transform) + (1 - gate) * x`` (Srivastava et al. 2015).

    Args:
        size: Features in and out.
        kind: ``separate`` for a matrix each, as in the paper and in SeqGAN; ``shared`` for one that feeds both the gate and the
            transform, as in TextGAN-PyTorch.

    Raises:
        ConfigError: no such kind.
    """

    def __init__(self, size: int, kind: Literal["separate", "shared"] = "separate") -> None:
        super().__init__()
        if kind not in ("separate", "shared"):
            raise ConfigError(f"'highway' is 'separate' or 'shared', not {kind!r}.")
        self.transform = nn.Linear(size, size)
        self.gate = nn.Linear(size, size) if kind == "separate" else None

    def forward(self, x: Tensor) -> Tensor:
        """``[N, size]`` of ``x [N, size]``."""
        transformed = self.transform(x)
        gate = torch.sigmoid(transformed if self.gate is None else self.gate(x))
        return x + gate * (F.relu(transformed) - x)


class CNNDiscriminator(TextDiscriminator):
    """Embedding, convolutions over the whole embedding, ReLU, maximum over time, highway, dropout, logits.

    Padding is a token like any other: its embedding is not zero and it is not masked, as in both public implementations, but
    no gradient reaches its row of the embedding (``padding_idx`` in TextGAN-PyTorch). Initialised as SeqGAN's code does.

    Args:
        vocab_size: See `TextDiscriminator`, and so the next three.
        max_length: The longest convolution must not be longer.
        pad_token: Whose embedding stays as it was drawn; None trains all of them.
        tokenizer_bytes: Room for the tokenizer.
        embedding_size: Numbers a token.
        filter_sizes: Length of the filters, in tokens.
        filter_counts: How many of each length.
        dropout: Probability before every linear layer behind the highway. SeqGAN keeps 0.75.
        highway: See `Highway`.
        hidden_size: Of a linear layer between highway and logits, without an activation; 0 for none. TextGAN-PyTorch's
            classifiers have one of 100.
        outputs: 1 logit, or one for each of several classes the last of which is "real" (SeqGAN: 2, fake and real).
        embedding_range: Embeddings start uniform from minus to plus this. SeqGAN's code has 1.

    Attributes:
        output: The last layer, which SeqGAN regularises by weight decay.

    Raises:
        ConfigError: arguments that do not fit together, e.g. a convolution longer than the sentence.
    """

    def __init__(
        self,
        vocab_size: int,
        max_length: int,
        *,
        pad_token: int | None = None,
        tokenizer_bytes: int = 0,
        embedding_size: int = 64,
        filter_sizes: Sequence[int] = FILTER_SIZES,
        filter_counts: Sequence[int] = FILTER_COUNTS,
        dropout: float = 0.25,
        highway: Literal["separate", "shared"] = "separate",
        hidden_size: int = 0,
        outputs: int = 2,
        embedding_range: float = 1.0,
    ) -> None:
        super().__init__(vocab_size, max_length, pad_token=pad_token, tokenizer_bytes=tokenizer_bytes)
        check_sizes(embedding_size=embedding_size, outputs=outputs)
        check_dropout(dropout)
        _check_filters(filter_sizes, filter_counts, max_length)
        filters = list(zip(filter_sizes, filter_counts, strict=True))
        size = sum(filter_counts)
        self.shortest = max(filter_sizes)
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.convs = nn.ModuleList(nn.Conv1d(embedding_size, count, length) for length, count in filters)
        self.highway = Highway(size, highway)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(size, hidden_size) if hidden_size else None
        self.output = nn.Linear(hidden_size or size, outputs)
        self._initialise(embedding_range)

    def features(self, x: Tensor) -> Tensor:
        """Behind the highway, ``[N, sum(filter_counts)]``, of a hard or soft batch: what LeakGAN leaks and TextGAN matches.

        Raises:
            InvalidValueError: neither ids nor soft one-hots of this vocabulary.
            ConfigError: sentences shorter than the longest filter.
        """
        # Channels first in memory: the convolutions would make such a copy each.
        embedded = self._embed(x).transpose(1, 2).contiguous()
        if embedded.shape[2] < self.shortest:
            raise ConfigError(
                f"Sentences of {embedded.shape[2]} tokens are shorter than the longest filter, which has {self.shortest}.",
                hint="Pad them, or build the discriminator with shorter filter_sizes.",
            )
        # The maximum first: ReLU keeps the order, and then has less to do.
        return self.highway(F.relu(torch.cat([conv(embedded).amax(2) for conv in self.convs], 1)))  # type: ignore[no-any-return]

    def class_logits(self, features: Tensor) -> Tensor:
        """Logits ``[N, outputs]`` of `features`."""
        if self.hidden is not None:
            features = self.hidden(self.dropout(features))
        return self.output(self.dropout(features))  # type: ignore[no-any-return]

    def score(self, features: Tensor) -> Tensor:
        """Log-odds ``[N]`` of "real", the last class, against all others together."""
        logits = self.class_logits(features)
        return logits[:, -1] if logits.shape[1] == 1 else logits[:, -1] - logits[:, :-1].logsumexp(1)

    def _embed(self, x: Tensor) -> Tensor:
        table = self.embedding.weight
        if not self.is_soft(x):
            return F.embedding(x, table, self.pad_token)
        if self.pad_token is not None:
            row = torch.arange(self.vocab_size, device=table.device).unsqueeze(1) == self.pad_token
            table = torch.where(row, table.detach(), table)
        return x.to(table.dtype) @ table

    def _initialise(self, embedding_range: float) -> None:
        nn.init.uniform_(self.embedding.weight, -embedding_range, embedding_range)
        for layer in (*self.convs, self.output):
            nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)
            nn.init.constant_(layer.bias, 0.1)
        for layer in (self.highway.transform, self.highway.gate, self.hidden):
            if layer is not None:
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)


def _check_filters(sizes: Sequence[int], counts: Sequence[int], max_length: int) -> None:
    if not sizes or len(sizes) != len(counts):
        raise ConfigError(f"'filter_sizes' has {len(sizes)} numbers and 'filter_counts' {len(counts)}: a count for each size.")
    for size, count in zip(sizes, counts, strict=True):
        check_sizes(filter_sizes=size, filter_counts=count)
    if max(sizes) > max_length:
        fitting = [size for size in sizes if size <= max_length]
        raise ConfigError(
            f"A filter of {max(sizes)} tokens is longer than the longest sentence, which has {max_length}.",
            hint=f"Leave out the longer ones: filter_sizes={fitting}." if fitting else "Use shorter filters.",
        )
