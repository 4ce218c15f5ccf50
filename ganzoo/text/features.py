"""Sentences as vectors of a pretrained encoder: the feature space in which distances between sets of text are measured."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ganzoo.errors import DataError
from ganzoo.metrics.features import FeatureBatch, Features
from ganzoo.text.encoders import load_encoder
from ganzoo.text.encoders.files import DEFAULT


class EncoderFeatures(Features):
    """The encoder's vectors of sentences; of MiniLM unless another one is named.

    Args:
        variant: ``organisation/name`` on the Hub.
        weights: A folder with an encoder, instead.
        revision: Commit, tag or branch of the Hub repository.

    Raises:
        ConfigError: no such name.
        MissingExtraError: a package of the extra ``text`` is not installed.
        CheckpointError: the encoder's files cannot be used.
        HubError: they could not be had.
    """

    modalities = ("text",)

    def __init__(self, variant: str = "", *, weights: Path | None = None, revision: str | None = None) -> None:
        self._encoder = load_encoder(_source(variant, weights, revision))
        self.name = DEFAULT if self._encoder.name == DEFAULT else f"encoder:{self._encoder.name}"
        self.sha256 = self._encoder.sha256
        settings, limit = self._encoder.network.settings, self._encoder.pieces.max_tokens
        self.preprocessing = f"{settings.describe()}, at most {limit} word pieces"

    def __call__(self, texts: Sequence[str], /) -> FeatureBatch:
        """Features ``[N, D]``, float32 on the CPU, of sentences.

        Raises:
            DataError: images or points instead of sentences.
        """
        if isinstance(texts, Tensor):
            raise DataError(
                f"The feature space '{self.name}' is of sentences, not of a tensor {list(texts.shape)}.",
                hint="For images use inception or timm, for points raw.",
            )
        return FeatureBatch(self._encoder.embed(texts))

    def to(self, device: torch.device) -> None:
        """Compute there from now on."""
        self._encoder.to(device)


def _source(variant: str, weights: Path | None, revision: str | None) -> str:
    if weights is not None:
        return str(weights.expanduser().resolve())
    name = variant or DEFAULT
    return name if revision is None else f"{name}@{revision}"
