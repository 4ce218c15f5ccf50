"""SNGAN, its class-conditional form, and SAGAN, as mimicry (Lee and Town 2020, arXiv:2005.02494) builds them.

SNGAN is that of Miyato et al. 2018 (arXiv:1802.05957), the projection discriminator that of Miyato and Koyama 2018
(arXiv:1802.05637), SAGAN that of Zhang et al. 2019 (arXiv:1805.08318). Up-sampling is bilinear, down-sampling a mean, and in
the discriminator shortcuts start from the activated input.
"""

import itertools
from collections.abc import Collection, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.nn import ClassBatchNorm2d, ClassHead, Layers, class_indices, trained_weight
from ganzoo_sngan import plans
from ganzoo_sngan.blocks import DownBlock, FirstDownBlock, Norm, UpBlock
from ganzoo_sngan.residual import ResidualDiscriminator, ResidualGenerator

NORM_EPS = 1e-5


class ClassNormGenerator(ResidualGenerator):
    """What both generators share: gains and biases of the normalisations are learnt for each class."""

    def condition(self, c: Tensor | int | None, z: Tensor) -> Tensor | None:
        """The classes ``[N]``, or None.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        return class_indices(c, self.num_classes, z) if self.num_classes else None

    def _build(
        self, plan: plans.Pyramid, attention: Collection[int], latent_size: int, channels: int, num_classes: int, layers: Layers
    ) -> None:
        self.num_classes = num_classes
        norm: Norm = partial(ClassBatchNorm2d, num_classes=num_classes) if num_classes else nn.BatchNorm2d
        blocks = [
            UpBlock(before, after, norm=norm, layers=layers, activation=F.relu, interpolation="bilinear")
            for before, after in itertools.pairwise(plan.widths)
        ]
        self._assemble(latent_size, channels, plan, blocks, attention, layers=layers, activation=F.relu, norm_eps=NORM_EPS)
        nn.init.xavier_uniform_(trained_weight(self.first))
        nn.init.xavier_uniform_(trained_weight(self.last))


class ProjectionDiscriminator(ResidualDiscriminator):
    """What both discriminators share: the features are projected on an embedding of the class (Miyato and Koyama 2018)."""

    def _build(
        self,
        plan: plans.Funnel,
        attention: Collection[int],
        channels: int,
        num_classes: int,
        layers: Layers,
        head_layers: Layers,
    ) -> None:
        blocks: list[nn.Module] = [FirstDownBlock(channels, plan.widths[0], layers=layers, activation=F.relu)]
        for number, (before, after) in enumerate(itertools.pairwise(plan.widths), start=2):
            halves = number <= plan.halvings
            blocks.append(DownBlock(before, before, after, halves=halves, layers=layers, activation=F.relu))
        conditioning = "PD" if num_classes else "none"
        head = ClassHead(plan.widths[-1], conditioning=conditioning, num_classes=num_classes, layers=head_layers)
        self._assemble(plan.widths, blocks, attention, head=head, layers=layers, activation=F.relu)
        nn.init.xavier_uniform_(trained_weight(head.score))
        if num_classes:
            nn.init.xavier_uniform_(trained_weight(head.proxies))


class SNGANGenerator(ClassNormGenerator):
    """``z [N, latent_size]``, and a class ``c [N]`` where conditional, to images ``[N, channels, image_size, image_size]``.

    Args:
        image_size: Pixels a side: 4, 5, 6 or 7 times a power of two.
        channels: Of the image.
        latent_size: Entries of ``z``.
        width: Channels at the bottom; up to 32 pixels everywhere, above halved on the way up. None: as the papers have it,
            256 at 32 pixels, 512 at 48 and 1024 above.
        widths: Channels at the bottom and after every block, instead of ``width``.
        num_classes: Normalise given one of so many classes; 0: unconditional.
        unit_range: The last activation is a sigmoid, whose [0, 1] is stretched to [-1, 1], instead of a hyperbolic tangent
            (mimicry's CIFAR variant of its DCGAN; no checkpoint tells).

    Raises:
        ConfigError: an image size that cannot be made, or a width of no channels.
    """

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        latent_size: int = 128,
        width: int | None = None,
        widths: Sequence[int] | None = None,
        num_classes: int = 0,
        unit_range: bool = False,
    ) -> None:
        super().__init__()
        self.unit_range = unit_range
        self._build(plans.pyramid(image_size, width, widths), (), latent_size, channels, num_classes, Layers())

    def pixels(self, x: Tensor) -> Tensor:
        """The last convolution's output as pixels in [-1, 1]."""
        return 2 * torch.sigmoid(x) - 1 if self.unit_range else torch.tanh(x)


class SAGANGenerator(ClassNormGenerator):
    """As `SNGANGenerator`, with spectral normalisation and self attention.

    Args:
        image_size: As there.
        channels: Of the image.
        latent_size: Entries of ``z``.
        width: As there.
        widths: As there.
        num_classes: As there.
        attention: After which block, counted from one, attention stands; None: the last one at 32 pixels, or in images of up to
            32 pixels at half their size.

    Raises:
        ConfigError: as there; or attention after no block, or where there are fewer than eight channels.
    """

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        latent_size: int = 128,
        width: int | None = None,
        widths: Sequence[int] | None = None,
        num_classes: int = 0,
        attention: int | None = None,
    ) -> None:
        super().__init__()
        plan = plans.pyramid(image_size, width, widths)
        place = plans.generator_attention(plan) if attention is None else attention
        self._build(plan, (place,), latent_size, channels, num_classes, Layers("stored"))


