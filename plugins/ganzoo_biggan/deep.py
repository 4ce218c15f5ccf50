"""BigGAN-deep (Brock et al. 2019, appendix B), as BigGAN-PyTorch builds it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.models import HeadedDiscriminator
from ganzoo.nn import ClassHead, initialise
from ganzoo.nn.folding import FoldedLayers, channels_innermost
from ganzoo_biggan import plans
from ganzoo_biggan.blocks import DeepDownBlock, DeepUpBlock
from ganzoo_biggan.conditions import ClassGenerator, class_vectors
from ganzoo_biggan.networks import OUTPUT_NORM_EPS
from ganzoo_biggan.norms import PlainNormalisation, VectorNormalisation, statistics_named
from ganzoo_biggan.trunk import attention_modules, check_latent, coloured, through


class BigGANDeepGenerator(ClassGenerator):
    """``z [N, latent_size]``, and a class ``c [N]`` where conditional, to images ``[N, channels, image_size, image_size]``.

    The class's embedding and all of ``z`` enter the first layer and every normalisation.

    Args:
        image_size: Pixels a side: 32, 64, 128, 256 or 512.
        channels: Of the image.
        latent_size: Entries of ``z``.
        width: The paper's ``ch``: channels after the last stage (half of them at 64 pixels, a quarter at 32).
        depth: Blocks a stage.
        num_classes: How many classes; 0: unconditional.
        embedding_size: Entries of the class's embedding.
        attention: Resolutions after whose stage self attention stands; None: 64, or 32 in images of 64 pixels, or nowhere in
            those of 32.
        bottom_width: Pixels a side before the first stage; another one than 4 makes images of another size.
        spectral_norm: As for `BigGANGenerator`.
        statistics: As for `BigGANGenerator`.
        norm_eps: As for `BigGANGenerator`.
        spectral_eps: As for `BigGANGenerator`.
        initialisation: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ConfigError: a value that is none of these.
    """

    def __init__(
        self,
        image_size: int = 128,
        channels: int = 3,
        latent_size: int = 128,
        width: int = 128,
        depth: int = 2,
        num_classes: int = 0,
        embedding_size: int = 128,
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
        check_latent(latent_size, bottom_width)
        stages = plans.generator_stages(image_size, width)
        self.latent_size, self.bottom = latent_size, bottom_width
        self._output_shape = (channels, *[bottom_width << len(stages)] * 2)
        layers = FoldedLayers("recomputed" if spectral_norm else "none", eps=spectral_eps)
        self.embedding = nn.Embedding(num_classes, embedding_size) if num_classes else None
        size = latent_size + (embedding_size if num_classes else 0)

        def norm(channels: int) -> VectorNormalisation:
            return VectorNormalisation(channels, size, statistics_named(statistics, channels), eps=norm_eps, layers=layers)

        self.first = layers.linear(size, stages[0].before * bottom_width**2)
        self.blocks = nn.ModuleList(
            DeepUpBlock(block.before, block.after, doubles=block.doubles, norm=norm, layers=layers)
            for block in plans.deep_blocks(stages, depth)
        )
        places = plans.attention_after(stages, attention, image_size)
        self.attention = attention_modules({(place + 1) * depth: stages[place].after for place in places}, layers)
        last = stages[-1].after
        self.norm = PlainNormalisation(last, statistics_named(statistics, last), eps=OUTPUT_NORM_EPS)
        self.last = layers.convolution(last, channels, 3, padding=1)
        initialise(self, initialisation)

    def embed(self, c: Tensor | int | None, z: Tensor) -> Tensor:
        """The embedding ``[N, embedding_size]`` of the classes of latents ``z``, or nothing (``[N, 0]``) where unconditional.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        return z.new_empty(z.shape[0], 0) if self.embedding is None else class_vectors(self.embedding, c, z)

    def from_embedding(self, z: Tensor, y: Tensor) -> Tensor:
        """Images of latents ``z [N, latent_size]`` and embeddings ``y``; between two classes their average, say."""
        condition = torch.cat([y, z], dim=1)
        x = channels_innermost(self.first(condition).view(z.shape[0], -1, self.bottom, self.bottom))
        conditions = [condition] * len(self.blocks)
        return coloured(self.blocks, self.attention, x, conditions, norm=self.norm, condition=condition, last=self.last)


class BigGANDeepDiscriminator(HeadedDiscriminator):
    """Images ``[N, channels, H, W]`` in [-1, 1], and classes ``c [N]`` where conditional, to logits ``[N]``.

    Args:
        image_size: Pixels a side: 32, 64, 128, 256 or 512.
        channels: Of the image.
        width: The paper's ``ch``: channels after the first convolution (a quarter of them all at 32 pixels).
        depth: Blocks a stage; the first one of it halves the pixels.
        num_classes: Project the features on an embedding of one of so many classes; 0: unconditional.
        attention: As for `BigGANDiscriminator`.
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
        width: int = 128,
        depth: int = 2,
        num_classes: int = 0,
        attention: Sequence[int] | None = None,
        spectral_norm: bool = True,
        spectral_eps: float = 1e-12,
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        plans.check_depth(depth)
        stages = plans.deep_discriminator_stages(image_size, width)
        layers = FoldedLayers("recomputed" if spectral_norm else "none", eps=spectral_eps)
        self.first = layers.convolution(channels, stages[0].before, 3, padding=1)
        self.blocks = nn.ModuleList(
            DeepDownBlock(
                stage.before if number == 0 else stage.after,
                stage.after,
                halves=stage.resamples and number == 0,
                layers=layers,
            )
            for stage in stages
            for number in range(depth)
        )
        places = plans.attention_after(stages, attention, image_size)
        self.attention = attention_modules({(place + 1) * depth: stages[place].after for place in places}, layers)
        conditioning = "PD" if num_classes else "none"
        self.head = ClassHead(stages[-1].after, conditioning=conditioning, num_classes=num_classes, layers=layers)
        self.num_classes = num_classes
        initialise(self, initialisation)

    def features(self, x: Tensor) -> Tensor:
        """Sum-pooled features ``[N, F]`` of images ``[N, channels, H, W]`` in [-1, 1]."""
        return F.relu(through(self.blocks, self.attention, self.first(channels_innermost(x)))).sum(dim=(2, 3))
