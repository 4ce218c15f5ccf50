"""Blocks that families share; they know nothing of the zoo."""

from ganzoo.nn.attention import SelfAttention
from ganzoo.nn.conditional import ConditionalBatchNorm2d
from ganzoo.nn.initialisers import INITIALISERS, initialise
from ganzoo.nn.spectral import (
    SpectralConv2d,
    SpectralConvTranspose2d,
    SpectralEmbedding,
    SpectralLinear,
    SpectralNorm,
)

__all__ = [
    "INITIALISERS",
    "ConditionalBatchNorm2d",
    "SelfAttention",
    "SpectralConv2d",
    "SpectralConvTranspose2d",
    "SpectralEmbedding",
    "SpectralLinear",
    "SpectralNorm",
    "initialise",
]
