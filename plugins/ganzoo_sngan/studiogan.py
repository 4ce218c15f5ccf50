"""The residual networks of StudioGAN (Kang, Shin and Park 2023, arXiv:2206.09479): SNGAN, SAGAN, all their conditionings.

They differ from those of `ganzoo_sngan.networks`: nearest-neighbour up-sampling, other constants in the normalisations, batch
normalisation in the discriminator where there is no spectral one, any number of attentions, and the conditionings cBN (in the
generator) and those of `ganzoo.nn.heads` (in the discriminator).
"""

import itertools
from collections.abc import Collection, Sequence
from functools import partial

from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn import ClassHead, ConditionalBatchNorm2d, Layers, activation_named, initialise, one_hot
from ganzoo_sngan import plans
from ganzoo_sngan.blocks import DownBlock, FirstDownBlock, Norm, UpBlock
from ganzoo_sngan.residual import ResidualDiscriminator, ResidualGenerator

NORM_EPS = 1e-4
SPECTRAL_EPS = 1e-6
KEEPS_ITS_INPUT = "GELU"  # the one activation that the reference does not let overwrite its input


class StudioResidualGenerator(ResidualGenerator):
    """What both generators share."""

    def condition(self, c: Tensor | int | None, z: Tensor) -> Tensor | None:
        """One-hot classes ``[N, num_classes]``, or None.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        return one_hot(c, self.num_classes, z) if self.num_classes else None

    def _build(
        self,
        image_size: int,
        channels: int,
        latent_size: int,
        width: int,
        activation: str,
        spectral_norm: bool,
        attention: Collection[int],
        conditioning: str,
        num_classes: int,
        initialisation: str,
    ) -> None:
        if conditioning not in ("none", "cBN"):
            raise ConfigError(f"There is no conditioning '{conditioning}'.", hint="Use none or cBN.")
        if conditioning == "cBN" and num_classes < 1:
            raise ConfigError("The conditioning cBN needs num_classes.")
        self.num_classes = num_classes if conditioning == "cBN" else 0
        act, layers = activation_named(activation), _layers(spectral_norm)
        norm: Norm = partial(nn.BatchNorm2d, eps=NORM_EPS)
        if self.num_classes:
            norm = partial(ConditionalBatchNorm2d, condition_size=self.num_classes, eps=NORM_EPS, linear=layers.linear)
        plan = plans.studio_pyramid(image_size, width)
        blocks = [
            UpBlock(before, after, norm=norm, layers=layers, activation=act, interpolation="nearest")
            for before, after in itertools.pairwise(plan.widths)
        ]
        self._assemble(latent_size, channels, plan, blocks, attention, layers=layers, activation=act, norm_eps=NORM_EPS)
        initialise(self, initialisation)


class StudioSNGANGenerator(StudioResidualGenerator):
    """``z [N, latent_size]``, and a class ``c [N]`` where conditional, to images ``[N, channels, image_size, image_size]``.

    Args:
        image_size: Pixels a side: 32, 64, 128, 256 or 512.
        channels: Of the image.
        latent_size: Entries of ``z``.
        width: Channels of the last block, a quarter of them all at 32 pixels; StudioGAN's ``g_conv_dim``.
        activation: ``ReLU``, ``Leaky_ReLU`` (slope 0.1), ``ELU`` or ``GELU``.
        spectral_norm: Normalise every layer's weight; None: no, as StudioGAN's SNGAN.
        conditioning: ``none`` or ``cBN``, conditional batch normalisation.
        num_classes: How many classes; needed with ``cBN``.
        initialisation: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ConfigError: a value that is none of these.
    """

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        latent_size: int = 128,
        width: int = 64,
        activation: str = "ReLU",
        spectral_norm: bool | None = None,
        conditioning: str = "none",
        num_classes: int = 0,
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        self._build(
            image_size,
            channels,
            latent_size,
            width,
            activation,
            _given(spectral_norm, plans.STUDIO_GENERATOR_SPECTRAL),
            (),
            conditioning,
            num_classes,
            initialisation,
        )


class StudioSAGANGenerator(StudioResidualGenerator):
    """As `StudioSNGANGenerator`, with self attention.

    Args:
        image_size: As there.
        channels: Of the image.
        latent_size: Entries of ``z``.
        width: As there.
        activation: As there.
        spectral_norm: Normalise every layer's weight.
        attention: After which blocks, counted from one, self attention stands, at least one; None: the second.
        conditioning: ``none`` or ``cBN``.
        num_classes: As there.
        initialisation: As there.

    Raises:
        ConfigError: a value that is none of these, or attention where there are fewer than eight channels.
    """

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        latent_size: int = 128,
        width: int = 64,
        activation: str = "ReLU",
        spectral_norm: bool = True,
        attention: Sequence[int] | None = None,
        conditioning: str = "none",
        num_classes: int = 0,
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        places = _places(attention, plans.STUDIO_GENERATOR_ATTENTION)
        self._build(
            image_size,
            channels,
            latent_size,
            width,
            activation,
            spectral_norm,
            places,
            conditioning,
            num_classes,
            initialisation,
        )


class StudioResidualDiscriminator(ResidualDiscriminator):
    """What both discriminators share."""

    def _build(
        self,
        image_size: int,
        channels: int,
        width: int,
        activation: str,
        spectral_norm: bool,
        attention: Collection[int],
        initialisation: str,
        **head: str | int | bool,
    ) -> None:
        act, layers = activation_named(activation), _layers(spectral_norm)
        norm = None if spectral_norm else partial(nn.BatchNorm2d, eps=NORM_EPS)
        plan = plans.studio_funnel(image_size, width)
        blocks: list[nn.Module] = [FirstDownBlock(channels, plan.widths[0], layers=layers, activation=act, norm=norm)]
        for number, (before, after) in enumerate(itertools.pairwise(plan.widths), start=2):
            block = DownBlock(
                before,
                after,
                after,
                halves=number <= plan.halvings,
                layers=layers,
                activation=act,
                norm=norm,
                activated_shortcut=activation != KEEPS_ITS_INPUT,
            )
            blocks.append(block)
        self._assemble(
            plan.widths,
            blocks,
            attention,
            head=ClassHead(plan.widths[-1], layers=layers, **head),  # type: ignore[arg-type]  # as the constructors pass them
            layers=layers,
            activation=act,
        )
        initialise(self, initialisation)


class StudioSNGANDiscriminator(StudioResidualDiscriminator):
    """Images ``[N, channels, H, W]`` in [-1, 1], and classes ``c [N]`` where conditional, to logits ``[N]``.

    Args:
        image_size: Pixels a side: 32, 64, 128, 256 or 512.
        channels: Of the image.
        width: Channels of the first block, half of them all at 32 pixels; StudioGAN's ``d_conv_dim``.
        activation: As for `StudioSNGANGenerator`.
        spectral_norm: Normalise every layer's weight, in place of batch normalisation; None: yes.
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
        image_size: int = 32,
        channels: int = 3,
        width: int = 64,
        activation: str = "ReLU",
        spectral_norm: bool | None = None,
        conditioning: str = "none",
        num_classes: int = 0,
        embedding_size: int = 512,
        normalize_embedding: bool = False,
        auxiliary: str = "none",
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        self._build(
            image_size,
            channels,
            width,
            activation,
            _given(spectral_norm, plans.STUDIO_DISCRIMINATOR_SPECTRAL),
            (),
            initialisation,
            conditioning=conditioning,
            num_classes=num_classes,
            embedding_size=embedding_size,
            normalize_embedding=normalize_embedding,
            auxiliary=auxiliary,
        )


