"""The networks of the toy problems: plain multilayer perceptrons on points."""

from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models import Discriminator, VectorGenerator


class MLPGenerator(VectorGenerator):
    """``z -> [linear, ReLU] * depth -> linear``: the shape of the toy generator of VEEGAN (Srivastava et al. 2017).

    No normalisation (PacGAN's toy generator, Lin et al. 2018, has batch normalisation: points would then depend on the others
    of their batch while training). Weights start as torch's `nn.Linear` has them.

    Args:
        latent_size: Entries of z.
        output_size: Numbers of a point, D.
        width: Units of each hidden layer.
        depth: Hidden layers.

    Raises:
        ConfigError: one of them is below 1.
    """

    def __init__(self, latent_size: int = 2, output_size: int = 2, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        _check(latent_size=latent_size, output_size=output_size, width=width, depth=depth)
        self.latent_size, self.output_size = latent_size, output_size
        self.layers = _perceptron(latent_size, output_size, width, depth)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """One vector."""
        return (self.latent_size,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """One point."""
        return (self.output_size,)

    def forward(self, z: Tensor) -> Tensor:
        """Points ``[N, D]`` of latents ``[N, latent_size]``; unbounded."""
        points: Tensor = self.layers(z)
        return points


class MLPDiscriminator(Discriminator):
    """``x -> [linear, ReLU] * depth -> linear``, a logit a point. PacGAN's has maxout units, VEEGAN's one hidden layer.

    Args:
        output_size: Numbers of a point, D.
        width: Units of each hidden layer.
        depth: Hidden layers.

    Raises:
        ConfigError: one of them is below 1.
    """

    modality = "vector"

    def __init__(self, output_size: int = 2, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        _check(output_size=output_size, width=width, depth=depth)
        self.layers = _perceptron(output_size, 1, width, depth)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Logits ``[N]`` of points ``[N, D]``."""
        scores: Tensor = self.layers(x)
        return scores.squeeze(1)


def _perceptron(inputs: int, outputs: int, width: int, depth: int) -> nn.Sequential:
    sizes = [inputs, *[width] * depth]
    hidden = [layer for i in range(depth) for layer in (nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


def _check(**sizes: int) -> None:
    for name, value in sizes.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"'{name}' must be a whole number of at least 1, not {value!r}.")
