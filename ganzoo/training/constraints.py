"""Hard constraints on the discriminator's weights, as opposed to penalties."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from ganzoo.errors import ConfigError
from ganzoo.training.parts import find

_NORMALISED = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Linear,
    nn.Embedding,
)


class Constraint(ABC):
    """Something that holds for a network's weights at all times."""

    @abstractmethod
    def apply(self, network: nn.Module) -> None:
        """Makes it hold for ``network``, in place, before its optimiser is built.

        Raises:
            ConfigError: it means nothing for this network.
        """

    def after_step(self, network: nn.Module) -> None:  # noqa: B027  # not every constraint is broken by a step
        """Called after every step of the optimiser."""

    def plain(self, network: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """``state``, the state dict of ``network``, as if the constraint had never been there; ``network`` stays as it is."""
        return state


class SpectralNormalisation(Constraint):
    """Every convolution, linear layer and embedding divided by its largest singular value, Miyato et al. 2018, eq. 8.

    One power iteration a forward pass. Layers that a family normalises itself are left alone.
    """

    def apply(self, network: nn.Module) -> None:
        """Parametrises the layers; the state dict then has ``parametrizations.weight.original`` and two vectors for each."""
        layers = [m for m in network.modules() if isinstance(m, _NORMALISED) and _free(m)]
        if not layers:
            raise ConfigError(
                f"{type(network).__name__} has no weight left for the constraint 'spectral-norm'.",
                hint="It has no convolution, linear layer or embedding, or normalises all of them itself.",
            )
        _refuse_zeros(network, layers)
        devices = sorted({p.device.index for p in network.parameters() if p.device.type == "cuda"})
        with torch.random.fork_rng(devices=devices):  # the first vectors are random; the same whatever was drawn before
            torch.manual_seed(0)
            for layer in layers:
                parametrizations.spectral_norm(layer)

    def plain(self, network: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """The normalised weights in place of what they are computed from."""
        # Removing the parametrisation from a deep copy would break the network: the two share the layers' changed classes.
        for name, module in network.named_modules():
            if isinstance(module, _NORMALISED) and parametrize.is_parametrized(module, "weight"):
                prefix = f"{name}." if name else ""
                own = f"{prefix}parametrizations.weight."
                state = {key: value for key, value in state.items() if not key.startswith(own)}
                state[f"{prefix}weight"] = _weight_now(module)
        return state


class WeightClipping(Constraint):
    """Every trained parameter within ``[-c, c]``, Arjovsky et al. 2017, algorithm 1.

    Args:
        limit: ``c``; 0.01 in the paper.
    """

    def __init__(self, limit: float = 0.01) -> None:
        self.limit = limit

    def apply(self, network: nn.Module) -> None:
        """Clips the initial weights."""
        self.after_step(network)

    @torch.no_grad()
    def after_step(self, network: nn.Module) -> None:
        """Clips what the step has moved."""
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.clamp_(-self.limit, self.limit)


def constraints_of(names: Sequence[str]) -> list[Constraint]:
    """The constraints of a recipe.

    Raises:
        UnknownNameError: there is none of that name; carries the closest names.
    """
    return [find("constraint", name)() for name in names]


def plain_state_dict(network: nn.Module, constraints: Sequence[Constraint]) -> dict[str, Tensor]:
    """The state dict of ``network`` as if it had never been constrained, with the weights that it computes with now.

    ``network`` stays as it is. An unconstrained twin that loads it computes the same in evaluation mode.
    """
    state: dict[str, Tensor] = network.state_dict()
    for constraint in constraints:
        state = constraint.plain(network, state)
    return state


@torch.no_grad()
def _weight_now(module: nn.Module) -> Tensor:
    """The weight without the power iteration that reading it would cost in training mode."""
    parametrized = module.get_submodule("parametrizations.weight")
    training = parametrized.training
    weight: Tensor = parametrized.eval()()
    parametrized.train(training)
    return weight.detach().clone()


def _refuse_zeros(network: nn.Module, layers: Sequence[nn.Module]) -> None:
    """A weight that starts at zero has no direction that could be kept: dividing by its norm makes it NaN."""
    names = [name for name, module in network.named_modules() if module in layers and not module.get_parameter("weight").any()]
    if names:
        raise ConfigError(
            f"{type(network).__name__} starts with weights of zero, which cannot be normalised by 'spectral-norm': {names[0]}"
            f"{f' and {len(names) - 1} more' if names[1:] else ''}.",
            hint="Leave the constraint out; regularizers, such as r1 or spectral, keep the discriminator smooth too.",
        )


def _free(module: nn.Module) -> bool:
    return isinstance(module._parameters.get("weight"), nn.Parameter)
