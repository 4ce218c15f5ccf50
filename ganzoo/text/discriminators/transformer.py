"""Any transformer as a judge of text: a frozen encoder with a trained head, all of it trained, or one from scratch."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.errors import CheckpointError, ConfigError
from ganzoo.text.checks import check_dropout, check_sizes
from ganzoo.text.discriminators.base import TextDiscriminator
from ganzoo.text.discriminators.readers import FrozenReader, OwnReader, TunedReader
from ganzoo.text.encoders.files import DEFAULT, EncoderFiles, find_encoder, is_pinned


class TransformerDiscriminator(TextDiscriminator):
    """A transformer reads the sentence, a small network judges the vector that it gives.

    A pretrained encoder has a vocabulary of its own. Hard sentences become text and go through its tokenizer. Soft ones are
    shown to it one position a word, as the expected embedding under the distribution; the embedding of a word is the mean of
    its word pieces. So exact one-hots score as their ids do where every word is one piece, and nearly so elsewhere.

    Args:
        vocab_size: See `TextDiscriminator`, and so the next two.
        max_length: The longest sentence, in tokens of our vocabulary.
        pad_token: The id that fills a row behind its sentence.
        tokenizer_bytes: Room for the tokenizer, which a pretrained encoder needs.
        encoder: ``minilm``, a folder, ``organisation/name@commit`` on the Hub; or a configuration of transformers
            (``{"model_type": "bert", …}``) for a network from scratch over our own vocabulary.
        train: ``head`` keeps the encoder as it is and out of our checkpoints; ``full`` trains and saves all of it.
        hidden_size: Of the head's hidden layer.
        dropout: Probability in front of the head's last layer.

    Attributes:
        encoder_sha256: Hash of the pretrained weights, uint8 ``[32]``; loading refuses weights made with others.

    Raises:
        ConfigError: arguments that do not fit together.
        MissingExtraError: a package of the extra ``text`` is not installed.
        CheckpointError: the encoder's files cannot be used.
        HubError: they could not be had.
    """

    encoder_sha256: Tensor

    def __init__(
        self,
        vocab_size: int,
        max_length: int,
        *,
        pad_token: int | None = None,
        tokenizer_bytes: int = 0,
        encoder: str | Mapping[str, Any] = DEFAULT,
        train: Literal["head", "full"] = "head",
        hidden_size: int = 256,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(vocab_size, max_length, pad_token=pad_token, tokenizer_bytes=tokenizer_bytes)
        check_sizes(hidden_size=hidden_size)
        check_dropout(dropout)
        if train not in ("head", "full"):
            raise ConfigError(f"'train' is 'head' or 'full', not {train!r}.")
        self.reader: FrozenReader | TunedReader | OwnReader
        if isinstance(encoder, str):
            files = self._files(encoder, tokenizer_bytes)
            self.reader = FrozenReader(files) if train == "head" else TunedReader(files)
        elif train == "full":
            self.reader = OwnReader(encoder, vocab_size, pad_token)
            if self.reader.network.max_tokens < max_length:
                raise ConfigError(
                    f"This encoder has {self.reader.network.max_tokens} positions, but sentences may have {max_length} tokens.",
                    hint=f"Give it max_position_embeddings={max_length}.",
                )
        else:
            raise ConfigError("An encoder from scratch has nothing to judge by.", hint="Train all of it: train='full'.")
        self.norm = nn.LayerNorm(self.reader.size)
        self.hidden = nn.Linear(self.reader.size, hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden_size, 1)

    def embed(self, x: Tensor) -> Tensor:
        """The transformer's vectors ``[N, D]`` of a hard or soft batch.

        Raises:
            InvalidValueError: neither ids nor soft one-hots of this vocabulary.
            ConfigError: no tokenizer was set.
        """
        read = self.reader.soft if self.is_soft(x) else self.reader.hard
        return read(x, self.tokenizer)

    def features(self, x: Tensor) -> Tensor:
        """The head's hidden layer ``[N, hidden_size]`` of a hard or soft batch.

        Raises:
            InvalidValueError, ConfigError: see `embed`.
        """
        return F.gelu(self.hidden(self.norm(self.embed(x).to(self.norm.weight.dtype))))

    def score(self, features: Tensor) -> Tensor:
        """Logits ``[N]``, positive for "real", of `features`."""
        logits: Tensor = self.output(self.dropout(features))
        return logits.squeeze(1)

    def _files(self, encoder: str, tokenizer_bytes: int) -> EncoderFiles:
        if not tokenizer_bytes:
            raise ConfigError(
                f"The encoder '{encoder}' reads text, but this network has no tokenizer: its ids stand for no text.",
                hint='Give it one, or train a transformer over the ids themselves: encoder={"model_type": "bert", …}.',
            )
        if not is_pinned(encoder):
            raise ConfigError(
                f"The encoder '{encoder}' is not pinned, so that it may be another one tomorrow.",
                hint="Name a commit: organisation/name@<40 hexadecimal digits>.",
            )
        files = find_encoder(encoder)
        self.register_buffer("encoder_sha256", torch.tensor(list(bytes.fromhex(files.sha256)), dtype=torch.uint8))
        self._encoder_name, self._encoder_sha256 = files.name, files.sha256
        self.register_load_state_dict_post_hook(_check_encoder)  # type: ignore[no-untyped-call]
        return files


def _check_encoder(network: nn.Module, _: object) -> None:
    """After loading: the weights were made with the encoder that is here."""
    assert isinstance(network, TransformerDiscriminator)
    wanted = bytes(network.encoder_sha256.tolist()).hex()
    if wanted != network._encoder_sha256:
        raise CheckpointError(
            f"This discriminator was trained with other weights of the encoder '{network._encoder_name}' than those here.\n"
            f"  trained with {wanted}\n  found here   {network._encoder_sha256}",
            hint="Install or name the encoder that it was trained with.",
        )