class SNGANDiscriminator(ProjectionDiscriminator):
    """Images ``[N, channels, H, W]`` in [-1, 1], and classes ``c [N]`` where conditional, to logits ``[N]``.

    Args:
        image_size: Pixels a side, as for `SNGANGenerator`.
        channels: Of the image.
        width: Channels at the end; up to 32 pixels everywhere, above doubled on the way there. None: as the papers have it, 128
            at 32 pixels and 1024 above.
        widths: Channels after every block, instead of ``width``.
        halvings: How many blocks, from the first one on, halve the resolution; None: as the papers have it for the image size.
        num_classes: Project the features on an embedding of one of so many classes; 0: unconditional.
        spectral_norm: ``stored``, ``recomputed`` or ``none``, as `ganzoo.nn.Layers` explains. Without, it is mimicry's DCGAN.
        head_spectral_norm: Of the last layers; None: as of the others. Mimicry's cGAN-PD has ``recomputed`` ones there.
        unit_range: The first block sees pixels in [0, 1] (mimicry's CIFAR variant of its DCGAN; no checkpoint tells).

    Raises:
        ConfigError: an image size or a number of halvings that does not fit, a width of no channels, or no such normalisation.
    """

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        width: int | None = None,
        widths: Sequence[int] | None = None,
        halvings: int | None = None,
        num_classes: int = 0,
        spectral_norm: str = "stored",
        head_spectral_norm: str | None = None,
        unit_range: bool = False,
    ) -> None:
        super().__init__()
        self.unit_range = unit_range
        plan = plans.funnel(image_size, width, widths, halvings)
        head_layers = Layers(head_spectral_norm or spectral_norm)
        self._build(plan, (), channels, num_classes, Layers(spectral_norm), head_layers)

    def features(self, x: Tensor) -> Tensor:
        """Sum-pooled features ``[N, F]`` of images in [-1, 1]."""
        return super().features((x + 1) / 2 if self.unit_range else x)


class SAGANDiscriminator(ProjectionDiscriminator):
    """As `SNGANDiscriminator`, with self attention.

    Args:
        image_size: As there.
        channels: Of the image.
        width: As there. Mimicry has 128 by default for 128 pixels, which leaves 8 channels in the first block.
        widths: As there.
        halvings: As there.
        num_classes: As there.
        attention: After which block, counted from one, attention stands; None: the second.

    Raises:
        ConfigError: as there; or attention after no block, or where there are fewer than eight channels.
    """

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        width: int | None = None,
        widths: Sequence[int] | None = None,
        halvings: int | None = None,
        num_classes: int = 0,
        attention: int | None = None,
    ) -> None:
        super().__init__()
        plan = plans.funnel(image_size, width, widths, halvings)
        place = plans.discriminator_attention(plan) if attention is None else attention
        self._build(plan, (place,), channels, num_classes, Layers("stored"), Layers("stored"))
