"""Networks whose gradients are known by hand, and turns of them in double precision."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.models import Discriminator, VectorGenerator
from ganzoo.training import DiscriminatorTurn, Draws, GeneratorTurn


class Linear(Discriminator):
    """``D(x) = w . x``, so its gradient is ``w`` everywhere."""

    modality = "vector"

    def __init__(self, weight: Sequence[float]) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(weight, dtype=torch.float64))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return x.flatten(1) @ self.w


class Quadratic(Discriminator):
    """``D(x) = sum a_i x_i^2 / 2``, so its gradient is ``a x``."""

    modality = "vector"

    def __init__(self, weight: Sequence[float]) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(weight, dtype=torch.float64))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return 0.5 * (x.flatten(1).square() * self.a).sum(1)


class SmoothDiscriminator(Discriminator):
    """Of images ``[N, 1, 4, 4]``, with everything that weights can be."""

    modality = "image"

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3, padding=1)
        self.linear = nn.Linear(48, 4)
        self.last = nn.Linear(4, 1)
        self.double()

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        scores: Tensor = self.last(self.linear(self.conv(x).tanh().flatten(1)).tanh()).flatten()
        return scores


class AffineGenerator(VectorGenerator):
    """``G(z) = z A`` with ``A [latent, output]``; with classes, ``+ 100 c``."""

    def __init__(self, weight: Sequence[Sequence[float]], num_classes: int = 0) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.tensor(weight, dtype=torch.float64))
        self.num_classes = num_classes

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.A.shape[0],)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (self.A.shape[1],)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        made = z @ self.A
        return made if c is None else made + 100 * c[:, None]


class SmoothGenerator(VectorGenerator):
    """Two latents to images ``[N, 1, 4, 4]``."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(2, 5), nn.ConvTranspose2d(5, 1, 4)
        self.double()

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (2,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (1, 4, 4)

    def forward(self, z: Tensor) -> Tensor:
        image: Tensor = self.last(self.first(z).tanh()[:, :, None, None]).tanh()
        return image


def draws(seed: int = 0, *, shares: int = 1, share: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), shares=shares, share=share)


def same(x: Tensor) -> Tensor:
    return x


def discriminator_turn(
    discriminator: Discriminator,
    real: Any,
    fake: Any,
    regularizer: Any,
    *,
    augment: Callable[[Tensor], Tensor] = same,
    seed: int = 0,
    images: int = 10**6,
    **options: Any,
) -> DiscriminatorTurn:
    """A turn in which ``regularizer`` gets the gradients that it asks for."""
    return DiscriminatorTurn(
        discriminator,
        torch.as_tensor(real, dtype=torch.float64),
        lambda: torch.as_tensor(fake, dtype=torch.float64),
        augment=augment,
        draws=options.pop("draws", None) or draws(seed),
        gradients=regularizer.gradients,
        images=images,
        **options,
    )


def generator_turn(generator: Any, z: Any, *, discriminator: Any = None, seed: int = 0, **options: Any) -> GeneratorTurn:
    z = torch.as_tensor(z, dtype=torch.float64)
    return GeneratorTurn(
        generator,
        discriminator or Linear([1.0]),
        z,
        plain_real=torch.zeros(len(z), 1),
        augment=same,
        draws=options.pop("draws", None) or draws(seed),
        **options,
    )


def gradient_of(penalty: Tensor, parameter: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(penalty, parameter)
    return gradient
