"""A DCGAN of a few kilobytes, and everything that its weights can be stored as."""

from typing import Any

import safetensors.torch
from torch import Tensor

from ganzoo.building import build_random
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator

GENERATOR: dict[str, Any] = {"image_size": 8, "channels": 1, "latent_size": 5, "width": 4}
DISCRIMINATOR: dict[str, Any] = {"image_size": 8, "channels": 1, "width": 4}


def generator(seed: int = 1) -> DCGANGenerator:
    return build_random(DCGANGenerator, GENERATOR, seed=seed)


def discriminator(seed: int = 1) -> DCGANDiscriminator:
    return build_random(DCGANDiscriminator, DISCRIMINATOR, seed=seed)


def safetensors_bytes(state: dict[str, Tensor]) -> bytes:
    return safetensors.torch.save({name: tensor.contiguous() for name, tensor in state.items()})
