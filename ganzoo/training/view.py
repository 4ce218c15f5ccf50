"""What the discriminator gets to see: augmentation, fixed, scheduled or adaptive, and instance noise."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo import spec
from ganzoo.training.augment import build_pipeline
from ganzoo.training.augment.adaptive import AdaptiveProbability
from ganzoo.training.draws import Draws
from ganzoo.training.processes import Processes
from ganzoo.training.schedules import value_at


class View:
    """The recipe's augmentation at the present moment of a run.

    Args:
        recipe: Of the run.
        processes: Whose scores together decide on an adaptive probability.
    """

    def __init__(self, recipe: spec.Recipe, processes: Processes) -> None:
        self._recipe, self._processes = recipe, processes
        self._pipeline = build_pipeline(recipe.augment.pipeline)
        self.adaptive = _adaptive(recipe.augment)
        self._p, self._sigma = 0.0, 0.0
        self.follow(0)

    @property
    def p(self) -> float:
        """The probability of each augmentation now."""
        return self._p if self.adaptive is None else self.adaptive.p

    def follow(self, images: int) -> None:
        """Sets what is scheduled to what it is after ``images``."""
        p = self._recipe.augment.p
        self._p = 1.0 if p is None else value_at(p, images, self._recipe.images)
        self._sigma = value_at(self._recipe.instance_noise, images, self._recipe.images)

    def __call__(self, draws: Draws) -> Callable[[Tensor], Tensor]:
        """A function that shows examples ``[N, ...]``, each time with fresh draws."""

        def show(examples: Tensor) -> Tensor:
            if self._recipe.augment.pipeline:
                examples = self._pipeline(examples, draws, self.p)
            if self._sigma:
                noise = draws.normal(len(examples), *examples.shape[1:], like=examples)
                examples = examples + self._sigma * noise
            return examples

        return show

    def observe(self, real_scores: list[Tensor]) -> None:
        """Counts the signs of the logits of real examples; an adaptive probability moves when its time has come.

        Args:
            real_scores: Logits of this process's share of one update, in pieces ``[N]``.
        """
        if self.adaptive is None:
            return
        total, count = self.adaptive.signs(torch.cat(real_scores))
        self.adaptive.observe(self._processes.total(total), count * self._processes.count)

    def figures(self) -> dict[str, float]:
        """What a line of metrics says of it."""
        if not self._recipe.augment.pipeline:
            return {}
        r_t = {} if self.adaptive is None or self.adaptive.r_t is None else {"r_t": self.adaptive.r_t}
        return {"augment_p": self.p, **r_t}

    def state(self) -> dict[str, Any]:
        """What decides the future."""
        return {} if self.adaptive is None else self.adaptive.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        if self.adaptive is not None:
            self.adaptive.restore(state)


def _adaptive(options: spec.Augmentation) -> AdaptiveProbability | None:
    if options.target is None:
        return None
    start = 0.0 if options.p is None else value_at(options.p, 0, 1)
    return AdaptiveProbability(target=options.target, images=options.images, every=options.every, p=start)
