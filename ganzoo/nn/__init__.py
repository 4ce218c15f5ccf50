"""Blocks that families share; they know nothing of the zoo."""

from ganzoo.nn.activations import ACTIVATIONS, Activation, activation_named
from ganzoo.nn.attention import SelfAttention
from ganzoo.nn.classes import class_indices, one_hot
from ganzoo.nn.conditional import ClassBatchNorm2d, ConditionalBatchNorm2d
from ganzoo.nn.conditioning import AuxiliaryHead, ClassConcat, ProjectionHead
from ganzoo.nn.heads import ClassHead, HeadOutputs
from ganzoo.nn.initialisers import INITIALISERS, initialise, trained_weight
from ganzoo.nn.layers import SPECTRAL_NORMS, Layers
from ganzoo.nn.small_classifier import SmallClassifier
from ganzoo.nn.spectral import (
    RecomputedSpectralConv2d,
    RecomputedSpectralConvTranspose2d,
    RecomputedSpectralEmbedding,
    RecomputedSpectralLinear,
    RecomputedSpectralNorm,
    SpectralConv2d,
    SpectralConvTranspose2d,
    SpectralEmbedding,
    SpectralLinear,
    SpectralNorm,
)

__all__ = [
    "ACTIVATIONS",
    "INITIALISERS",
    "SPECTRAL_NORMS",
    "Activation",
    "AuxiliaryHead",
    "ClassBatchNorm2d",
    "ClassConcat",
    "ClassHead",
    "ConditionalBatchNorm2d",
    "HeadOutputs",
    "Layers",
    "ProjectionHead",
    "RecomputedSpectralConv2d",
    "RecomputedSpectralConvTranspose2d",
    "RecomputedSpectralEmbedding",
    "RecomputedSpectralLinear",
    "RecomputedSpectralNorm",
    "SelfAttention",
    "SmallClassifier",
    "SpectralConv2d",
    "SpectralConvTranspose2d",
    "SpectralEmbedding",
    "SpectralLinear",
    "SpectralNorm",
    "activation_named",
    "class_indices",
    "initialise",
    "one_hot",
    "trained_weight",
]
