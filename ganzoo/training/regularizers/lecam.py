"""LeCam regularisation of the discriminator."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.training.regularizers.base import DiscriminatorRegularizer, Mean
from ganzoo.training.regularizers.options import check_count, check_flag, check_number
from ganzoo.training.regularizers.running import RunningMean
from ganzoo.training.turns import DiscriminatorTurn


class LeCam(DiscriminatorRegularizer):
    """``E[(D(x) - a_F)^2] + E[(D(G(z)) - a_R)^2]``, Tseng et al. 2021, for training on little data.

    ``a_R`` and ``a_F`` are running means of the logits of real and generated examples in earlier steps. The weight is the
    paper's lambda.

    Args:
        decay: Share of the old value in the running means.
        start: Images shown before the penalty begins; the running means are kept from the first step on.
        one_sided: Penalise ``D(x)`` above ``a_F`` and ``D(G(z))`` below ``a_R`` only, as the authors' code does.
    """

    default_weight = 0.3

    def __init__(self, *, decay: float = 0.99, start: int = 50_000, one_sided: bool = True) -> None:
        self.means = RunningMean(1 - check_number("decay", decay, at_least=0, at_most=1))
        self.start = check_count("start", start, at_least=0)
        self.one_sided = check_flag("one_sided", one_sided)

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """Zero until the start; notes the logits for the running means."""
        real, fake = turn.real_scores, turn.fake_scores
        self.means.collect(torch.stack([real.mean(), fake.mean()]))
        if self.means.value is None or turn.images < self.start:
            return 0.0 * (real.mean() + fake.mean())  # zero, but with a graph to go back through
        mean_real, mean_fake = self.means.value.to(real).unbind()
        above, below = real - mean_fake, mean_real - fake
        if self.one_sided:
            above, below = above.relu(), below.relu()
        return above.square().mean() + below.square().mean()

    def after_step(self, mean: Mean) -> None:
        """Moves the running means."""
        self.means.move(mean)

    def state(self) -> dict[str, Any]:
        """The running means ``[real, generated]``."""
        return self.means.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self.means.restore(state)
