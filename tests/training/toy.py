"""A GAN small enough to be trained in milliseconds, with everything that a checkpoint must not forget."""

from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from ganzoo.data import TensorDataset
from ganzoo.models import Discriminator, ImageGenerator
from ganzoo.spec import Architecture, Augmentation, Optimizer, Recipe, Regularizer, Schedule


class ToyGenerator(ImageGenerator):
    """Batch normalisation has buffers; the noise comes from the global random state."""

    def __init__(self, image_size: int = 8, channels: int = 1, width: int = 8) -> None:
        super().__init__()
        self._output_shape = (channels, image_size, image_size)
        self.first = nn.Linear(4, width)
        self.norm = nn.BatchNorm1d(width)
        self.last = nn.Linear(width, channels * image_size * image_size)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (4,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self._output_shape

    def forward(self, z: Tensor) -> Tensor:
        h = self.norm(self.first(z)).relu()
        if self.training:
            h = h + 0.1 * torch.randn_like(h)
        return self.last(h).tanh().view(-1, *self._output_shape)


class ToyDiscriminator(Discriminator):
    modality = "image"

    def __init__(self, image_size: int = 8, channels: int = 1, width: int = 8) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * image_size**2, width), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(width, 1)
        )

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        scores: Tensor = self.body(x).flatten()
        return scores


RECIPE = Recipe(
    batch_size=4,
    images=48,
    discriminator_steps=2,
    generator=Optimizer(lr=1e-2),
    discriminator=Optimizer(lr=1e-2),
    ema_images=20,
    regularizers={"r1": Regularizer(weight=0.1), "lecam": Regularizer(weight=0.01, every=2, options={"start": 0})},
    augment=Augmentation(pipeline={"translation": 1.0, "color": 1.0}, p=0.2, target=0.2, images=100, every=2),
    label_smoothing=0.1,
)
FULL = msgspec.structs.replace(  # everything that changes while a run goes on, and whatever a checkpoint must hold besides
    RECIPE,
    generator=Optimizer(lr=Schedule(start=1e-2, end=1e-3), betas=(Schedule(start=0.5, end=0.0, shape="linear"), 0.9)),
    ema_images=Schedule(start=20, end=5),
    regularizers={
        "r1": Regularizer(weight=Schedule(start=0.1, end=0.01)),
        "lecam": Regularizer(weight=0.1, every=4, options={"start": 0}),
        "path-length": Regularizer(weight=0.1, every=2, options={"decay": 0.5}),
    },
    constraints=("spectral-norm",),
    instance_noise=Schedule(start=0.1, end=0.0),
    top_k=Schedule(start=1.0, end=0.5, shape="step", until=40),
)
TOY = Architecture(
    id="toy",
    summary="toy",
    modality="image",
    task="unconditional-generation",
    networks={"generator": "toy:ToyGenerator", "discriminator": "toy:ToyDiscriminator"},
    recipe=RECIPE,
)
NETWORKS: dict[Any, Any] = {"generator": ToyGenerator, "discriminator": ToyDiscriminator}
EVERY = {"log": 8, "samples": 24, "checkpoint": 24}


def toy_data(count: int = 10, seed: int = 0) -> TensorDataset:
    rng = torch.Generator().manual_seed(seed)
    return TensorDataset(torch.randint(0, 256, (count, 1, 8, 8), generator=rng, dtype=torch.uint8), "toy-data")


class PlainToyGenerator(ToyGenerator):
    """Without batch normalisation and noise: each example depends on its own latent only."""

    def forward(self, z: Tensor) -> Tensor:
        return self.last(self.first(z).relu()).tanh().view(-1, *self._output_shape)


class PlainToyDiscriminator(ToyDiscriminator):
    """Without dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*(layer for layer in self.body if not isinstance(layer, nn.Dropout)))
