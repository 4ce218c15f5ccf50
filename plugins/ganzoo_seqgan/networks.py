"""The generators of SeqGAN; its discriminators are those of `ganzoo.text.discriminators` as they stand."""

from collections.abc import Mapping
from typing import Any

from ganzoo.text.generators import CausalLMGenerator, LSTMGenerator
from ganzoo_seqgan.small import SMALL_TRANSFORMER


class SeqGANGenerator(LSTMGenerator):
    """Yu et al. 2017 (sec. 3.3 and sec. 5.1): 32 numbers a token, 32 hidden units, weights from a normal distribution with a
    standard deviation of 0.1. The defaults of `LSTMGenerator` are these.
    """


class SeqGANTransformerGenerator(CausalLMGenerator):
    """Any causal language model of transformers, a small one by default: see `ganzoo.text.generators.CausalLMGenerator`."""

    def __init__(
        self,
        transformers: Mapping[str, Any] = SMALL_TRANSFORMER,
        vocab_size: int = 5000,
        max_length: int = 20,
        start_token: int = 0,
        end_token: int | None = None,
        pad_token: int | None = None,
        tokenizer_bytes: int = 0,
    ) -> None:
        super().__init__(transformers, vocab_size, max_length, start_token, end_token, pad_token, tokenizer_bytes)
