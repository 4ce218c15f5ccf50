"""BigGAN (Brock, Donahue and Simonyan 2019, arXiv:1809.11096), as the authors' BigGAN-PyTorch builds it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models import HeadedDiscriminator
from ganzoo.nn import ClassHead, class_indices, class_mixture, initialise
from ganzoo.nn.folding import FoldedLayers, channels_innermost
from ganzoo_biggan import plans
from ganzoo_biggan.blocks import DownBlock, UpBlock
from ganzoo_biggan.conditions import ClassGenerator, class_vectors
from ganzoo_biggan.norms import ClassNormalisation, Normalisation, PlainNormalisation, VectorNormalisation, statistics_named
from ganzoo_biggan.trunk import attention_modules, check_latent, coloured, through

OUTPUT_NORM_EPS = 1e-5  # whatever the other normalisations have


class BigGANGenerator(ClassGenerator):
    """``z [N, latent_size]``, and a class ``c [N]`` where conditional, to images ``[N, channels, image_size, image_size]``.

    Args:
        image_size: Pixels a side: 32, 64, 128, 256 or 512.
        channels: Of the image.
        latent_size: Entries of ``z``; where it is hierarchical, rounded down to one more equal chunk than there are stages.
        width: The paper's ``ch``: channels after the last stage (half of them at 64 pixels, a quarter at 32).
        num_classes: How many classes; 0: unconditional.
        shared: The class is embedded once for all normalisations; otherwise each has gains and biases for every class.
        embedding_size: Entries of the shared embedding.
        hierarchical: A chunk of ``z`` enters every stage, instead of all of it the first layer.
        attention: Resolutions after whose stage self attention stands; None: 64, or 32 in images of 64 pixels, or nowhere in
            those of 32.
        bottom_width: Pixels a side before the first stage; another one than 4 makes images of another size.
        spectral_norm: Normalise the weights of all convolutions and linear layers.
        statistics: Of the normalisations: ``running`` averages; ``counted``, which come with a number that is not used; or
            ``standing``, sums that are divided by that number.
        norm_eps: Added to variances, but for the last normalisation's. No checkpoint tells.
        spectral_eps: Keeps singular vectors from being zero. No checkpoint tells.
        initialisation: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ConfigError: a value that is none of these, or a combination that does not exist.
    """

    def __init__(
        self,
        image_size: int = 128,
        channels: int = 3,
        latent_size: int = 120,
        width: int = 96,
        num_classes: int = 0,
        shared: bool = True,
        embedding_size: int = 128,
        hierarchical: bool = True,
        attention: Sequence[int] | None = None,
        bottom_width: int = 4,
        spectral_norm: bool = True,
        statistics: str = "running",
        norm_eps: float = 1e-5,
        spectral_eps: float = 1e-12,
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        stages = plans.generator_stages(image_size, width)
        self.chunk = latent_size // (len(stages) + 1) if hierarchical else 0
        self.latent_size = self.chunk * (len(stages) + 1) if hierarchical else latent_size
        check_latent(self.latent_size, bottom_width)
        if hierarchical and num_classes and not shared:
            raise ConfigError(
                "Chunks of z cannot enter normalisations that have gains for each class.", hint="Give shared=true."
            )
        self.bottom = bottom_width
        self._output_shape = (channels, *[bottom_width << len(stages)] * 2)
        layers = FoldedLayers("recomputed" if spectral_norm else "none", eps=spectral_eps)
        self.embedding = nn.Embedding(num_classes, embedding_size) if num_classes and shared else None
        size = (embedding_size if self.embedding else 0) + self.chunk

        def norm(channels: int) -> Normalisation:
            found = statistics_named(statistics, channels)
            if size:
                return VectorNormalisation(channels, size, found, eps=norm_eps, layers=layers)
            if num_classes:
                return ClassNormalisation(channels, num_classes, found, eps=norm_eps)
            return PlainNormalisation(channels, found, eps=norm_eps)

        self.first = layers.linear(self.chunk or latent_size, stages[0].before * bottom_width**2)
        self.blocks = nn.ModuleList(UpBlock(stage.before, stage.after, norm=norm, layers=layers) for stage in stages)
        places = {number + 1: stages[number].after for number in plans.attention_after(stages, attention, image_size)}
        self.attention = attention_modules(places, layers)
        self.norm = PlainNormalisation(stages[-1].after, statistics_named(statistics, stages[-1].after), eps=OUTPUT_NORM_EPS)
        self.last = layers.convolution(stages[-1].after, channels, 3, padding=1)
        initialise(self, initialisation)

    def embed(self, c: Tensor | int | None, z: Tensor) -> Tensor:
        """What `from_embedding` takes of the classes ``c`` of latents ``z [N, latent_size]``.

        The shared embedding ``[N, embedding_size]``; without it the classes themselves; nothing (``[N, 0]``) in an
        unconditional network.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        if self.embedding is not None:
            return class_vectors(self.embedding, c, z)
        if not self.num_classes:
            return z.new_empty(z.shape[0], 0)
        mixture = class_mixture(c, self.num_classes, z)
        return class_indices(c, self.num_classes, z) if mixture is None else mixture

    def from_embedding(self, z: Tensor, y: Tensor) -> Tensor:
        """Images of latents ``z [N, latent_size]`` and what `embed` makes of classes; between two classes its average, say."""
        first, *rest = torch.split(z, self.chunk or self.latent_size, dim=1)
        conditions = [torch.cat([y, chunk], dim=1) for chunk in rest] if rest else [y] * len(self.blocks)
        x = self.first(first).view(z.shape[0], -1, self.bottom, self.bottom)
        x = channels_innermost(x)
        return coloured(self.blocks, self.attention, x, conditions, norm=self.norm, condition=y, last=self.last)


