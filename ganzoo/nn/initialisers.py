"""Named initialisations of convolution, linear and embedding weights."""

from collections.abc import Callable

from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn.spectral import SpectralNorm

INITIALISERS: dict[str, Callable[[Tensor], Tensor]] = {
    "orthogonal": nn.init.orthogonal_,  # Saxe et al. 2014
    "normal": lambda weight: nn.init.normal_(weight, 0.0, 0.02),  # Radford et al. 2016, sec. 4
    "xavier": nn.init.xavier_uniform_,  # Glorot and Bengio 2010
}
_LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)


def initialise(network: nn.Module, name: str) -> None:
    """Initialises every weight in ``network`` by the rule ``name`` and sets biases to zero.

    Raises:
        ConfigError: no rule of that name.
    """
    rule = INITIALISERS.get(name)
    if rule is None:
        raise ConfigError(f"There is no initialisation '{name}'.", hint=f"Use {', '.join(INITIALISERS)}.")
    for module in network.modules():
        if isinstance(module, _LAYERS):
            rule(trained_weight(module))
            bias = getattr(module, "bias", None)
            if bias is not None:
                nn.init.zeros_(bias)


def trained_weight(layer: nn.Module) -> Tensor:
    """The weight that training changes: of a spectrally normalised layer the one before normalisation."""
    weight = layer.weight_orig if isinstance(layer, SpectralNorm) else layer.weight
    assert isinstance(weight, Tensor)
    return weight
