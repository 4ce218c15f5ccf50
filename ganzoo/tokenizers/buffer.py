"""A tokenizer as a buffer of a network: saved, loaded, copied and averaged with its weights."""

import torch
from torch import Tensor, nn

from ganzoo.errors import CheckpointError, ConfigError
from ganzoo.tokenizers.base import Tokenizer
from ganzoo.tokenizers.coding import encode_tokenizer, read_tokenizer
from ganzoo.tokenizers.ids import IdTokenizer

NAME = "tokenizer_table"


class TokenizerBuffer(nn.Module):
    """Mixin of networks that make or judge text. It must stand before the other bases.

    The network's constructor takes ``tokenizer_bytes`` (0 for plain ids) and calls `init_tokenizer` with it; whoever builds the
    network calls `set_tokenizer`, unless a checkpoint is loaded.

    Attributes:
        vocab_size: Ids that the network knows.
        tokenizer_table: The tokenizer as `encode_tokenizer` writes it, uint8 ``[tokenizer_bytes]``; zeros until it is set.
    """

    vocab_size: int
    tokenizer_table: Tensor
    _decoded: tuple[bytes, Tokenizer] | None = None

    def init_tokenizer(self, tokenizer_bytes: int) -> None:
        """Makes room for a tokenizer that `encode_tokenizer` writes in ``tokenizer_bytes`` bytes.

        Raises:
            ConfigError: not a whole number from 0 on.
        """
        if isinstance(tokenizer_bytes, bool) or not isinstance(tokenizer_bytes, int) or tokenizer_bytes < 0:
            raise ConfigError(f"'tokenizer_bytes' must be a whole number from 0 on, not {tokenizer_bytes!r}.")
        self.register_buffer(NAME, torch.zeros(tokenizer_bytes, dtype=torch.uint8))

    @property
    def has_tokenizer(self) -> bool:
        """Whether it is known what the ids stand for; always where there is no room for a tokenizer: ids themselves."""
        return not len(self.tokenizer_table) or bool(self.tokenizer_table.any())

    @property
    def tokenizer(self) -> Tokenizer:
        """What text the ids of this network stand for; ids themselves where it has no room for a tokenizer.

        Raises:
            ConfigError: it was never set.
            CheckpointError: what a checkpoint put there is none, or has another vocabulary than this network.
        """
        written = self.tokenizer_table.cpu().numpy().tobytes()  # compared each time: loading weights changes it in place
        if self._decoded is None or self._decoded[0] != written:
            self._decoded = (written, self._decode(written))
        return self._decoded[1]

    def set_tokenizer(self, tokenizer: Tokenizer) -> None:
        """Makes ``tokenizer`` the one of this network.

        Raises:
            ConfigError: it has another vocabulary, or was not the one that the network was built for.
        """
        if tokenizer.size != self.vocab_size:
            raise ConfigError(
                f"{tokenizer!r} does not fit {type(self).__name__}, which has a vocabulary of {self.vocab_size} tokens."
            )
        if not len(self.tokenizer_table) and isinstance(tokenizer, IdTokenizer):
            return  # plain ids are written nowhere
        table = encode_tokenizer(tokenizer)
        if len(table) != len(self.tokenizer_table):
            raise ConfigError(
                f"{tokenizer!r} takes {len(table)} bytes, but {type(self).__name__} has room for {len(self.tokenizer_table)}.",
                hint=f"Build it with tokenizer_bytes={len(table)}.",
            )
        self.tokenizer_table.copy_(table)

    def _decode(self, written: bytes) -> Tokenizer:
        if not written:
            return IdTokenizer(self.vocab_size)
        if not self.has_tokenizer:
            raise ConfigError(
                f"This {type(self).__name__} has no tokenizer yet.", hint="Call set_tokenizer, or load its weights."
            )
        tokenizer = read_tokenizer(written)
        if tokenizer.size != self.vocab_size:
            raise CheckpointError(
                f"The checkpoint's tokenizer has {tokenizer.size} tokens, but its {type(self).__name__} has {self.vocab_size}.",
                hint="Its parts come from different models, or it is damaged.",
            )
        return tokenizer
