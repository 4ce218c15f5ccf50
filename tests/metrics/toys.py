"""Generators, a feature space and data whose figures are known without measuring."""

import torch
from torch import Tensor

from ganzoo.data import TensorDataset
from ganzoo.metrics import FeatureBatch, Features, Sampling, Sets
from ganzoo.models import Generator, ImageGenerator, VectorGenerator


class Flat(ImageGenerator):
    """Makes constant images whose brightness is a normal latent, squeezed; ``shift`` stands for what training changes."""

    def __init__(self, size: int = 4) -> None:
        super().__init__()
        self.size = size
        self.shift = torch.nn.Parameter(torch.tensor(0.0))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (1, self.size, self.size)

    def forward(self, z: Tensor) -> Tensor:
        return (0.2 * z + self.shift).clamp(-1, 1).view(-1, 1, 1, 1).expand(-1, 1, self.size, self.size)


class Linear(VectorGenerator):
    """Points ``A z`` of the plane from three normal numbers."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        matrix = torch.tensor([[1.0, 2.0, 0.0], [0.0, -1.0, 0.5]], dtype=torch.float64)
        self.register_buffer("matrix", scale * matrix)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (3,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (2,)

    def forward(self, z: Tensor) -> Tensor:
        return z @ self.matrix.T


def diverged() -> Linear:
    generator = Linear()
    generator.matrix.fill_(float("nan"))
    return generator


class Labelled(ImageGenerator):
    """Makes an image of brightness ``c / 4``, whatever the latent is."""

    def __init__(self, num_classes: int = 4) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.unit = torch.nn.Parameter(torch.tensor(0.25))
        self.asked: list[int] = []

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (1, 4, 4)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        assert c.dtype == torch.int64 and c.shape == (len(z),)
        self.asked += c.tolist()
        return (self.unit * c).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)


class Brightness(Features):
    """The mean of an image twice over, and two classes: dark and bright."""

    name, sha256, classes = "brightness", "0" * 64, ("dark", "bright")
    preprocessing = "mean of the pixels"

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, images: Tensor) -> FeatureBatch:
        self.seen += len(images)
        mean = images.mean((1, 2, 3))
        return FeatureBatch(torch.stack([mean, mean.square()], 1), torch.stack([-mean, mean], 1))


def bright(count: int, seed: int, labels: Tensor | None = None) -> TensorDataset:
    values = torch.randn(count, generator=torch.Generator().manual_seed(seed)) * 0.2 + 0.5
    pixels = values.mul(127.5).add(127.5).round().clamp(0, 255).to(torch.uint8)
    return TensorDataset(pixels.view(-1, 1, 1, 1).expand(-1, 1, 6, 6).contiguous(), f"bright-{seed}", labels=labels)


def trained(shift: float = 0.5) -> Flat:
    generator = Flat()
    torch.nn.init.constant_(generator.shift, shift)
    return generator


def sets_of(generated: Tensor, reference: Tensor, *, scores: tuple[Tensor, Tensor] | None = None, seed: int = 0) -> Sets:
    """What a metric of features is shown."""
    one, two = scores or (None, None)
    return Sets(
        generated=FeatureBatch(generated, one),
        reference=FeatureBatch(reference, two),
        space=Brightness(),
        examples=[generated],
        data=bright(2, 0),
        sampling=None,
        seed=seed,
    )


def draws(generator: Generator, count: int, seed: int = 0, **more: object) -> Sampling:
    return Sampling(generator, count, seed, **more)  # type: ignore[arg-type]  # a test's own arguments
