"""A running average of batch statistics that does not depend on how the batch is split."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.training.precision import precise
from ganzoo.training.regularizers.base import Mean


class RunningMean:
    """``m <- m + rate (batch mean - m)``, once a step.

    What the pieces of a batch contribute is collected, and the average moves when the step is over: every piece of it, in
    every process, sees the same value.

    Args:
        rate: Share of the new batch.
        start: The average before the first batch; None takes the first batch as it is.
    """

    def __init__(self, rate: float, *, start: Tensor | None = None) -> None:
        self.rate = rate
        self.value = start
        self._collected: list[Tensor] = []

    def collect(self, statistics: Tensor) -> None:
        """Notes the statistics of a piece; pieces are of equal size."""
        self._collected.append(precise(statistics.detach()))

    def move(self, mean: Mean) -> None:
        """Takes in what was collected, averaged over the pieces and, by ``mean``, over the processes."""
        if not self._collected:
            return
        new = mean(torch.stack(self._collected).mean(0))
        self._collected = []
        self.value = new if self.value is None else self.value.to(new).lerp(new, self.rate)

    def state(self) -> dict[str, Any]:
        """Empty before the first batch where nothing was given to start with."""
        return {} if self.value is None else {"mean": self.value}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self.value, self._collected = state.get("mean"), []
