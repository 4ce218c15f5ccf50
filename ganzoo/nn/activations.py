"""Activations by the names that configurations of the field give them."""

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import ConfigError

Activation = Callable[[Tensor], Tensor]
ACTIVATIONS: dict[str, Activation] = {
    "ReLU": F.relu,
    "Leaky_ReLU": partial(F.leaky_relu, negative_slope=0.1),
    "ELU": F.elu,
    "GELU": F.gelu,
}


def activation_named(name: str) -> Activation:
    """The activation ``name``.

    Raises:
        ConfigError: no activation of that name.
    """
    found = ACTIVATIONS.get(name)
    if found is None:
        raise ConfigError(f"There is no activation '{name}'.", hint=f"Use {', '.join(ACTIVATIONS)}.")
    return found
