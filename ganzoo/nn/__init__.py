"""Blocks that families share; they know nothing of the zoo."""

from ganzoo.nn.activations import ACTIVATIONS, Activation, activation_named
from ganzoo.nn.attention import SelfAttention
from ganzoo.nn.biased_activation import BIAS_ACTIVATIONS, bias_act
from ganzoo.nn.classes import class_indices, class_mixture, class_weights, one_hot
from ganzoo.nn.conditional import ClassBatchNorm2d, ConditionalBatchNorm2d
from ganzoo.nn.conditioning import AuxiliaryHead, ClassConcat, ProjectionHead
from ganzoo.nn.conv_resample import conv2d_resample
from ganzoo.nn.filtered_activation import filtered_lrelu
from ganzoo.nn.filters import fir_filter
from ganzoo.nn.heads import ClassHead, HeadOutputs
from ganzoo.nn.initialisers import INITIALISERS, initialise, trained_weight
from ganzoo.nn.layers import SPECTRAL_NORMS, Layers
from ganzoo.nn.modulated import modulated_conv2d, unit_power
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
from ganzoo.nn.upfirdn import downsample2d, filter2d, upfirdn2d, upsample2d

__all__ = [
    "ACTIVATIONS",
    "BIAS_ACTIVATIONS",
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
    "bias_act",
    "class_indices",
    "class_mixture",
    "class_weights",
    "conv2d_resample",
    "downsample2d",
    "filter2d",
    "filtered_lrelu",
    "fir_filter",
    "initialise",
    "modulated_conv2d",
    "one_hot",
    "trained_weight",
    "unit_power",
    "upfirdn2d",
    "upsample2d",
]
