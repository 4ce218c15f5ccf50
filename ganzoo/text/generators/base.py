"""What every generator of text is: a hidden state that advances by a token, and a linear layer that makes logits of it."""

import copy
import itertools
from abc import abstractmethod
from typing import ClassVar, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models import TextGenerator
from ganzoo.models.generator import normal
from ganzoo.text.rollout import complete
from ganzoo.text.sampling import Restriction
from ganzoo.text.sequences import State, rows_at_once, token_mask
from ganzoo.tokenizers import TokenizerBuffer

M = TypeVar("M", bound=nn.Module)


class SequenceGenerator(TokenizerBuffer, TextGenerator):
    """Writes sentences from left to right: ``p(y) = prod_t p(y_t | y_<t, z)``.

    A subclass gives `begin`, `step`, `hidden` and the layer `head`; sampling, likelihoods and rollouts stand on these. Every
    sentence begins with ``start_token``, which is fed but never part of it.

    Args:
        vocab_size: Tokens.
        max_length: Tokens of a sentence at most, its end included.
        start_token: Is fed before the first token.
        end_token: Closes a sentence; None where all have ``max_length`` tokens.
        pad_token: Fills a row behind the end; None where all have ``max_length`` tokens.
        tokenizer_bytes: Size of the tokenizer that travels with the weights; 0 for plain ids.

    Attributes:
        latent_size: Entries of ``z``; 0 where sentences are made of nothing but uniform numbers.
        head: Makes logits ``[…, V]`` of hidden states ``[…, H]``.
    """

    default_batch_size: ClassVar[int] = 256
    latent_size: int = 0
    head: nn.Linear

    def __init__(
        self,
        vocab_size: int,
        max_length: int,
        start_token: int = 0,
        end_token: int | None = None,
        pad_token: int | None = None,
        tokenizer_bytes: int = 0,
    ) -> None:
        super().__init__()
        if vocab_size < 1 or max_length < 1:
            raise ConfigError(f"Sentences need a token and a place for it, not {vocab_size} tokens and {max_length} places.")
        for name, token in (("start", start_token), ("end", end_token), ("pad", pad_token)):
            if token is not None and not 0 <= token < vocab_size:
                raise ConfigError(f"The {name} token {token} is none of the {vocab_size} tokens of the vocabulary.")
        if end_token is not None and pad_token is None:
            raise ConfigError("Sentences that end early need a pad_token to fill their rows.")
        self.vocab_size, self.max_length = vocab_size, max_length
        self.start_token, self.end_token, self.pad_token = start_token, end_token, pad_token
        self.init_tokenizer(tokenizer_bytes)

    # --- what a subclass gives ----------------------------------------------------------------------------------------

    @abstractmethod
    def begin(self, n: int, z: Tensor | None = None) -> State:
        """The state of ``n`` sentences before the start token.

        Args:
            n: How many.
            z: ``[n, latent_size]`` where there is a latent.
        """

    @abstractmethod
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Feeds one token of each sentence, ``[n]``.

        Returns:
            What the head turns into logits of the next token, ``[n, H]``, and the new state.
        """

    @abstractmethod
    def hidden(self, tokens: Tensor, z: Tensor | None = None) -> Tensor:
        """``[n, T, H]``, from which the head predicts ``tokens [n, T]``: at ``t`` only those before ``t`` were seen."""

    # --- likelihoods --------------------------------------------------------------------------------------------------

    def shifted(self, tokens: Tensor) -> Tensor:
        """What is fed to predict ``tokens [n, T]``: the start token, then all of them but the last."""
        return F.pad(tokens[:, :-1], (1, 0), value=self.start_token)

    def logits(self, tokens: Tensor, z: Tensor | None = None) -> Tensor:
        """``[n, T, V]``, each from the tokens before it."""
        logits: Tensor = self.head(self.hidden(tokens, z))
        return logits

    def log_prob(self, tokens: Tensor, z: Tensor | None = None) -> Tensor:
        """Log-probabilities of ``tokens [n, T]`` in nats, ``[n, T]``; 0 behind the end of a sentence.

        Without gradients the logits are made a block at a time. To train, `ganzoo.text.fused.linear_cross_entropy` is faster.
        """
        hidden = self.hidden(tokens, z).flatten(0, 1)
        rows = len(hidden) if torch.is_grad_enabled() else rows_at_once(self.vocab_size, hidden.device)
        losses = [
            F.cross_entropy(self.head(part), targets, reduction="none")
            for part, targets in zip(torch.split(hidden, rows), torch.split(tokens.flatten(), rows), strict=True)
        ]
        return -torch.cat(losses).view(tokens.shape).masked_fill(~token_mask(tokens, self.end_token), 0.0)

    # --- sentences ----------------------------------------------------------------------------------------------------

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``z``, then a uniform number for each token."""
        return (self.latent_size + self.max_length,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Ids."""
        return (self.max_length,)

    def draw_latent(self, rng: torch.Generator) -> Tensor:
        """Standard normal ``z`` and uniform numbers in ``[0, 1)``."""
        uniforms = torch.rand(self.max_length, generator=rng, dtype=torch.float32, device="cpu")
        return torch.cat([normal((self.latent_size,), rng), uniforms])

    def truncate(self, z: Tensor, truncation: float, rng: torch.Generator) -> Tensor:
        """Refused: what truncation does for pictures, a temperature does for text.

        Raises:
            InvalidValueError: always.
        """
        raise InvalidValueError(
            "Text is not truncated.", hint="A temperature below 1, top_k or top_p trade variety for quality."
        )

    def forward(
        self,
        latent: Tensor,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        prompt: str | None = None,
    ) -> Tensor:
        """Sentences, int64 ``[N, T]``, padded behind their end.

        It is computed in float64 whatever the dtype of the weights, so that a sentence does not depend on the batch that it is
        made in or the number of threads, and in evaluation mode. No gradient goes through it.

        Args:
            latent: ``[N, latent_size + max_length]``, see `draw_latent`.
            temperature: Above 0; see `Restriction`.
            top_k: At least 1; see `Restriction`.
            top_p: In (0, 1]; see `Restriction`.
            prompt: Text that all sentences begin with.

        Raises:
            InvalidValueError: an argument that cannot be used; a prompt with unknown words, or without room behind it; latents
                of fewer than 32 bits, whose uniform numbers are too coarse.
        """
        restriction = Restriction(temperature, top_k, top_p)
        start = self._prompt_tokens(prompt)
        if latent.dtype.itemsize < 4:
            raise InvalidValueError(
                f"Uniform numbers in {latent.dtype} are too coarse to draw tokens with.",
                hint="Load the model in float32; training may use fewer bits.",
            )
        z, uniforms = torch.split(latent.double(), [self.latent_size, self.max_length], 1)
        tokens = torch.zeros(uniforms.shape, dtype=torch.int64, device=latent.device)
        tokens[:, : len(start)] = torch.tensor(start, device=latent.device)
        return complete(doubled(self), tokens, len(start), uniforms, z=z if self.latent_size else None, restriction=restriction)

    def _prompt_tokens(self, prompt: str | None) -> list[int]:
        tokens = [] if prompt is None else self.tokenizer.encode_known(prompt)
        if len(tokens) >= self.max_length:
            raise InvalidValueError(
                f"The prompt has {len(tokens)} tokens; this model writes sentences of {self.max_length}.",
                hint=f"Give at most {self.max_length - 1}, so that there is room for a word.",
            )
        return tokens


def doubled(module: M) -> M:
    """``module`` in float64, without gradients: its tensors are copied, everything else of a copy too."""
    tensors = itertools.chain(module.parameters(), module.buffers())
    # Copies are not parameters, so nothing is copied twice and tied weights stay tied.
    return copy.deepcopy(module, {id(t): t.detach().double() if t.is_floating_point() else t.detach() for t in tensors})
