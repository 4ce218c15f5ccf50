"""From latents ``z`` to intermediate latents ``w`` (Karras et al. 2019, fig. 1b)."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo_stylegan.mapping import normalised
from ganzoo_stylegan.stylegan1.layers import SLOPE, EqualisedLinear


class MappingNetwork(nn.Module):
    """``z [N, z_dim]`` and class weights ``[N, num_classes]`` to ``w [N, w_dim]``.

    Unlike in the later versions, the embedded class joins ``z`` before both are normalised together, it is as long as ``z`` and
    stored as it is used.

    Args:
        z_dim: Entries of ``z``.
        num_classes: Entries of the condition; 0 for none.
        w_dim: Entries of ``w``.
        num_layers: Fully connected layers; with none ``w`` is the normalised input.
        width: Entries between the layers.
        lr_multiplier: Of each layer.
        equalised: As for `ganzoo_stylegan.stylegan1.layers.Equalised`.

    Raises:
        ConfigError: a size that no layer can have.
    """

    w_avg: Tensor

    def __init__(
        self, z_dim: int, num_classes: int, w_dim: int, *, num_layers: int, width: int, lr_multiplier: float, equalised: bool
    ) -> None:
        super().__init__()
        inputs = z_dim * 2 if num_classes else z_dim
        if min(z_dim, w_dim, width) < 1 or min(num_layers, num_classes) < 0 or (num_layers == 0 and inputs != w_dim):
            raise ConfigError(
                f"Nothing can be mapped from {z_dim} entries and {num_classes} classes to {w_dim} entries "
                f"by {num_layers} layers of {width}."
            )
        self.embed = nn.Parameter(torch.randn(num_classes, z_dim)) if num_classes else None
        sizes = [inputs, *[width] * (num_layers - 1), *([w_dim] if num_layers else [])]
        self.num_layers = num_layers
        for i, (before, after) in enumerate(pairwise(sizes)):
            self.add_module(f"fc{i}", EqualisedLinear(before, after, lr_multiplier=lr_multiplier, equalised=equalised))
        self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """A leaky ReLU follows every layer, the last one too."""
        x = z if self.embed is None or c is None else torch.cat([z, c @ self.embed], dim=1)
        x = normalised(x)
        for i in range(self.num_layers):
            x = F.leaky_relu(self.get_submodule(f"fc{i}")(x), SLOPE)
        return x
