"""Maximum likelihood with teacher forcing: how the text GANs begin, and the baseline that they must beat."""

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

from ganzoo.building import load_state
from ganzoo.errors import ConfigError
from ganzoo.spec import Declaration, Optimizer, PositiveInt, Role, TextRecipe
from ganzoo.text.training.ground import HELD_OUT, Ground
from ganzoo.text.training.likelihood import weighted_nll
from ganzoo.text.training.phase import TextPhase, cloned
from ganzoo.training.player import Player


class MLEOptions(Declaration, frozen=True, kw_only=True):
    """Options of `MLE`.

    Attributes:
        generator: The optimiser; the recipe's unless given.
        every: Steps between two looks at the held-out sentences; an epoch unless given.
        patience: Looks without a new best after which it stops; None never stops early.
        keep: ``best`` ends with the weights of the best look, ``last`` with the last.
    """

    generator: Optimizer | None = None
    every: PositiveInt | None = None
    patience: PositiveInt | None = None
    keep: Literal["best", "last"] = "best"


class MLE(TextPhase[MLEOptions]):
    """Descends the mean negative log-likelihood of a token of the training sentences."""

    Options = MLEOptions

    def __init__(self, ground: Ground, steps: int, options: MLEOptions) -> None:
        super().__init__(ground, steps, options)
        self._player = self.player("generator", ground.generator)
        self._every = options.every or -(-len(ground.material.train) // ground.recipe.batch_size)
        self._looks = len(ground.material.valid) > 0
        self.best: float | None = None
        self._since = 0
        self._kept: dict[str, Tensor] = {}

    @classmethod
    def check(cls, name: str, options: MLEOptions, recipe: TextRecipe) -> None:
        """See `TextPhase.check`."""
        super().check(name, options, recipe)
        if options.patience is not None and options.keep == "last":
            raise ConfigError(
                f"phases.{name} would stop after its best weights and keep the last ones.",
                hint=f"Set phases.{name}.options.keep=best, or no patience.",
            )

    @classmethod
    def sentences_per_step(cls, options: MLEOptions, recipe: TextRecipe) -> int:
        """One batch."""
        return recipe.batch_size

    def step(self) -> dict[str, float]:
        """One update; the held-out sentences are looked at when their time has come."""
        self._player.follow(self.done)
        tokens = self.ground.real()
        mask = self.ground.mask(tokens)
        loss = weighted_nll(self.ground.generator, tokens, self.ground.per_token(mask))
        figures = {"nll": self._player.descend([loss])}
        self.done += 1
        if self._looks and (self.done % self._every == 0 or self.done == self.steps):
            figures[HELD_OUT] = self._look()
        return figures

    def _look(self) -> float:
        found = self.ground.held_out_nll()
        if self.best is None or found < self.best:
            self.best, self._since = found, 0
            if self.options.keep == "best":
                self._kept = cloned(self.ground.generator)
        else:
            self._since += 1
        return found

    @property
    def finished(self) -> bool:
        """Whether its patience is at an end."""
        return self.options.patience is not None and self._since >= self.options.patience

    def end(self) -> None:
        """Goes back to the best weights."""
        if self._kept:
            load_state(self.ground.generator, self._kept, assign=False)

    def players(self) -> dict[Role, Player]:
        """The generator."""
        return {"generator": self._player}

    def state(self) -> dict[str, Any]:
        """Also the best weights so far."""
        return {**super().state(), "best": self.best, "since": self._since, "kept": self._kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        super().restore(state)
        self.best, self._since = state["best"], state["since"]
        self._kept = {name: tensor.to(self.ground.device) for name, tensor in state["kept"].items()}
