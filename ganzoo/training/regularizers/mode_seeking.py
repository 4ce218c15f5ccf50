"""Mode-seeking regularisation of the generator."""

import torch
from torch import Tensor

from ganzoo.training.regularizers.base import GeneratorRegularizer
from ganzoo.training.turns import GeneratorTurn

EPS = 1e-5  # of the authors' code: two equal outputs cost 1 / EPS


class ModeSeeking(GeneratorRegularizer):
    """``E[1 / (d(G(z1), G(z2)) / d(z1, z2) + eps)]`` with ``d`` the mean absolute difference, Mao et al. 2019 (MSGAN).

    The paper maximises the ratio of the distances; as a penalty its inverse is minimised, as in the authors' code, since the
    ratio has no bound. The weight is theirs. Both samples of a pair have the same class.
    """

    default_weight = 1.0

    def penalty(self, turn: GeneratorTurn) -> Tensor:
        """Pairs each sample of the turn with one of a fresh latent."""
        other = _fresh_latents(turn)
        ratio = _distance(turn.output, turn.generate(other)) / _distance(turn.z, other)
        return (1 / (ratio + EPS)).mean()


def _fresh_latents(turn: GeneratorTurn) -> Tensor:
    """Like ``turn.z``, of the distribution of the family; drawn for the whole batch as all other random numbers are."""
    draws, size = turn.draws, len(turn.z)
    every = [turn.generator.draw_latent(draws.rng) for _ in range(size * draws.shares)]
    return torch.stack(every[draws.share * size : (draws.share + 1) * size]).to(turn.z)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().flatten(1).mean(1)
