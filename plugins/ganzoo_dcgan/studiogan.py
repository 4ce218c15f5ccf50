"""The DCGAN of StudioGAN (Kang, Shin and Park 2023, arXiv:2206.09479), as its checkpoints have it.

It differs from Radford et al. 2016: biases everywhere, a linear first layer without normalisation, a 3x3 last convolution, two
convolutions a stage in the discriminator, sum pooling, and a choice of spectral norm, self attention and class conditioning.
The conditioning methods keep their short names: cBN; AC (Odena et al. 2017), PD (Miyato and Koyama 2018), MH (Kavalerov et al.
2021), MD (Liu et al. 2019), 2C (Kang and Park 2020), D2DCE (Kang et al. 2021); the auxiliary classifiers TAC (Gong et al. 2019)
and ADC (Hou et al. 2022).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models import Discriminator, ImageGenerator
from ganzoo.nn import (
    ConditionalBatchNorm2d,
    SelfAttention,
    SpectralConv2d,
    SpectralConvTranspose2d,
    SpectralEmbedding,
    SpectralLinear,
    initialise,
)

IMAGE_SIZE = 32  # three doublings from 4x4
NORM_EPS = 1e-4
SPECTRAL_EPS = 1e-6
STAGES = (1, 2, 3)
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": F.relu,
    "Leaky_ReLU": partial(F.leaky_relu, negative_slope=0.1),
    "ELU": F.elu,
    "GELU": F.gelu,
}
EMBEDDING_METHODS = ("2C", "D2DCE")
CONDITIONINGS = ("none", "AC", "PD", "MH", "MD", *EMBEDDING_METHODS)
AUXILIARIES = ("none", "TAC", "ADC")


Factory = Callable[..., nn.Module]


class _Layers:
    """Makes layers, spectrally normalised or not."""

    def __init__(self, spectral_norm: bool) -> None:
        def choose(plain: Factory, spectral: Factory) -> Factory:
            return partial(spectral, eps=SPECTRAL_EPS) if spectral_norm else plain

        self.convolution = choose(nn.Conv2d, SpectralConv2d)
        self.deconvolution = choose(nn.ConvTranspose2d, SpectralConvTranspose2d)
        self.linear = choose(nn.Linear, SpectralLinear)
        self.embedding = choose(nn.Embedding, SpectralEmbedding)


class GeneratorStage(nn.Module):
    """Doubles the resolution: transposed convolution, batch normalisation (given the class or not), activation."""

    def __init__(self, before: int, after: int, classes: int, activation: str, layers: _Layers) -> None:
        super().__init__()
        self.deconv0 = layers.deconvolution(before, after, 4, stride=2, padding=1)
        self.bn0: nn.Module
        if classes:
            self.bn0 = ConditionalBatchNorm2d(after, classes, eps=NORM_EPS, linear=layers.linear)
        else:
            self.bn0 = nn.BatchNorm2d(after, eps=NORM_EPS)
        self.activation = ACTIVATIONS[activation]

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
        _check("activation", activation, ACTIVATIONS)
        _check("conditioning", conditioning, ("none", "cBN"))
        _check_numbers(attention, conditioning, num_classes)
        self._latent_shape, self._output_shape = (latent_size,), (channels, IMAGE_SIZE, IMAGE_SIZE)
        self.num_classes = num_classes if conditioning == "cBN" else 0
        layers = _Layers(spectral_norm)
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

    def __init__(self, before: int, after: int, activation: str, layers: _Layers, *, batch_norm: bool) -> None:
        super().__init__()
        self.conv0 = layers.convolution(before, after, 3, padding=1)
        self.conv1 = layers.convolution(after, after, 4, stride=2, padding=1)
        self.bn0 = nn.BatchNorm2d(after, eps=NORM_EPS) if batch_norm else None
        self.bn1 = nn.BatchNorm2d(after, eps=NORM_EPS) if batch_norm else None
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H/2, W/2]``."""
        for convolution, norm in ((self.conv0, self.bn0), (self.conv1, self.bn1)):
            x = convolution(x)
            x = self.activation(x if norm is None else norm(x))
        return x


