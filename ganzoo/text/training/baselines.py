"""Baselines: what is taken off the reward so that its mean does not sharpen the generator by itself."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from ganzoo.training.processes import Processes

Kind = Literal["none", "batch", "position", "ema"]
DECAY = 0.9


class Baseline:
    """A baseline.

    Args:
        kind: ``none`` as Yu et al. 2017 have it; ``batch``, the mean of the batch; ``position``, its mean at each position;
            ``ema``, the moving average of the batch's mean (de Masson d'Autume et al. 2019 decay it by 0.08 a step, here 0.1).
        processes: Whose batch it is.
    """

    def __init__(self, kind: Kind, processes: Processes) -> None:
        self.kind, self._processes = kind, processes
        self._average: float | None = None

    def __call__(self, rewards: Tensor, mask: Tensor) -> Tensor:
        """What to take off ``rewards [N, T]``: a tensor that broadcasts against them."""
        if self.kind == "none":
            return rewards.new_zeros(())
        sums, counts = (rewards * mask).sum(0), mask.sum(0).to(rewards.dtype)
        if self.kind != "position":
            sums, counts = sums.sum(), counts.sum()
        mean = self._processes.total(sums) / self._processes.total(counts).clamp_min(1)
        return self._moving(float(mean), rewards) if self.kind == "ema" else mean

    def _moving(self, mean: float, like: Tensor) -> Tensor:
        before = mean if self._average is None else self._average
        self._average = DECAY * before + (1 - DECAY) * mean
        return torch.full((), before, device=like.device)

    def state(self) -> dict[str, Any]:
        """What decides its future."""
        return {"average": self._average}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self._average = state["average"]
