"""Penalties on weights alone: they look at no example."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from ganzoo.errors import ConfigError
from ganzoo.training.regularizers.base import DiscriminatorRegularizer, GeneratorRegularizer, Mean
from ganzoo.training.regularizers.options import check_count
from ganzoo.training.turns import DiscriminatorTurn, GeneratorTurn

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_FIRST_ITERATIONS = 20  # from a random vector to one close to the singular vector


def weight_matrices(network: nn.Module) -> list[Tensor]:
    """The weight of every layer but embeddings as a matrix ``[outputs, everything else]``, in the order of registration.

    A layer is any module with a ``weight`` of two or more axes; where it is normalised, the trained weight behind it is taken.

    Raises:
        ConfigError: there is none.
    """
    matrices = []
    for module in network.modules():
        weight = _trained_weight(module)
        if not isinstance(weight, Tensor) or weight.dim() < 2 or isinstance(module, nn.Embedding):
            continue
        matrices.append((weight.transpose(0, 1) if isinstance(module, _TRANSPOSED) else weight).flatten(1))
    if not matrices:
        raise ConfigError(f"{type(network).__name__} has no layer with a weight that could be regularised.")
    return matrices


def _trained_weight(module: nn.Module) -> Tensor | None:
    """Reading a normalised ``weight`` would give the norm no penalty can change, and advance its power iteration."""
    if parametrize.is_parametrized(module, "weight"):
        return getattr(module.get_submodule("parametrizations.weight"), "original", None)
    return getattr(module, "weight", getattr(module, "weight_orig", None))


def orthogonal_penalty(network: nn.Module) -> Tensor:
    """``sum |W^T W o (1 - I)|_F^2`` over the layers, Brock et al. 2019, eq. 3; the columns of their ``W`` are filters.

    Unlike the penalty of their eq. 2 it asks for right angles between filters and leaves their norms alone.
    """
    terms = []
    for rows in weight_matrices(network):
        with _full_precision(rows):
            gram = rows @ rows.t()
            terms.append((gram - gram.diagonal().diag()).square().sum())
    return torch.stack(terms).sum()


class OrthogonalGenerator(GeneratorRegularizer):
    """``sum |W^T W o (1 - I)|_F^2`` over the generator's layers, Brock et al. 2019, eq. 3. The weight is their beta."""

    default_weight = 1e-4

    def penalty(self, turn: GeneratorTurn) -> Tensor:
        """Of the weights as they are; the examples do not matter."""
        return orthogonal_penalty(turn.generator)


class OrthogonalDiscriminator(DiscriminatorRegularizer):
    """``sum |W^T W o (1 - I)|_F^2`` over the discriminator's layers, Brock et al. 2019, eq. 3. The weight is their beta."""

    default_weight = 1e-4

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """Of the weights as they are; the examples do not matter."""
        return orthogonal_penalty(turn.discriminator)


class Spectral(DiscriminatorRegularizer):
    """``1/2 sum s(W)^2``, ``s`` the largest singular value, over the layers, Yoshida and Miyato 2017. Weight: lambda.

    The singular vectors are carried from step to step and improved by power iteration, as there.

    Args:
        iterations: Of the power method in each step.
    """

    default_weight = 0.01

    def __init__(self, *, iterations: int = 1) -> None:
        self.iterations = check_count("iterations", iterations)
        self._vectors: list[Tensor] = []
        self._next: list[Tensor] = []

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """Of the weights as they are; the examples do not matter."""
        matrices = weight_matrices(turn.discriminator)
        with _full_precision(matrices[0]):
            return self._penalty(matrices)

    def _penalty(self, matrices: list[Tensor]) -> Tensor:
        before, rounds = self._vectors, self.iterations
        if not before:
            before, rounds = _random_vectors(matrices), max(rounds, _FIRST_ITERATIONS)
        self._next = [_improved(w.detach(), u.to(w), rounds) for w, u in zip(matrices, before, strict=True)]
        pairs = zip(matrices, self._next, strict=True)
        values = [torch.dot(u, w @ F.normalize(w.detach().t() @ u, dim=0)) for w, u in pairs]
        return 0.5 * torch.stack(values).square().sum()

    def after_step(self, mean: Mean) -> None:
        """Keeps the vectors; every piece of a batch has improved the same ones."""
        self._vectors, self._next = self._next or self._vectors, []

    def state(self) -> dict[str, Any]:
        """The left singular vectors by the number of the layer."""
        return {str(i): u for i, u in enumerate(self._vectors)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self._vectors, self._next = [state[str(i)] for i in range(len(state))], []


def _full_precision(weight: Tensor) -> torch.autocast:
    """Products of weights in the weights' own precision, also where the networks compute in half of it."""
    return torch.autocast(weight.device.type, enabled=False)


def _random_vectors(matrices: list[Tensor]) -> list[Tensor]:
    """One for each matrix. The same in every process: weights are not shared out as examples are."""
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(len(w), generator=rng).to(w) for w in matrices]


def _improved(w: Tensor, u: Tensor, iterations: int) -> Tensor:
    for _ in range(iterations):
        u = F.normalize(w @ F.normalize(w.t() @ u, dim=0), dim=0)
    return u
