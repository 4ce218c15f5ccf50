"""What a phase of a text recipe is: some steps of one kind, on ground that all phases of a run share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from torch import Tensor, nn

from ganzoo import spec
from ganzoo.models import Generator
from ganzoo.spec import Declaration, Json, Role, TextRecipe
from ganzoo.text.training.ground import Ground
from ganzoo.training.invalid import read_options
from ganzoo.training.player import Player
from ganzoo.training.settings import check_optimizer

Opt = TypeVar("Opt", bound=Declaration)


class TextPhase(ABC, Generic[Opt]):
    """A phase. A subclass names its `Options` and takes its steps.

    Each phase of a run is made once before the first step of all, and again when its turn comes. So its constructor refuses
    what does not fit the ground, and leaves everything else as it is: it changes no weight and draws nothing.

    Args:
        ground: What all phases of the run share.
        steps: How many steps it takes at most.
        options: Its options.

    Raises:
        ConfigError: networks or data that it cannot work with.

    Attributes:
        Options: A struct of its own options; what stands there can be set in a recipe.
    """

    Options: ClassVar[type[Declaration]]

    def __init__(self, ground: Ground, steps: int, options: Opt) -> None:
        self.ground, self.steps, self.options = ground, steps, options
        self.done = 0

    # --- what can be said before it begins ----------------------------------------------------------------------------

    @classmethod
    def read_options(cls, name: str, given: Mapping[str, Json]) -> Any:
        """The options of the phase ``name``.

        Raises:
            ConfigError: one that it does not have, or cannot use.
        """
        return read_options(f"phases.{name}.options", given, cls.Options, f"phases.{name}.options")

    @classmethod
    def check(cls, name: str, options: Opt, recipe: TextRecipe) -> None:
        """Refuses options that mean nothing in this recipe.

        Raises:
            ConfigError: they do.
        """
        for role in ("generator", "discriminator"):
            own = getattr(options, role, None)
            if isinstance(own, spec.Optimizer):
                check_optimizer(f"phases.{name}.options.{role}", own)

    @classmethod
    @abstractmethod
    def sentences_per_step(cls, options: Opt, recipe: TextRecipe) -> int:
        """Sentences, real or generated, that the updates of one step are made from."""

    @classmethod
    def needs_discriminator(cls, options: Opt) -> bool:
        """Whether it cannot do without one."""
        return False

    @classmethod
    def needs_density(cls, options: Opt) -> bool:
        """Whether it asks the data how probable sentences are."""
        return False

    # --- what it does -------------------------------------------------------------------------------------------------

    @abstractmethod
    def step(self) -> dict[str, float]:
        """Takes one step and gives its figures.

        Raises:
            TrainingError: a loss that is not finite.
        """

    @property
    def finished(self) -> bool:
        """Whether it is over before all of its steps were taken."""
        return False

    def end(self) -> None:  # most have nothing to do
        """Called once, after its last step."""

    def player(self, role: Role, network: nn.Module | Generator[Any]) -> Player:
        """An optimiser of this phase for ``network``, with the phase's own settings or the recipe's; schedules run from its
        first to its last step.
        """
        recipe = self.ground.recipe
        own = getattr(self.options, role, None)
        options = getattr(recipe, role) if own is None else own
        return Player(role, network, options, total=self.steps, processes=self.ground.processes, clip=recipe.clip)

    # --- what a checkpoint holds --------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What decides its future besides the networks: tensors and JSON values in nested dictionaries."""
        return {"done": self.done, "players": {role: player.state() for role, player in self.players().items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self.done = state["done"]
        for role, player in self.players().items():
            player.restore(state["players"][role])

    @abstractmethod
    def players(self) -> dict[Role, Player]:
        """Who learns in this phase."""


def cloned(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the state dict."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
