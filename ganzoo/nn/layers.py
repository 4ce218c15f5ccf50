"""Layers by kind: plain, or spectrally normalised in one of two ways."""

from collections.abc import Callable
from functools import partial

from torch import nn

from ganzoo.errors import ConfigError
from ganzoo.nn import spectral

Factory = Callable[..., nn.Module]
_STORED: tuple[Factory, ...] = (
    spectral.SpectralConv2d,
    spectral.SpectralConvTranspose2d,
    spectral.SpectralLinear,
    spectral.SpectralEmbedding,
)
_RECOMPUTED: tuple[Factory, ...] = (
    spectral.RecomputedSpectralConv2d,
    spectral.RecomputedSpectralConvTranspose2d,
    spectral.RecomputedSpectralLinear,
    spectral.RecomputedSpectralEmbedding,
)
SPECTRAL_NORMS = {"none": None, "stored": _STORED, "recomputed": _RECOMPUTED}


class Layers:
    """Makes a network's layers, all with the same spectral normalisation. Arguments of the layers are those of `torch.nn`.

    Args:
        spectral_norm: ``none``; ``stored``, which in evaluation uses the vectors of the last training pass
            (`spectral.SpectralNorm`); or ``recomputed``, which improves them in every pass (`spectral.RecomputedSpectralNorm`).
        eps: Keeps the norms of the vectors from being zero.

    Attributes:
        convolution: Makes a two-dimensional convolution.
        deconvolution: Makes a two-dimensional transposed convolution.
        linear: Makes a linear layer.
        embedding: Makes an embedding.

    Raises:
        ConfigError: no normalisation of that name.
    """

    convolution: Factory
    deconvolution: Factory
    linear: Factory
    embedding: Factory

    def __init__(self, spectral_norm: str = "none", *, eps: float = 1e-12) -> None:
        if spectral_norm not in SPECTRAL_NORMS:
            raise ConfigError(
                f"There is no spectral normalisation '{spectral_norm}'.", hint=f"Use {', '.join(SPECTRAL_NORMS)}."
            )
        plain: tuple[Factory, ...] = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)
        normalised = SPECTRAL_NORMS[spectral_norm]
        made = plain if normalised is None else tuple(partial(layer, eps=eps) for layer in normalised)
        self.convolution, self.deconvolution, self.linear, self.embedding = made
