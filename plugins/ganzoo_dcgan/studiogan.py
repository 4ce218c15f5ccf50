"""The DCGAN of StudioGAN (Kang, Shin and Park 2023, arXiv:2206.09479), as its checkpoints have it.

It differs from Radford et al. 2016: biases everywhere, a linear first layer without normalisation, a 3x3 last convolution, two
convolutions a stage in the discriminator, sum pooling, and a choice of spectral norm, self attention and class conditioning
(cBN in the generator; those of `ganzoo.nn.heads` in the discriminator).
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models import HeadedDiscriminator, ImageGenerator
from ganzoo.nn import (
    ClassHead,
    ConditionalBatchNorm2d,
    Layers,
    SelfAttention,
    activation_named,
    initialise,
    one_hot,
)

IMAGE_SIZE = 32  # three doublings from 4x4
NORM_EPS = 1e-4
SPECTRAL_EPS = 1e-6
STAGES = (1, 2, 3)


class GeneratorStage(nn.Module):
    """Doubles the resolution: transposed convolution, batch normalisation (given the class or not), activation."""

    def __init__(self, before: int, after: int, classes: int, activation: str, layers: Layers) -> None:
        super().__init__()
        self.deconv0 = layers.deconvolution(before, after, 4, stride=2, padding=1)
        self.bn0: nn.Module
        if classes:
            self.bn0 = ConditionalBatchNorm2d(after, classes, eps=NORM_EPS, linear=layers.linear)
        else:
            self.bn0 = nn.BatchNorm2d(after, eps=NORM_EPS)
        self.activation = activation_named(activation)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', 2H, 2W]``, given one-hot classes ``y [N, classes]`` or None."""
        x = self.deconv0(x)
        return self.activation(self.bn0(x) if y is None else self.bn0(x, y))


