"""The network: a softmax over positions, so that exactly one dot lights up."""

import torch
from torch import Tensor, nn

from ganzoo.models import ImageGenerator


class DotGenerator(ImageGenerator):
    """``z [N, 4]`` to grey images ``[N, 1, size, size]`` in [-1, 1]."""

    def __init__(self, size: int = 8) -> None:
        super().__init__()
        self.size = size
        self.place = nn.Linear(4, size * size)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``(4,)``."""
        return (4,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(1, size, size)``."""
        return (1, self.size, self.size)

    def forward(self, z: Tensor) -> Tensor:
        """Images of latents."""
        return torch.softmax(self.place(z) * 20, dim=1).view(-1, 1, self.size, self.size) * 2 - 1
