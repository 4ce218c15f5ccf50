"""What a discriminator of text is: it judges token ids, and the soft one-hots that stand in for them where gradients flow."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models import Discriminator
from ganzoo.text.checks import check_sizes
from ganzoo.tokenizers import TokenizerBuffer


class TextDiscriminator(TokenizerBuffer, Discriminator):
    """Tells real from generated sentences.

    A batch is either hard, int64 ids ``[N, T]``, or soft, a distribution over the vocabulary at each position
    ``[N, T, vocab_size]`` in any floating-point type.

    Args:
        vocab_size: Ids that there are.
        max_length: The longest sentence, in tokens.
        pad_token: The id that fills a row behind its sentence; None where all sentences are of one length.
        tokenizer_bytes: Room for the tokenizer, see `ganzoo.tokenizers.TokenizerBuffer`; 0 for plain ids.

    Raises:
        ConfigError: a size below 1, or a ``pad_token`` outside the vocabulary.
    """

    modality: ClassVar[str] = "text"

    def __init__(self, vocab_size: int, max_length: int, *, pad_token: int | None = None, tokenizer_bytes: int = 0) -> None:
        super().__init__()
        check_sizes(vocab_size=vocab_size, max_length=max_length)
        if pad_token is not None and not 0 <= pad_token < vocab_size:
            raise ConfigError(f"'pad_token' is {pad_token}, but the ids go from 0 to {vocab_size - 1}.")
        self.vocab_size, self.max_length, self.pad_token = vocab_size, max_length, pad_token
        self.init_tokenizer(tokenizer_bytes)

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees of a hard or soft batch: ``[N, F]``."""

    @abstractmethod
    def score(self, features: Tensor) -> Tensor:
        """Logits ``[N]``, positive for "real", of `features` ``[N, F]``."""

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Logits ``[N]``, positive for "real", of a hard or soft batch.

        Raises:
            InvalidValueError: neither ids nor soft one-hots of this vocabulary.
        """
        return self.score(self.features(x))

    def is_soft(self, x: Tensor) -> bool:
        """Whether ``x`` is a soft batch, after a look at its shape and at its ids.

        Raises:
            InvalidValueError: neither ids nor soft one-hots of this vocabulary.
        """
        if x.is_floating_point() and x.dim() == 3 and x.shape[2] == self.vocab_size:
            return True
        if x.is_floating_point() or x.is_complex() or x.dim() != 2:
            raise InvalidValueError(
                f"{type(self).__name__} judges ids [N, T] or distributions [N, T, {self.vocab_size}], not"
                f" {x.dtype} {list(x.shape)}."
            )
        if x.numel() and not 0 <= int(x.min()) <= int(x.max()) < self.vocab_size:
            raise InvalidValueError(
                f"{type(self).__name__} knows the ids 0 to {self.vocab_size - 1}, not {int(x.min())} to {int(x.max())}.",
                hint="The sentences were made with another vocabulary than the one that it was built for.",
            )
        return False
