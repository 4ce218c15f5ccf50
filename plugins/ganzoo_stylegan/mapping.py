"""From latents ``z`` to intermediate latents ``w``: the part that StyleGAN2 and StyleGAN3 share (Karras et al. 2020b, 2021)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn import bias_act

EPS = 1e-8  # added to the mean square of a latent


class FullyConnected(nn.Module):
    """A linear layer with equalised learning rate (Karras et al. 2018, sec. 4.1), then an activation.

    Stored weights are like standard normal numbers over ``lr_multiplier``. They are scaled to the number of inputs at run time:
    Adam moves all layers at the same pace.

    Args:
        inputs: Entries of the input.
        outputs: Entries of the output.
        bias: Whether there is one.
        activation: A name of `ganzoo.nn.bias_act`.
        lr_multiplier: How much slower it learns than other layers.
        weight_init: Standard deviation of the initial weights, times ``lr_multiplier``.
        bias_init: The effective bias at first: one number, or one for each output.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias: bool = True,
        activation: str = "linear",
        lr_multiplier: float = 1.0,
        weight_init: float = 1.0,
        bias_init: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__()
        if not lr_multiplier > 0:
            raise ConfigError(f"A learning rate multiplier is a number above 0, not {lr_multiplier}.")
        self.activation, self.bias_gain = activation, lr_multiplier
        self.weight_gain = lr_multiplier / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * (weight_init / lr_multiplier))
        first = torch.as_tensor(bias_init, dtype=torch.float32) / lr_multiplier
        self.bias = nn.Parameter(first.expand(outputs).clone()) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """``[N, inputs]`` to ``[N, outputs]``, in the dtype of ``x``."""
        x, weight = x * self.weight_gain, self.weight.to(x.dtype)  # x is smaller than the weight
        bias = None if self.bias is None else self.bias.to(x.dtype) * self.bias_gain
        if self.activation == "linear":
            return F.linear(x, weight, bias)
        return bias_act(F.linear(x, weight), bias, act=self.activation)


class MappingNetwork(nn.Module):
    """``z [N, z_dim]`` and class weights ``[N, num_classes]`` to ``w [N, w_dim]``. Either input may be of no entries.

    Parameters are named as NVIDIA's programs name them: ``embed``, ``fc0``, ``fc1`` …, and the buffer ``w_avg``.

    Args:
        z_dim: Entries of ``z``; 0 for a network of classes alone.
        num_classes: Entries of the condition; 0 for none.
        w_dim: Entries of ``w``.
        num_layers: Fully connected layers.
        embed_features: Entries of the embedded class; None means ``w_dim``.
        layer_features: Entries between the layers; None means ``w_dim``.
        activation: After each layer.
        lr_multiplier: Of each layer.
        average: Whether there is a moving average of ``w``.
    """

    w_avg: Tensor

    def __init__(
        self,
        z_dim: int,
        num_classes: int,
        w_dim: int,
        *,
        num_layers: int = 8,
        embed_features: int | None = None,
        layer_features: int | None = None,
        activation: str = "lrelu",
        lr_multiplier: float = 0.01,
        average: bool = True,
    ) -> None:
        super().__init__()
        if min(z_dim, num_classes) < 0 or z_dim + num_classes < 1 or w_dim < 1 or num_layers < 0:
            raise ConfigError(f"Nothing can be mapped from {z_dim} entries and {num_classes} classes to {w_dim} entries.")
        embedded = (w_dim if embed_features is None else embed_features) if num_classes else 0
        between = w_dim if layer_features is None else layer_features
        sizes = [z_dim + embedded, *[between] * (num_layers - 1), *([w_dim] if num_layers else [])]
        if sizes[-1] != w_dim or min(sizes) < 1:
            raise ConfigError(f"A mapping network of the sizes {sizes} does not end in {w_dim} entries.")
        self.z_dim, self.num_classes, self.w_dim, self.num_layers = z_dim, num_classes, w_dim, num_layers
        self.embed = FullyConnected(num_classes, embedded) if num_classes else None
        for i, (before, after) in enumerate(pairwise(sizes)):
            layer = FullyConnected(before, after, activation=activation, lr_multiplier=lr_multiplier)
            self.add_module(f"fc{i}", layer)
        if average:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor | None, c: Tensor | None = None) -> Tensor:
        """Each input is brought to a mean square of 1, then both enter together."""
        inputs = [] if z is None or not self.z_dim else [normalised(z)]
        if self.embed is not None and c is not None:
            inputs.append(normalised(self.embed(c)))
        x = torch.cat(inputs, dim=1)
        for i in range(self.num_layers):
            x = self.get_submodule(f"fc{i}")(x)
        return x


def normalised(x: Tensor) -> Tensor:
    """``x [N, D]`` with a mean square of 1 in each row."""
    return x * (x.square().mean(1, keepdim=True) + EPS).rsqrt()
