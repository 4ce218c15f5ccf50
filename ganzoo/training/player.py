"""One side of the game: a network, its optimiser, and what is added to its loss."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo import spec
from ganzoo.errors import TrainingError
from ganzoo.spec import Role
from ganzoo.training.optimizers import build_optimizer, follow_schedule, load_portable_state, portable_state
from ganzoo.training.parts import find
from ganzoo.training.processes import Processes
from ganzoo.training.regularizers import Regularizer
from ganzoo.training.schedules import value_at
from ganzoo.training.turns import Side

REMEDIES = (
    "Usual remedies: a lower learning rate (--set generator.lr=1e-4 --set discriminator.lr=1e-4), a gradient "
    "penalty (--set regularizers.r1.weight=1), or going on by itself (--set on_nan=rollback)."
)


@dataclass
class Term:
    """A regulariser in use.

    Attributes:
        name: Its name in the recipe.
        part: The regulariser.
        options: How the recipe uses it.
        weight: Its weight now.
    """

    name: str
    part: Regularizer
    options: spec.Regularizer
    weight: float = 0.0

    def follow(self, images: int, total: int) -> None:
        """Sets the weight to what it is after ``images`` of ``total``."""
        chosen = self.part.default_weight if self.options.weight is None else self.options.weight
        self.weight = value_at(chosen, images, total)


def terms_of(recipe: spec.Recipe, role: Role) -> list[Term]:
    """The regularisers of ``recipe`` that belong to the network ``role``.

    Raises:
        UnknownNameError: no such regulariser.
        ConfigError: an option that it does not have or cannot use.
    """
    terms = []
    for name, options in recipe.regularizers.items():
        kind = find("regulariser", name)
        if kind.role != role:
            continue
        terms.append(Term(name, kind.from_options(name, options.options), options))
    return terms


def share_of_multiples(intervals: Collection[int]) -> float:
    """The share of all numbers that are a multiple of one of ``intervals`` at least, by inclusion and exclusion."""
    subsets = [subset for size in range(1, len(intervals) + 1) for subset in combinations(sorted(intervals), size)]
    return sum((1 if len(subset) % 2 else -1) / math.lcm(*subset) for subset in subsets)


class Player:
    """A network that learns.

    Args:
        role: ``generator`` or ``discriminator``.
        network: What is trained; parameters that require no gradient stay as they are.
        options: Of the optimiser.
        total: Examples of the whole run, which schedules refer to.
        processes: Who trains together.
        terms: The regularisers of this network.
        scaler: Scales losses in half precision, where that is wanted.
        clip: Largest norm of a gradient; longer ones are scaled to it.
    """

    def __init__(
        self,
        role: Role,
        network: nn.Module,
        options: spec.Optimizer,
        *,
        total: int,
        processes: Processes,
        terms: Iterable[Term] = (),
        scaler: torch.amp.GradScaler | None = None,
        clip: float | None = None,
    ) -> None:
        self.role, self.network = role, network
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = build_optimizer(options, self.parameters)
        self.terms = list(terms)
        self.updates = 0
        self._options, self._total, self._processes, self._clip = options, total, processes, clip
        self._scaler = torch.amp.GradScaler(enabled=False) if scaler is None else scaler

    @property
    def every_time(self) -> list[Term]:
        """The regularisers that are part of every update, but those that weigh nothing now."""
        return [term for term in self.terms if term.options.every == 1 and term.weight]

    @property
    def due(self) -> list[Term]:
        """The lazy regularisers whose turn it is in this update."""
        return [t for t in self.terms if t.options.every > 1 and t.weight and self.updates % t.options.every == 0]

    def follow(self, images: int) -> None:
        """Sets everything that is scheduled to what it is after ``images``."""
        for term in self.terms:
            term.follow(images, self._total)
        steps = 1.0 + share_of_multiples({term.options.every for term in self.terms if term.options.every > 1 and term.weight})
        follow_schedule(self.optimizer, self._options, images, self._total, steps=steps)

    def descend(self, losses: Iterable[Tensor]) -> float:
        """One step of the optimiser on the sum of ``losses``; each one's graph is freed before the next is asked for.

        Returns:
            That sum, averaged over the processes.

        Raises:
            TrainingError: it is not finite. The network is not updated by it.
        """
        self.optimizer.zero_grad(set_to_none=True)
        total: Tensor | None = None
        for loss in losses:
            if loss.requires_grad:  # a regulariser that has nothing to say yet is a constant
                self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total = loss.detach() if total is None else total + loss.detach()
        if total is None:
            return 0.0
        moved = any(p.grad is not None for p in self.parameters)
        value = float(self._processes.mean(total))
        if not math.isfinite(value):
            raise TrainingError(f"The {self.role}'s loss became {value}.", hint=REMEDIES)
        if moved:
            self._processes.average_gradients(self.parameters)
            if self._clip is not None:
                self._scaler.unscale_(self.optimizer)
                torch.nn.utils.clip_grad_norm_(self.parameters, self._clip)
            self._scaler.step(self.optimizer)
            self._scaler.update()
        for term in self.terms:
            term.part.after_step(self._processes.mean)
        return value

    def gradients_of(self, terms: Iterable[Term]) -> set[Side]:
        """The inputs that must require a gradient for these regularisers."""
        return {side for term in terms for side in term.part.gradients}

    def state(self) -> dict[str, Any]:
        """What decides its future besides the network."""
        return {
            "updates": self.updates,
            "optimizer": portable_state(self.optimizer),
            "regularizers": {term.name: term.part.state() for term in self.terms},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self.updates = state["updates"]
        load_portable_state(self.optimizer, state["optimizer"])
        for term in self.terms:
            term.part.restore(state["regularizers"][term.name])