class StudioDCGANGenerator(ImageGenerator):
    """``z [N, latent_size]``, and a class ``c [N]`` where conditional, to images ``[N, channels, 32, 32]`` in [-1, 1].

    Args:
        latent_size: Entries of ``z``.
        channels: Of the image.
        width: Channels at 32 pixels, doubled at each halving; the reference has 64.
        activation: ``ReLU``, ``Leaky_ReLU`` (slope 0.1), ``ELU`` or ``GELU``.
        spectral_norm: Normalise every layer's weight.
        attention: After which of the stages 1, 2, 3 self attention stands.
        conditioning: ``none`` or ``cBN``, conditional batch normalisation.
        num_classes: How many classes; needed with ``cBN``.
        initialisation: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ConfigError: a value that is none of these.
    """

    def __init__(
        self,
        latent_size: int = 100,
        channels: int = 3,
        width: int = 64,
        activation: str = "ReLU",
        spectral_norm: bool = False,
        attention: Sequence[int] = (),
        conditioning: str = "none",
        num_classes: int = 0,
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        _check_conditioning(conditioning, num_classes)
        _check_attention(attention)
        self._latent_shape, self._output_shape = (latent_size,), (channels, IMAGE_SIZE, IMAGE_SIZE)
        self.num_classes = num_classes if conditioning == "cBN" else 0
        layers = Layers("stored" if spectral_norm else "none", eps=SPECTRAL_EPS)
        self.linear0 = layers.linear(latent_size, 8 * width * 4 * 4)
        self.blocks = nn.ModuleList()
        for stage in STAGES:
            before, after = width << (4 - stage), width << (3 - stage)
            self.blocks.append(nn.ModuleList([GeneratorStage(before, after, self.num_classes, activation, layers)]))
            if stage in attention:
                self.blocks.append(nn.ModuleList([SelfAttention(after, convolution=layers.convolution)]))
        self.conv4 = layers.convolution(width, channels, 3, padding=1)
        initialise(self, initialisation)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``(latent_size,)``."""
        return self._latent_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, 32, 32)``."""
        return self._output_shape

    def forward(self, z: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Images of latents.

        Args:
            z: Latents ``[N, latent_size]``.
            c: Class of each image ``[N]``, or one for all; not used by an unconditional network.

        Raises:
            InvalidValueError: a conditional network is given no class, or one that it does not have.
        """
        y = one_hot(c, self.num_classes, z) if self.num_classes else None
        x = self.linear0(z).view(len(z), -1, 4, 4)
        for block in _in_order(self.blocks):
            x = block(x) if isinstance(block, SelfAttention) else block(x, y)
        return torch.tanh(self.conv4(x))


class DiscriminatorStage(nn.Module):
    """Halves the resolution by two convolutions, batch normalised where there is no spectral norm."""

    def __init__(self, before: int, after: int, activation: str, layers: Layers, *, batch_norm: bool) -> None:
        super().__init__()
        self.conv0 = layers.convolution(before, after, 3, padding=1)
        self.conv1 = layers.convolution(after, after, 4, stride=2, padding=1)
        self.bn0 = nn.BatchNorm2d(after, eps=NORM_EPS) if batch_norm else None
        self.bn1 = nn.BatchNorm2d(after, eps=NORM_EPS) if batch_norm else None
        self.activation = activation_named(activation)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H/2, W/2]``."""
        for convolution, norm in ((self.conv0, self.bn0), (self.conv1, self.bn1)):
            x = convolution(x)
            x = self.activation(x if norm is None else norm(x))
        return x


class StudioDCGANDiscriminator(HeadedDiscriminator):
    """Images ``[N, channels, 32, 32]`` in [-1, 1], and classes ``c [N]`` where conditional, to logits ``[N]``.

    Args:
        channels: Of the image.
        width: Channels after the first stage, doubled at each later one; the reference has 64.
        activation: As for `StudioDCGANGenerator`.
        spectral_norm: Normalise every layer's weight, in place of batch normalisation.
        attention: After which of the stages 1, 2, 3 self attention stands.
        conditioning: ``none``, ``AC``, ``PD``, ``MH``, ``MD``, ``2C`` or ``D2DCE``.
        num_classes: How many classes; needed with every conditioning but ``none``. ``ADC`` doubles them inside.
        embedding_size: Of the embeddings of ``2C`` and ``D2DCE``.
        normalize_embedding: Scale features or embeddings to unit length.
        auxiliary: ``none``, ``TAC`` (a second classifier) or ``ADC`` (each class split into real and generated).
        initialisation: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ConfigError: a value that is none of these, or a combination that does not exist.
    """

    def __init__(
        self,
        channels: int = 3,
        width: int = 64,
        activation: str = "ReLU",
        spectral_norm: bool = False,
        attention: Sequence[int] = (),
        conditioning: str = "none",
        num_classes: int = 0,
        embedding_size: int = 512,
        normalize_embedding: bool = False,
        auxiliary: str = "none",
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        _check_attention(attention)
        layers = Layers("stored" if spectral_norm else "none", eps=SPECTRAL_EPS)
        self.blocks = nn.ModuleList()
        for stage, before in zip(STAGES, (channels, width, 2 * width), strict=True):
            after = width << (stage - 1)
            block = DiscriminatorStage(before, after, activation, layers, batch_norm=not spectral_norm)
            self.blocks.append(nn.ModuleList([block]))
            if stage in attention:
                self.blocks.append(nn.ModuleList([SelfAttention(after, convolution=layers.convolution)]))
        self.activation = activation_named(activation)
        self.conv1 = layers.convolution(4 * width, 8 * width, 3, padding=1)
        self.bn1 = None if spectral_norm else nn.BatchNorm2d(8 * width, eps=NORM_EPS)
        self.head = ClassHead(
            8 * width,
            conditioning=conditioning,
            num_classes=num_classes,
            embedding_size=embedding_size,
            normalize_embedding=normalize_embedding,
            auxiliary=auxiliary,
            layers=layers,
        )
        self.num_classes = self.head.num_classes
        initialise(self, initialisation)

    def features(self, x: Tensor) -> Tensor:
        """Sum-pooled features ``[N, 8 * width]`` of images."""
        for block in _in_order(self.blocks):
            x = block(x)
        x = self.conv1(x)
        return self.activation(x if self.bn1 is None else self.bn1(x)).sum(dim=(2, 3))


def _in_order(blocks: nn.ModuleList) -> Iterator[nn.Module]:
    """Each entry of ``blocks`` is a list of one module: so the reference names them."""
    for entry in blocks:
        yield from entry.children()


def _check_conditioning(conditioning: str, num_classes: int) -> None:
    if conditioning not in ("none", "cBN"):
        raise ConfigError(f"There is no conditioning '{conditioning}'.", hint="Use none or cBN.")
    if conditioning != "none" and num_classes < 1:
        raise ConfigError(f"The conditioning {conditioning} needs num_classes.")


def _check_attention(attention: Sequence[int]) -> None:
    if not set(attention) <= set(STAGES):
        raise ConfigError(f"Attention stands after the stages 1, 2 or 3, not {list(attention)}.")