class StudioSAGANDiscriminator(StudioResidualDiscriminator):
    """As `StudioSNGANDiscriminator`, with self attention.

    Args:
        image_size: As there.
        channels: Of the image.
        width: As there.
        activation: As there.
        spectral_norm: As there.
        attention: After which blocks, counted from one, self attention stands, at least one; None: the first.
        conditioning: As there.
        num_classes: As there.
        embedding_size: As there.
        normalize_embedding: As there.
        auxiliary: As there.
        initialisation: As there.

    Raises:
        ConfigError: as there; or attention where there are fewer than eight channels.
    """

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        width: int = 64,
        activation: str = "ReLU",
        spectral_norm: bool = True,
        attention: Sequence[int] | None = None,
        conditioning: str = "none",
        num_classes: int = 0,
        embedding_size: int = 512,
        normalize_embedding: bool = False,
        auxiliary: str = "none",
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        places = _places(attention, plans.STUDIO_DISCRIMINATOR_ATTENTION)
        self._build(
            image_size,
            channels,
            width,
            activation,
            spectral_norm,
            places,
            initialisation,
            conditioning=conditioning,
            num_classes=num_classes,
            embedding_size=embedding_size,
            normalize_embedding=normalize_embedding,
            auxiliary=auxiliary,
        )


def _layers(spectral_norm: bool) -> Layers:
    return Layers("stored" if spectral_norm else "none", eps=SPECTRAL_EPS)


def _given(spectral_norm: bool | None, usual: bool) -> bool:
    return usual if spectral_norm is None else spectral_norm


def _places(attention: Sequence[int] | None, usual: Sequence[int]) -> Sequence[int]:
    places = usual if attention is None else attention
    if not places:
        raise ConfigError("This network has attention after at least one block.", hint="Without attention it is an SNGAN.")
    return places
