"""The game of a text recipe: its phases, one after the other, on common ground."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from ganzoo.models import Generator, Samples
from ganzoo.models.seeds import sample_seeds
from ganzoo.spec import Json, Role, TextRecipe
from ganzoo.text.training.ground import HELD_OUT, Ground
from ganzoo.text.training.parts import find_phase
from ganzoo.text.training.phase import TextPhase
from ganzoo.training import Progress
from ganzoo.training.ema import Average
from ganzoo.training.methods import Networks
from ganzoo.training.processes import Processes
from ganzoo.training.schedules import value_at


@dataclass(frozen=True)
class Planned:
    """A phase as a recipe has it.

    Attributes:
        name: In the recipe.
        kind: Its class.
        options: Its options.
        steps: How many steps it takes at most.
        sentences: Of one step.
        end: Sentences of the run when it is over.
    """

    name: str
    kind: type[TextPhase[Any]]
    options: Any
    steps: int
    sentences: int
    end: int


def plan(recipe: TextRecipe) -> list[Planned]:
    """The phases of ``recipe``.

    Raises:
        UnknownNameError: there is no such phase.
        ConfigError: options that a phase does not have, or cannot use.
    """
    planned: list[Planned] = []
    end = 0
    for name, phase in recipe.phases.items():
        kind = find_phase(phase.kind or name)
        options = kind.read_options(name, phase.options)
        sentences = kind.sentences_per_step(options, recipe)
        end += sentences * phase.steps
        planned.append(Planned(name, kind, options, phase.steps, sentences, end))
    return planned


class TextGame:
    """Plays a text recipe: a `ganzoo.training.game.Game`. Examples are sentences, real or generated.

    A phase that ends early leaps to its end: the run's length is that of its recipe, whatever the phases decide.

    Args:
        ground: What the phases share.
        networks: The networks of the ground.
        seed: As the ground's.

    Raises:
        ConfigError: a phase that does not fit the ground, also where its turn would come much later.
    """

    unit = "sentences"

    def __init__(self, ground: Ground, networks: Networks, *, seed: int) -> None:
        self.ground, self._networks, self._seed = ground, networks, seed
        self.processes: Processes = ground.processes
        self.recipe = ground.recipe
        self.images = 0
        self.rollbacks = 0
        self._plan = plan(self.recipe)
        self._average = Average(ground.generator) if self.recipe.ema_images else None
        self._index = 0
        for later in range(1, len(self._plan)):
            self._open(later)  # for what its constructor refuses
        self._phase: TextPhase[Any] = self._open(0)

    @property
    def total(self) -> int:
        """Sentences of the whole run."""
        return self._plan[-1].end

    @property
    def finished_generator(self) -> Generator[Any]:
        """The moving average where there is one, else the generator itself."""
        return self.ground.generator if self._average is None else self._average.generator

    def step(self) -> Progress:
        """One step of the present phase; after its last one the next begins.

        Raises:
            TrainingError: a loss that is not finite.
        """
        planned = self._plan[self._index]
        figures = self._phase.step()
        before, self.images = self.images, self.images + planned.sentences
        if self._phase.finished or self._phase.done == planned.steps:
            self._phase.end()
            self.images = planned.end
            self._index += 1
            if self._index < len(self._plan):
                self._phase = self._open(self._index)
        self._follow(before)
        return Progress(self.images, figures, planned.name, notable=HELD_OUT in figures)

    def _open(self, index: int) -> TextPhase[Any]:
        planned = self._plan[index]
        return planned.kind(self.ground, planned.steps, planned.options)

    def _follow(self, before: int) -> None:
        if self._average is None:
            return
        half_life = value_at(self.recipe.ema_images, self.images, self.total)
        shown = self.images - before
        self._average.update(
            self.ground.generator, half_life=half_life, ramp=self.recipe.ema_ramp, shown=shown, images=self.images
        )

    def grid(self, seeds: Sequence[int]) -> Samples:
        """Sentences of the finished generator."""
        return cast(Samples, self.finished_generator.sample(seeds=seeds))

    # --- what a checkpoint holds --------------------------------------------------------------------------------------

    def synchronise(self) -> None:
        """Makes running statistics equal in all processes: each has seen its own share."""
        self.processes.average_buffers(self.networks().values())

    def networks(self) -> dict[str, nn.Module]:
        """What a checkpoint holds as safetensors, by the stem of its file."""
        found: dict[str, nn.Module] = dict(self._networks.by_role().items())
        return found if self._average is None else {**found, "average": self._average.generator}

    def configs(self) -> dict[Role, dict[str, Json]]:
        """The networks' constructor arguments."""
        return {role: network.config for role, network in self._networks.by_role().items()}

    def model_states(self) -> dict[Role, dict[str, Tensor]]:
        """State dicts of the finished model."""
        states = {role: network.state_dict() for role, network in self._networks.by_role().items()}
        return {**states, "generator": self.finished_generator.state_dict()}

    def state(self) -> dict[str, Any]:
        """Everything else that decides the future."""
        return {
            "images": self.images,
            "phase": self._index,
            "inner": self._phase.state(),
            "ground": self.ground.state(),
            "rng": self.processes.random_state(),
            "rollbacks": self.rollbacks,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up ``state``; the networks are loaded separately.

        Raises:
            KeyError: something is missing.
            DataError: the state belongs to another number of sentences.
        """
        self.images, self._index, self.rollbacks = state["images"], state["phase"], state["rollbacks"]
        self.ground.restore(state["ground"])
        if self._index < len(self._plan):
            self._phase = self._open(self._index)
            self._phase.restore(state["inner"])
        self.processes.restore_random_state(state["rng"])

    def reseed(self, rollbacks: int) -> None:
        """Takes other random numbers from here on, decided by how often the run went back."""
        self.rollbacks = rollbacks
        self.ground.rng.manual_seed(sample_seeds(rollbacks + 1, self._seed)[rollbacks])

    def close(self) -> None:
        """Ends what reads in the background."""
        self.ground.close()
