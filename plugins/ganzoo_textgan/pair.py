"""What the phases of TextGAN need of the two networks, and the latents that they draw."""

from typing import Protocol, cast

from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.text.training import Ground


class Encoder(Protocol):
    """A discriminator that tells ``z`` from a sentence."""

    latent_size: int

    def features(self, x: Tensor) -> Tensor:
        """``[N, F]`` of a hard or soft batch."""

    def reconstruct(self, features: Tensor) -> Tensor:
        """``[N, latent_size]`` of `features`."""


class SoftGenerator(Protocol):
    """A generator through which gradients flow."""

    latent_size: int

    def soft(self, z: Tensor, sharpness: float | None = None) -> Tensor:
        """Soft one-hots ``[N, T, V]`` of ``z``."""


def encoder_of(ground: Ground, phase: str) -> Encoder:
    """The discriminator of ``ground``.

    Raises:
        ConfigError: it cannot tell ``z``, or one of another size than the generator's.
    """
    found = ground.discriminator
    if not hasattr(found, "reconstruct"):
        raise ConfigError(f"The phase '{phase}' needs a discriminator that reconstructs z; {type(found).__name__} does not.")
    encoder = cast(Encoder, found)
    if encoder.latent_size != ground.generator.latent_size:
        raise ConfigError(
            f"The discriminator reconstructs a z of {encoder.latent_size} entries, but the generator's has"
            f" {ground.generator.latent_size}.",
            hint=f"Give both the same: --config latent_size={ground.generator.latent_size}",
        )
    return encoder


def soft_generator_of(ground: Ground, phase: str) -> SoftGenerator:
    """The generator of ``ground``.

    Raises:
        ConfigError: no gradient flows through its sentences.
    """
    found = ground.generator
    if not hasattr(found, "soft"):
        raise ConfigError(
            f"The phase '{phase}' needs a generator of soft one-hots; {type(found).__name__} only draws tokens.",
            hint="Train the architecture textgan.",
        )
    return cast(SoftGenerator, found)


def draw_z(ground: Ground) -> Tensor:
    """``z`` of this process's rows of a batch, uniform in (-1, 1)."""
    like = ground.generator.head.weight
    return 2 * ground.draws().uniform(ground.rows, ground.generator.latent_size, like=like) - 1
