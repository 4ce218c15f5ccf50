"""DCGAN (Radford, Metz and Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional GANs", sec. 3).

Stacks of 4x4 convolutions of stride 2 with batch normalisation, no pooling and no hidden linear layer. The parameter names are
those of the widespread PyTorch tutorial, ``main.<index>``, so its checkpoints fit without renaming. The paper's networks know
no classes; with ``num_classes`` the parts of `ganzoo.nn.conditioning` are added.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models import Discriminator, ImageGenerator, Judgement
from ganzoo.nn import ClassBatchNorm2d, class_indices
from ganzoo.nn.conditioning import AuxiliaryHead, ClassConcat, ProjectionHead

INIT_STD = 0.02  # sec. 4: all weights from a normal distribution of this standard deviation
CLASS_SIZE = 16  # entries of the vector of a class where it is concatenated
GENERATOR_CONDITIONINGS = ("batch-norm", "concat")  # the first is the default where there are classes
DISCRIMINATOR_CONDITIONINGS = ("projection", "concat", "auxiliary")


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
    elif isinstance(module, nn.BatchNorm2d) and module.affine:
        nn.init.normal_(module.weight, 1.0, INIT_STD)
        nn.init.zeros_(module.bias)


def chosen_conditioning(conditioning: str | None, num_classes: int, allowed: Sequence[str]) -> str:
    """How a class enters the network: ``none`` without classes, else what was asked for or the first of ``allowed``.

    Raises:
        ConfigError: it is none of them, or contradicts the number of classes.
    """
    if num_classes < 0:
        raise ConfigError(f"A DCGAN cannot have {num_classes} classes.", hint="0 makes it unconditional.")
    if conditioning is not None and conditioning not in allowed:
        raise ConfigError(f"There is no conditioning '{conditioning}' here.", hint=f"Use {' or '.join(allowed)}.")
    if conditioning is not None and not num_classes:
        raise ConfigError(f"The conditioning '{conditioning}' needs num_classes.")
    return (conditioning or allowed[0]) if num_classes else "none"


class DCGANGenerator(ImageGenerator):
    """``z [N, latent_size]`` (or ``[N, latent_size, 1, 1]``) to images ``[N, channels, image_size, image_size]`` in [-1, 1].

    Args:
        image_size: Pixels a side: 28, or a power of two of at least 8.
        channels: Of the image.
        latent_size: Entries of ``z``.
        width: Channels of the last hidden layer; each earlier layer has twice as many.
        widths: Channels of every hidden layer, first to last, instead of ``width``.
        num_classes: How many classes; 0 for an unconditional network.
        conditioning: ``batch-norm``, a gain and bias for each class (the default where there are classes), or ``concat``, a
            vector of the class beside ``z``.

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
        num_classes: int = 0,
        conditioning: str | None = None,
    ) -> None:
        super().__init__()
        self._latent_shape = (latent_size,)
        self._output_shape = (channels, image_size, image_size)
        self.num_classes = num_classes
        self.conditioning = chosen_conditioning(conditioning, num_classes, GENERATOR_CONDITIONINGS)
        hidden = stage_widths(image_size, width, widths)
        first = latent_size + (CLASS_SIZE if self.conditioning == "concat" else 0)
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(zip([first, *hidden], hidden, strict=False)):
            stride, padding = (1, 0) if i == 0 else (2, 1)
            layers += [nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False), self._norm(after), nn.ReLU(True)]
        last = (1, 1, 2) if image_size == 28 else (4, 2, 1)  # kernel, stride, padding; a padding of 2 crops 32 to 28
        layers += [nn.ConvTranspose2d(hidden[-1], channels, *last, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers).apply(initialise)
        self.concat = ClassConcat(num_classes, CLASS_SIZE) if self.conditioning == "concat" else None

    def _norm(self, channels: int) -> nn.Module:
        return ClassBatchNorm2d(channels, self.num_classes) if self.conditioning == "batch-norm" else nn.BatchNorm2d(channels)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``(latent_size,)``."""
        return self._latent_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, image_size, image_size)``."""
        return self._output_shape

    def forward(self, z: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Images of latents.

        Args:
            z: Latents ``[N, latent_size]``.
            c: Class of each image ``[N]``, or one for all; not used by an unconditional network.

        Raises:
            InvalidValueError: a conditional network is given no class, or one that it does not have.
        """
        x = z.view(len(z), -1, 1, 1)
        if not self.num_classes:
            images: Tensor = self.main(x)
            return images
        classes = class_indices(c, self.num_classes, z)
        x = x if self.concat is None else self.concat(x, classes)
        for layer in self.main:
            x = layer(x, classes) if isinstance(layer, ClassBatchNorm2d) else layer(x)
        return x


class DCGANDiscriminator(Discriminator):
    """Images ``[N, channels, image_size, image_size]`` in [-1, 1] to logits ``[N]``. Arguments as for `DCGANGenerator`, but:

    Args:
        widths: Lists the hidden layers from the image inwards.
        conditioning: ``projection`` (the default where there are classes), ``concat``, a vector of the class beside the colours
            of each pixel, or ``auxiliary``, a classifier.
    """

    modality = "image"

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        width: int = 64,
        widths: Sequence[int] | None = None,
        num_classes: int = 0,
        conditioning: str | None = None,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.conditioning = chosen_conditioning(conditioning, num_classes, DISCRIMINATOR_CONDITIONINGS)
        small = image_size == 28  # 28, 14, 7 and then a 3x3 kernel to 4
        given = None if widths is None else list(reversed(widths))
        hidden = stage_widths(32 if small else image_size, width, given)[::-1]
        first = channels + (CLASS_SIZE if self.conditioning == "concat" else 0)
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(zip([first, *hidden], hidden, strict=False)):
            kernel = 3 if small and i == 2 else 4
            layers.append(nn.Conv2d(before, after, kernel, 2, 1, bias=False))
            if i > 0:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers.append(nn.Conv2d(hidden[-1], 1, 4, 1, 0, bias=False))
        self.main = nn.Sequential(*layers).apply(initialise)
        self.concat = ClassConcat(num_classes, CLASS_SIZE) if self.conditioning == "concat" else None
        self.projection = ProjectionHead(hidden[-1], num_classes) if self.conditioning == "projection" else None
        self.classifier = AuxiliaryHead(hidden[-1] * 4 * 4, num_classes) if self.conditioning == "auxiliary" else None

    def forward(self, x: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Logits of images.

        Args:
            x: Images ``[N, channels, image_size, image_size]``.
            c: Class of each ``[N]``, or one for all; not used by an unconditional network, nor with an auxiliary classifier.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        return self._judged(x, c).scores

    def judge(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        """Logits of images, and those of the classes where there is a classifier. Arguments and errors as for `forward`."""
        # Through `forward` where that says everything, since it is what can be compiled.
        return super().judge(x, c) if self.classifier is None else self._judged(x, c)

    def _judged(self, x: Tensor, c: Tensor | int | None) -> Judgement:
        classes = class_indices(c, self.num_classes, x) if self.conditioning in ("concat", "projection") else None
        if self.concat is not None and classes is not None:
            x = self.concat(x, classes)
        *body, last = self.main
        for layer in body:
            x = layer(x)
        scores: Tensor = last(x).flatten()
        if self.projection is not None and classes is not None:
            scores = scores + self.projection(x.sum(dim=(2, 3)), classes)
        return Judgement(scores, None if self.classifier is None else self.classifier(x.flatten(1)))
