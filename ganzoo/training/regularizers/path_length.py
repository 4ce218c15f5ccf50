"""Path length regularisation of the generator."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.training.precision import precise
from ganzoo.training.regularizers.base import GeneratorRegularizer, Mean
from ganzoo.training.regularizers.options import check_count, check_number
from ganzoo.training.regularizers.running import RunningMean
from ganzoo.training.turns import GeneratorTurn


class PathLength(GeneratorRegularizer):
    """``E[(|J_w^T y| - a)^2]``, ``y ~ N(0, I)`` over the root of the pixel count, Karras et al. 2020b, eq. 4.

    ``J_w`` is the Jacobian of the output with respect to the latent of `Generator.path`, and ``a`` the running mean of the
    lengths of earlier steps. The weight is theirs; they apply it every 4 steps.

    Args:
        decay: Share of the new batch in the running mean; 0.01 in the paper.
        shrink: Only one sample in so many is measured; the authors' code has 2.
    """

    second_order = True
    default_weight = 2.0

    def __init__(self, *, decay: float = 0.01, shrink: int = 1) -> None:
        self.mean = RunningMean(check_number("decay", decay, above=0, at_most=1), start=torch.zeros(()))
        self.shrink = check_count("shrink", shrink)

    def penalty(self, turn: GeneratorTurn) -> Tensor:
        """With fresh noise; notes the lengths for the running mean."""
        lengths = self._lengths(turn)
        self.mean.collect(lengths.mean())
        assert self.mean.value is not None  # it starts at zero
        return (lengths - self.mean.value.to(lengths)).square().mean()

    def _lengths(self, turn: GeneratorTurn) -> Tensor:
        """``|J_w^T y|`` ``[N / shrink]``; of a latent ``[N, L, D]`` the root mean square over its ``L`` layers."""
        rows = max(1, len(turn.z) // self.shrink)
        latent, output = turn.generator.path(turn.z[:rows], None if turn.c is None else turn.c[:rows])
        output = precise(output)
        pixels, layers = math.prod(output.shape[2:]), math.prod(latent.shape[1:-1])
        y = turn.draws.normal(*output.shape, like=output) / math.sqrt(pixels)
        (gradient,) = torch.autograd.grad((output * y).sum(), latent, create_graph=True)
        lengths: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        return lengths / math.sqrt(layers)

    def after_step(self, mean: Mean) -> None:
        """Moves the running mean."""
        self.mean.move(mean)

    def state(self) -> dict[str, Any]:
        """The running mean."""
        return self.mean.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self.mean.restore(state)
