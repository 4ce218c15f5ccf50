"""The exponential moving average of a generator (Yazıcı et al. 2019, arXiv:1806.04498), in torch's own averaged model."""

from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from ganzoo.models import Generator

Tensors = tuple[Tensor, ...] | list[Tensor]


class Average:
    """Follows a generator: parameters by a decay with a half-life in images, buffers as they are.

    Args:
        generator: What is followed; the average begins as its copy, without gradients and in evaluation mode.
    """

    def __init__(self, generator: Generator[Any]) -> None:
        self._decay = 0.0
        self._model = AveragedModel(generator, multi_avg_fn=self._mix)
        self._model.n_averaged.fill_(1)  # the copy that it begins with counts; torch would overwrite it at the first update
        self.generator.eval().requires_grad_(False)

    @property
    def generator(self) -> Generator[Any]:
        """The average itself."""
        return cast(Generator[Any], self._model.module)

    def update(self, generator: Generator[Any], *, half_life: float, ramp: float, shown: int, images: int) -> None:
        """Moves towards ``generator``.

        Args:
            generator: What is followed.
            half_life: Images after which a state counts half; 0 makes the average the generator itself.
            ramp: The half-life is at most this share of ``images``; 0 for no ramp (Karras et al. 2020a use 0.05).
            shown: Images shown in this step.
            images: Images shown so far, this step included.
        """
        if ramp:
            half_life = min(half_life, ramp * images)
        self._decay = 0.5 ** (shown / half_life) if half_life else 0.0
        self._model.update_parameters(generator)

    @torch.no_grad()
    def _mix(self, averages: Tensors, currents: Tensors, count: Tensor | int) -> None:
        torch._foreach_lerp_(averages, currents, 1 - self._decay)
