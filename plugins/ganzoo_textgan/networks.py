"""The networks of TextGAN (Zhang et al. 2017): an LSTM whose every step sees ``z``, and a CNN that also tells ``z`` again."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.text.checks import check_sizes
from ganzoo.text.discriminators import TextDiscriminator
from ganzoo.text.generators import SequenceGenerator
from ganzoo.text.sequences import State

_FIXED = 0  # seed of the latents that stand in where an evaluation gives none


class TextGANGenerator(SequenceGenerator):
    """``h_0 = tanh(C z)``, ``h_t = LSTM([W_e[y_{t-1}], z], h_{t-1})``, logits ``V h_t`` (Zhang et al. 2017, sec. 2.1).

    The latent ``z`` is uniform in (-1, 1). Given ``z`` the sentence is certain, as in the paper: each token is the most
    probable one. With a temperature, ``top_k`` or ``top_p`` tokens are drawn instead.

    Where no ``z`` is given, one is drawn for each sentence: in training mode from PyTorch's global random numbers, as dropout
    does; in evaluation the same ones each time. A likelihood so measured is on average over ``z`` a lower bound of that of the
    sentence.

    Args:
        vocab_size: Tokens.
        max_length: Tokens of a sentence at most, its end included.
        latent_size: Entries of ``z``.
        embedding_size: Numbers a token.
        hidden_size: Units of the LSTM.
        sharpness: ``L`` of the soft argmax: logits are multiplied by it. The paper's 1000 lets gradients through only where two
            tokens are all but equally probable.
        start_token: Is fed before the first token.
        end_token: Closes a sentence; None where all have ``max_length`` tokens.
        pad_token: Fills a row behind the end.
        tokenizer_bytes: Size of the tokenizer that travels with the weights; 0 for plain ids.

    Raises:
        ConfigError: sizes or a sharpness that cannot be used.
    """

    def __init__(
        self,
        vocab_size: int = 5000,
        max_length: int = 20,
        latent_size: int = 64,
        embedding_size: int = 64,
        hidden_size: int = 192,
        sharpness: float = 30.0,
        start_token: int = 0,
        end_token: int | None = None,
        pad_token: int | None = None,
        tokenizer_bytes: int = 0,
    ) -> None:
        super().__init__(vocab_size, max_length, start_token, end_token, pad_token, tokenizer_bytes)
        check_sizes(latent_size=latent_size, embedding_size=embedding_size, hidden_size=hidden_size)
        if not 0 < sharpness < math.inf:
            raise ConfigError(f"'sharpness' must be a number above 0, not {sharpness!r}.")
        self.latent_size, self.sharpness = latent_size, sharpness
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.begin_with = nn.Linear(latent_size, hidden_size)
        self.lstm = nn.LSTM(embedding_size + latent_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, vocab_size)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)

    def draw_latent(self, rng: torch.Generator) -> Tensor:
        """``z`` uniform in (-1, 1), then the numbers that tokens are drawn with, uniform in [0, 1)."""
        drawn = torch.rand(self.latent_shape, generator=rng, dtype=torch.float32, device="cpu")
        return torch.cat([2 * drawn[: self.latent_size] - 1, drawn[self.latent_size :]])

    def begin(self, n: int, z: Tensor | None = None) -> State:
        """See `SequenceGenerator`: hidden state, cell, and ``z [n, latent_size]``."""
        z = self._some(n) if z is None else z
        hidden = torch.tanh(self.begin_with(z))
        return hidden, torch.zeros_like(hidden), z

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """See `SequenceGenerator`."""
        return self._advance(self.embedding(tokens), state)

    def hidden(self, tokens: Tensor, z: Tensor | None = None) -> Tensor:
        """See `SequenceGenerator`."""
        hidden, cell, z = self.begin(len(tokens), z)
        inputs = self.embedding(self.shifted(tokens))
        every = torch.cat([inputs, z[:, None].expand(-1, inputs.shape[1], -1)], 2)
        return self.lstm(every, (hidden[None], cell[None]))[0]  # type: ignore[no-any-return]

    def soft(self, z: Tensor, sharpness: float | None = None) -> Tensor:
        """Soft one-hots ``[N, max_length, vocab_size]`` of the sentences of ``z``, with gradients (sec. 2.3, eq. 7).

        ``y_t = softmax(L V h_t)``, and ``W_e y_t`` goes into the next step. Behind the end, as far as it was reached, there is
        padding: the sharper, the nearer to the one-hots of what ``forward`` makes of the same ``z``.

        Args:
            z: ``[N, latent_size]``.
            sharpness: ``L``; the network's own unless given.
        """
        scale = self.sharpness if sharpness is None else sharpness
        state = self.begin(len(z), z)
        inputs = self.embedding.weight[self.start_token].expand(len(z), -1)
        going, rows = z.new_ones(len(z), 1), []
        for _ in range(self.max_length):
            hidden, state = self._advance(inputs, state)
            soft = torch.softmax(scale * self.head(hidden), 1)
            inputs = soft @ self.embedding.weight
            rows.append(self._closed(soft, going))
            if self.end_token is not None:
                going = going * (1 - soft[:, self.end_token, None])
        return torch.stack(rows, 1)

    def forward(
        self,
        latent: Tensor,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        prompt: str | None = None,
    ) -> Tensor:
        """Sentences, int64 ``[N, max_length]``, of ``latent [N, latent_size + max_length]``.

        The most probable token each time, unless one of the first three options is given: then tokens are drawn. See
        `SequenceGenerator` for the options.
        """
        if temperature is None and top_k is None and top_p is None:
            top_k = 1
        return super().forward(latent, 1.0 if temperature is None else temperature, top_k, top_p, prompt)

    def _advance(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        hidden, cell, z = state
        hidden, cell = torch.lstm_cell(torch.cat([inputs, z], 1), [hidden, cell], *self.lstm.all_weights[0])
        return hidden, (hidden, cell, z)

    def _closed(self, soft: Tensor, going: Tensor) -> Tensor:
        """``soft [N, V]`` as far as the sentence is still going on, padding for the rest."""
        if self.end_token is None or self.pad_token is None:
            return soft
        rest = nn.functional.pad(1 - going, (self.pad_token, self.vocab_size - self.pad_token - 1))
        return going * soft + rest

    def _some(self, n: int) -> Tensor:
        """Latents ``[n, latent_size]``."""
        like = self.head.weight
        if self.training:
            return 2 * torch.rand(n, self.latent_size, device=like.device, dtype=like.dtype) - 1
        rng = torch.Generator().manual_seed(_FIXED)
        return (2 * torch.rand(n, self.latent_size, generator=rng, dtype=torch.float32, device="cpu") - 1).to(like)


class TextGANDiscriminator(TextDiscriminator):
    """Convolutions over words, the tanh of their maxima over time, and two heads: "real", and ``z`` (sec. 2.2).

    Before and behind the sentence every filter sees zeros, so that no sentence is too short.

    Args:
        vocab_size: Tokens.
        max_length: Tokens of a sentence at most.
        latent_size: Entries of the generator's ``z``.
        embedding_size: Numbers a token.
        filter_sizes: Lengths of the filters, in tokens.
        filter_count: How many of each.
        judge_size: Units of the layer before the logit; the one before ``z`` has as many as there are filters.
        pad_token: Stands behind the end of a sentence; a token like any other here.
        tokenizer_bytes: Size of the tokenizer that travels with the weights; 0 for plain ids.

    Raises:
        ConfigError: sizes that cannot be used.
    """

    def __init__(
        self,
        vocab_size: int = 5000,
        max_length: int = 20,
        latent_size: int = 64,
        embedding_size: int = 64,
        filter_sizes: Sequence[int] = (3, 4, 5),
        filter_count: int = 100,
        judge_size: int = 100,
        pad_token: int | None = None,
        tokenizer_bytes: int = 0,
    ) -> None:
        super().__init__(vocab_size, max_length, pad_token=pad_token, tokenizer_bytes=tokenizer_bytes)
        check_sizes(latent_size=latent_size, embedding_size=embedding_size, filter_count=filter_count, judge_size=judge_size)
        if not filter_sizes:
            raise ConfigError("'filter_sizes' is empty: there must be at least one filter.")
        for each in filter_sizes:
            check_sizes(filter_sizes=each)
        self.latent_size = latent_size
        size = filter_count * len(filter_sizes)
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.convs = nn.ModuleList(nn.Conv1d(embedding_size, filter_count, each, padding=each - 1) for each in filter_sizes)
        self.judgement = nn.Sequential(nn.Linear(size, judge_size), nn.Tanh(), nn.Linear(judge_size, 1))
        self.reconstruction = nn.Sequential(nn.Linear(size, size), nn.Tanh(), nn.Linear(size, latent_size), nn.Tanh())

    def features(self, x: Tensor) -> Tensor:
        """What is matched: ``[N, filter_count * len(filter_sizes)]`` in (-1, 1), of a hard or soft batch.

        Raises:
            InvalidValueError: neither ids nor soft one-hots of this vocabulary.
        """
        table = self.embedding.weight
        embedded = (x.to(table.dtype) @ table if self.is_soft(x) else self.embedding(x)).transpose(1, 2).contiguous()
        return torch.tanh(torch.cat([conv(embedded).amax(2) for conv in self.convs], 1))

    def score(self, features: Tensor) -> Tensor:
        """See `TextDiscriminator`."""
        return self.judgement(features).squeeze(1)  # type: ignore[no-any-return]

    def reconstruct(self, features: Tensor) -> Tensor:
        """``z`` in (-1, 1), ``[N, latent_size]``, of the `features` of the sentence made from it."""
        return self.reconstruction(features)  # type: ignore[no-any-return]
