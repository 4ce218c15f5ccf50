"""DCGAN (Radford, Metz and Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional GANs", sec. 3).

Stacks of 4x4 convolutions of stride 2 with batch normalisation, no pooling and no hidden linear layer. The parameter names are
those of the widespread PyTorch tutorial, ``main.<index>``, so its checkpoints fit without renaming.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models import Discriminator, ImageGenerator

INIT_STD = 0.02  # sec. 4: all weights from a normal distribution of this standard deviation


def stage_widths(image_size: int, width: int, widths: Sequence[int] | None) -> list[int]:
    """Channels at 4x4, 8x8, … up to half the image: doubled towards the small end unless given one by one.

    Args:
        image_size: 28, or a power of two of at least 8.
        width: Channels at the largest of them.
        widths: Channels at each of them, smallest resolution first.

    Raises:
        ConfigError: a size that a DCGAN cannot have, or a wrong number of widths.
    """
    full = 32 if image_size == 28 else image_size
    if full < 8 or full & (full - 1):
        raise ConfigError(f"A DCGAN makes images of 28 pixels or of a power of two from 8 on, not {image_size}.")
    # At 28 pixels one stage more works at the full 32 pixels, and a 1x1 layer then crops.
    stages = full.bit_length() - 3 + (1 if image_size == 28 else 0)
    chosen = [width << i for i in reversed(range(stages))] if widths is None else list(widths)
    if len(chosen) != stages or min(chosen) < 1:
        raise ConfigError(f"A DCGAN of {image_size} pixels has {stages} widths of at least 1, not {chosen}.")
    return chosen


def initialise(module: nn.Module) -> None:
    """Initial weights of sec. 4; batch normalisation starts near the identity."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, INIT_STD)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, INIT_STD)
        nn.init.zeros_(module.bias)


class DCGANGenerator(ImageGenerator):
    """``z [N, latent_size]`` (or ``[N, latent_size, 1, 1]``) to images ``[N, channels, image_size, image_size]`` in [-1, 1].

    Args:
        image_size: Pixels a side: 28, or a power of two of at least 8.
        channels: Of the image.
        latent_size: Entries of ``z``.
        width: Channels of the last hidden layer; each earlier layer has twice as many.
        widths: Channels of every hidden layer, first to last, instead of ``width``.

    Raises:
        ConfigError: arguments that do not fit together.
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        latent_size: int = 100,
        width: int = 64,
        widths: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self._latent_shape = (latent_size,)
        self._output_shape = (channels, image_size, image_size)
        hidden = stage_widths(image_size, width, widths)
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(zip([latent_size, *hidden], hidden, strict=False)):
            stride, padding = (1, 0) if i == 0 else (2, 1)
            layers += [nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False), nn.BatchNorm2d(after), nn.ReLU(True)]
        last = (1, 1, 2) if image_size == 28 else (4, 2, 1)  # kernel, stride, padding; a padding of 2 crops 32 to 28
        layers += [nn.ConvTranspose2d(hidden[-1], channels, *last, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers).apply(initialise)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``(latent_size,)``."""
        return self._latent_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, image_size, image_size)``."""
        return self._output_shape

    def forward(self, z: Tensor) -> Tensor:
        """Images of latents."""
        images: Tensor = self.main(z.view(len(z), -1, 1, 1))
        return images


class DCGANDiscriminator(Discriminator):
    """Images ``[N, channels, image_size, image_size]`` in [-1, 1] to logits ``[N]``. Arguments as for `DCGANGenerator`.

    ``widths`` lists the hidden layers from the image inwards.
    """

    modality = "image"

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        width: int = 64,
        widths: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        small = image_size == 28  # 28, 14, 7 and then a 3x3 kernel to 4
        given = None if widths is None else list(reversed(widths))
        hidden = stage_widths(32 if small else image_size, width, given)[::-1]
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(zip([channels, *hidden], hidden, strict=False)):
            kernel = 3 if small and i == 2 else 4
            layers.append(nn.Conv2d(before, after, kernel, 2, 1, bias=False))
            if i > 0:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers.append(nn.Conv2d(hidden[-1], 1, 4, 1, 0, bias=False))
        self.main = nn.Sequential(*layers).apply(initialise)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Logits of images; unconditional, so ``c`` is not used."""
        scores: Tensor = self.main(x)
        return scores.flatten()
