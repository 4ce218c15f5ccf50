"""BigGAN-deep with statistics for each truncation, as pytorch-pretrained-BigGAN holds the authors' TensorFlow weights."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn import class_indices, class_mixture, initialise
from ganzoo.nn.folding import FoldedLayers, channels_innermost
from ganzoo_biggan import plans
from ganzoo_biggan.blocks import DeepUpBlock
from ganzoo_biggan.conditions import ClassGenerator
from ganzoo_biggan.norms import PlainNormalisation, TabulatedStatistics, VectorNormalisation, check_truncation
from ganzoo_biggan.trunk import attention_modules, check_latent, coloured

BOTTOM = 4  # pixels a side before the first block
BOTTOM_FACTOR = 16  # channels there, in widths
COLOURS = 3  # the last convolution makes `width` channels, of which these are used
LATENT_LIMIT = 2.0  # the authors draw truncated latents from a normal distribution cut off here, and scale them


class BigGANDeepTabulatedGenerator(ClassGenerator):
    """``z [N, latent_size]`` and a class ``c [N]`` to images ``[N, 3, H, W]``.

    Args:
        latent_size: Entries of ``z``.
        width: Channels after the last block; others are multiples of it.
        layers: Of each block: whether it doubles the pixels, and the channels before and after it in widths.
        attention: Self attention stands after so many blocks; None: nowhere.
        num_classes: How many classes.
        embedding_size: Entries of the class's embedding.
        rows: Truncations that there are statistics for.
        exact_statistics: Interpolate between them rightly, which the reference does not; see `TabulatedStatistics`.
        norm_eps: Added to variances. No checkpoint tells.
        spectral_eps: Keeps singular vectors from being zero, in training.
        initialisation: ``orthogonal``, ``normal`` or ``xavier``.

    Raises:
        ConfigError: blocks that do not fit one after the other, or a value that is none of these.
    """

    def __init__(
        self,
        latent_size: int = 128,
        width: int = 128,
        layers: Sequence[Sequence[int]] = plans.PUBLISHED_LAYERS,
        attention: int | None = 8,
        num_classes: int = 1000,
        embedding_size: int = 128,
        rows: int = 51,
        exact_statistics: bool = False,
        norm_eps: float = 1e-4,
        spectral_eps: float = 1e-4,
        initialisation: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        check_latent(latent_size, BOTTOM)
        check_layers(layers, attention)
        self.latent_size = latent_size
        self._output_shape = (COLOURS, *[BOTTOM << sum(bool(doubles) for doubles, _, _ in layers)] * 2)
        made = FoldedLayers("stored", eps=spectral_eps)
        size = latent_size + embedding_size
        table = partial(TabulatedStatistics, rows=rows, exact=exact_statistics)

        def norm(channels: int) -> VectorNormalisation:
            return VectorNormalisation(channels, size, table(channels), eps=norm_eps, layers=made)

        self.embedding = nn.Linear(num_classes, embedding_size, bias=False)
        self.first = made.linear(size, BOTTOM_FACTOR * width * BOTTOM**2)
        self.blocks = nn.ModuleList(
            DeepUpBlock(before * width, after * width, doubles=bool(doubles), norm=norm, layers=made)
            for doubles, before, after in layers
        )
        places = {} if attention is None else {attention: width * [BOTTOM_FACTOR, *(a for _, _, a in layers)][attention]}
        self.attention = attention_modules(places, made)
        self.norm = PlainNormalisation(layers[-1][2] * width, table(layers[-1][2] * width), eps=norm_eps)
        self.last = made.convolution(layers[-1][2] * width, width, 3, padding=1, outputs=COLOURS)
        initialise(self, initialisation)

    def truncate(self, z: Tensor, truncation: float, rng: torch.Generator) -> Tensor:
        """``z`` cut off at two and multiplied by ``truncation``, as the authors' published models draw it.

        Raises:
            InvalidValueError: ``truncation`` is no number from 0 to 1.
        """
        check_truncation(truncation)
        return super().truncate(z, LATENT_LIMIT, rng) * truncation

    def inputs(self, seeds: Sequence[int], *, truncation: float | None = None, **options: Any) -> tuple[Tensor, dict[str, Any]]:
        """As in `Generator`; ``truncation``, at most 1, also chooses the statistics unless ``statistics`` says otherwise.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        options.setdefault("statistics", 1.0 if truncation is None else truncation)
        return super().inputs(seeds, truncation=truncation, **options)

    def embed(self, c: Tensor | int | None, z: Tensor) -> Tensor:
        """The embedding ``[N, embedding_size]`` of the classes of latents ``z [N, latent_size]``.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        mixture = class_mixture(c, self.num_classes, z)
        if mixture is None:  # picked, not multiplied: a thousand classes take no time
            return self.embedding.weight.t()[class_indices(c, self.num_classes, z)]
        vectors: Tensor = self.embedding(mixture)
        return vectors

    def from_embedding(self, z: Tensor, y: Tensor, statistics: float = 1.0) -> Tensor:
        """Images of latents ``z [N, latent_size]`` and embeddings ``y``; between two classes their average, say.

        Raises:
            InvalidValueError: there are no ``statistics`` for that truncation.
        """
        condition = torch.cat([z, y], dim=1)
        # Channels come last in the first layer's output, as in the TensorFlow original: their order in memory is right already.
        x = self.first(condition).view(z.shape[0], BOTTOM, BOTTOM, -1).permute(0, 3, 1, 2)
        x, conditions = channels_innermost(x), [condition] * len(self.blocks)
        return coloured(
            self.blocks, self.attention, x, conditions, statistics, norm=self.norm, condition=condition, last=self.last
        )

    def forward(self, z: Tensor, c: Tensor | int | None = None, statistics: float = 1.0) -> Tensor:
        """Images ``[N, 3, H, W]`` of latents.

        Args:
            z: Latents ``[N, latent_size]``.
            c: Class of each image ``[N]``, or one for all, or a mixture ``[N, num_classes]``.
            statistics: The truncation, from 0 to 1, whose statistics the normalisations use. It leaves ``z`` as it is.

        Raises:
            InvalidValueError: latents of another shape, a class is missing or is none of the network's, or there are no such
                statistics.
        """
        self.check_latents(z)
        return self.from_embedding(z, self.embed(c, z), statistics)


def check_layers(layers: Sequence[Sequence[int]], attention: int | None) -> None:
    """Makes sure that each block takes what the one before it gives, and that attention has a place.

    Raises:
        ConfigError: they do not fit.
    """
    if not layers or any(len(layer) != 3 for layer in layers):
        raise ConfigError("A layer is [whether it doubles the pixels, channels before, channels after].")
    width = BOTTOM_FACTOR
    for number, (_, before, after) in enumerate(layers):
        if before != width or not 1 <= after <= before:
            raise ConfigError(f"Layer {number}, from {before} to {after} widths, does not fit on {width}.")
        width = after
    if attention is not None and not 0 <= attention < len(layers):
        raise ConfigError(f"Attention stands after 0 to {len(layers) - 1} blocks, not {attention}.")