class BigGANDiscriminator(HeadedDiscriminator):
    """Images ``[N, channels, H, W]`` in [-1, 1], and classes ``c [N]`` where conditional, to logits ``[N]``.

    Args:
        image_size: Pixels a side: 32, 64, 128, 256 or 512.
        channels: Of the image.
        width: The paper's ``ch``: channels of the first stage (a quarter of them all at 32 pixels).
        num_classes: Project the features on an embedding of one of so many classes; 0: unconditional.
        attention: Resolutions after whose stage self attention stands; None as for `BigGANGenerator`. At 32 pixels all stages
            count as 16.
        wide: Widen in the first convolution of a block, not in the second.
        spectral_norm: Normalise every layer's weight.
        spectral_eps: As for `BigGANGenerator`.
        initialisation: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ConfigError: a value that is none of these.
    """

    def __init__(
        self,
        image_size: int = 128,
        channels: int = 3,
        width: int = 96,
        num_classes: int = 0,
        attention: Sequence[int] | None = None,
        wide: bool = True,
        spectral_norm: bool = True,
        spectral_eps: float = 1e-12,
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        stages = plans.discriminator_stages(image_size, width, channels)
        layers = FoldedLayers("recomputed" if spectral_norm else "none", eps=spectral_eps)
        self.blocks = nn.ModuleList(
            DownBlock(
                stage.before,
                stage.after if wide else stage.before,
                stage.after,
                first=number == 0,
                halves=stage.resamples,
                layers=layers,
            )
            for number, stage in enumerate(stages)
        )
        places = {number + 1: stages[number].after for number in plans.attention_after(stages, attention, image_size)}
        self.attention = attention_modules(places, layers)
        conditioning = "PD" if num_classes else "none"
        self.head = ClassHead(stages[-1].after, conditioning=conditioning, num_classes=num_classes, layers=layers)
        self.num_classes = num_classes
        initialise(self, initialisation)

    def features(self, x: Tensor) -> Tensor:
        """Sum-pooled features ``[N, F]`` of images ``[N, channels, H, W]`` in [-1, 1]."""
        return F.relu(through(self.blocks, self.attention, channels_innermost(x))).sum(dim=(2, 3))