@dataclass(frozen=True)
class Judgement:
    """Everything that the discriminator says about a batch; None where its conditioning has no such output.

    Attributes:
        features: Sum-pooled features ``[N, 8 * width]``; of unit length with ``AC`` and ``normalize_embedding``.
        adversarial: Scores ``[N]``; ``[N, 1 + num_classes]`` with ``MH``, the last one being "generated".
        embedding: ``[N, embedding_size]`` with ``2C`` and ``D2DCE``.
        proxy: Embedding of the class, ``[N, embedding_size]``, likewise.
        class_logits: ``[N, num_classes]`` with ``AC``.
        information_embedding: The same three of the second classifier of ``TAC``.
        information_proxy: See above.
        information_logits: See above.
    """

    features: Tensor
    adversarial: Tensor
    embedding: Tensor | None = None
    proxy: Tensor | None = None
    class_logits: Tensor | None = None
    information_embedding: Tensor | None = None
    information_proxy: Tensor | None = None
    information_logits: Tensor | None = None


class StudioDCGANDiscriminator(Discriminator):
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

    modality = "image"

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
        _check("activation", activation, ACTIVATIONS)
        _check("conditioning", conditioning, CONDITIONINGS)
        _check("auxiliary", auxiliary, AUXILIARIES)
        _check_numbers(attention, conditioning, num_classes)
        if auxiliary == "TAC" and conditioning not in ("AC", *EMBEDDING_METHODS):
            raise ConfigError("The auxiliary classifier TAC exists with the conditionings AC, 2C and D2DCE only.")
        self.num_classes, self.conditioning, self.auxiliary = num_classes, conditioning, auxiliary
        self.normalize_embedding = normalize_embedding
        layers = _Layers(spectral_norm)
        self.blocks = nn.ModuleList()
        for stage, before in zip(STAGES, (channels, width, 2 * width), strict=True):
            after = width << (stage - 1)
            block = DiscriminatorStage(before, after, activation, layers, batch_norm=not spectral_norm)
            self.blocks.append(nn.ModuleList([block]))
            if stage in attention:
                self.blocks.append(nn.ModuleList([SelfAttention(after, convolution=layers.convolution)]))
        self.activation = ACTIVATIONS[activation]
        self.conv1 = layers.convolution(4 * width, 8 * width, 3, padding=1)
        self.bn1 = None if spectral_norm else nn.BatchNorm2d(8 * width, eps=NORM_EPS)
        self._add_heads(8 * width, embedding_size, layers)
        initialise(self, initialisation)

    def _add_heads(self, features: int, embedding_size: int, layers: _Layers) -> None:
        embeds = self.conditioning in EMBEDDING_METHODS
        scores = {"MH": 1 + self.num_classes, "MD": self.num_classes}.get(self.conditioning, 1)
        classes = self.num_classes * (2 if self.auxiliary == "ADC" else 1)
        self.linear1 = layers.linear(features, scores)
        second = embedding_size if embeds else classes
        if embeds or self.conditioning == "AC":
            self.linear2 = layers.linear(features, second, bias=embeds)
        if embeds or self.conditioning == "PD":
            self.embedding = layers.embedding(classes, embedding_size if embeds else features)
        if self.auxiliary == "TAC":
            self.linear_mi = layers.linear(features, second, bias=embeds)
            if embeds:
                self.embedding_mi = layers.embedding(classes, embedding_size)

    def features(self, x: Tensor) -> Tensor:
        """Sum-pooled features ``[N, 8 * width]`` of images."""
        for block in _in_order(self.blocks):
            x = block(x)
        x = self.conv1(x)
        return self.activation(x if self.bn1 is None else self.bn1(x)).sum(dim=(2, 3))

    def judge(self, x: Tensor, c: Tensor | int | None = None, *, generated: bool = False) -> Judgement:
        """Everything that the network says about images ``x`` of classes ``c``.

        Args:
            x: Images ``[N, channels, 32, 32]``.
            c: Class of each, or one for all; needed with every conditioning but ``none``, ``AC`` and ``MH``.
            generated: With ``ADC``, take ``c`` as the classes of generated images.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        features = self.features(x)
        scores: Tensor = self.linear1(features)
        match self.conditioning:
            case "none":
                return Judgement(features, scores.squeeze(1))
            case "MH":
                return Judgement(features, scores)
            case "AC":
                return self._classified(features, scores.squeeze(1))
        labels = self._labels(c, x, generated)
        match self.conditioning:
            case "MD":
                return Judgement(features, scores.gather(1, labels[:, None]).squeeze(1))
            case "PD":
                return Judgement(features, scores.squeeze(1) + (self.embedding(labels) * features).sum(1))
            case _:
                return self._embedded(features, scores.squeeze(1), labels)

    def forward(self, x: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Logits ``[N]``. With ``MH`` the score of the image's class over that of "generated" (Kavalerov et al. 2021, sec. 3).

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        scores = self.judge(x, c).adversarial
        if self.conditioning != "MH":
            return scores
        labels = class_indices(c, self.num_classes, x)
        return scores.gather(1, labels[:, None]).squeeze(1) - scores[:, -1]

    def _labels(self, c: Tensor | int | None, x: Tensor, generated: bool) -> Tensor:
        labels = class_indices(c, self.num_classes, x)
        return 2 * labels + int(generated) if self.auxiliary == "ADC" else labels

    def _classified(self, features: Tensor, scores: Tensor) -> Judgement:
        # The reference normalises the features only, although it means to normalise the weights too.
        features = F.normalize(features, dim=1) if self.normalize_embedding else features
        information = self.linear_mi(features) if self.auxiliary == "TAC" else None
        return Judgement(features, scores, class_logits=self.linear2(features), information_logits=information)

    def _embedded(self, features: Tensor, scores: Tensor, labels: Tensor) -> Judgement:
        outputs = [self.linear2(features), self.embedding(labels)]
        if self.auxiliary == "TAC":
            outputs += [self.linear_mi(features), self.embedding_mi(labels)]
        if self.normalize_embedding:
            outputs = [F.normalize(output, dim=1) for output in outputs]
        embedding, proxy, *information = outputs
        second, second_proxy = information if information else (None, None)
        return Judgement(features, scores, embedding, proxy, information_embedding=second, information_proxy=second_proxy)


def _in_order(blocks: nn.ModuleList) -> Iterator[nn.Module]:
    """Each entry of ``blocks`` is a list of one module: so the reference names them."""
    for entry in blocks:
        yield from entry.children()


def class_indices(c: Tensor | int | None, num_classes: int, batch: Tensor) -> Tensor:
    """Class of each sample of ``batch`` as indices ``[N]`` on its device.

    Raises:
        InvalidValueError: no class is given, or one out of range, or not one for each sample.
    """
    if c is None:
        raise InvalidValueError("This model is conditional and needs a class.", hint=f"Give c, from 0 to {num_classes - 1}.")
    indices = torch.as_tensor(c, dtype=torch.int64, device=batch.device).reshape(-1)
    if len(indices) == 1:
        indices = indices.expand(len(batch))
    if len(indices) != len(batch):
        raise InvalidValueError(
            f"There are {len(indices)} classes for {len(batch)} samples.", hint="Give one for each, or one for all."
        )
    if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < num_classes:
        raise InvalidValueError("A class is out of range.", hint=f"This model has the classes 0 to {num_classes - 1}.")
    return indices


def one_hot(c: Tensor | int | None, num_classes: int, batch: Tensor) -> Tensor:
    """`class_indices` as one-hot vectors ``[N, num_classes]`` of the dtype of ``batch``."""
    return F.one_hot(class_indices(c, num_classes, batch), num_classes).to(batch.dtype)


def _check(name: str, value: str, allowed: Sequence[str] | dict[str, Callable[[Tensor], Tensor]]) -> None:
    if value not in allowed:
        raise ConfigError(f"There is no {name} '{value}'.", hint=f"Use {', '.join(allowed)}.")


def _check_numbers(attention: Sequence[int], conditioning: str, num_classes: int) -> None:
    if not set(attention) <= set(STAGES):
        raise ConfigError(f"Attention stands after the stages 1, 2 or 3, not {list(attention)}.")
    if conditioning != "none" and num_classes < 1:
        raise ConfigError(f"The conditioning {conditioning} needs num_classes.")
