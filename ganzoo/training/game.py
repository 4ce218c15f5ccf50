"""What the trainer asks of a game: the ground on which one loop plays every kind of training.

A game knows nothing of files, folders and terminals. Everything that decides its future is in its networks and its state, so
that a restored game goes on bit by bit as the one that was saved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from ganzoo.models import Generator, Samples
from ganzoo.spec import Json, Role
from ganzoo.training.processes import Processes


@dataclass(frozen=True)
class Progress:
    """What one step did.

    Attributes:
        images: Examples shown since the beginning of the run.
        figures: Means over the step's updates by name; ``d_loss``, ``g_loss``, ``d_real`` and ``d_fake`` are the losses and
            the mean logits of real and of generated examples, wherever a game has them.
        phase: Which of its phases the game is in, where it has several.
        notable: Whether it is written down whatever the interval, since it has figures that few steps have.
    """

    images: int
    figures: Mapping[str, float] = field(default_factory=dict)
    phase: str | None = None
    notable: bool = False


class Game(Protocol):
    """Two networks, or one, and how they are trained.

    Attributes:
        processes: Who trains together.
        images: Examples shown since the beginning of the run.
        rollbacks: How often the run went back after a loss that was not finite.
    """

    processes: Processes
    images: int
    rollbacks: int

    @property
    def total(self) -> int:
        """Examples of the whole run; it is over when `images` has reached it."""
        ...

    @property
    def unit(self) -> str:
        """What the examples are, in the plural, e.g. ``images``."""
        ...

    @property
    def finished_generator(self) -> Generator[Any]:
        """The generator that is sampled, measured and exported: the moving average, where there is one."""
        ...

    def step(self) -> Progress:
        """Goes on by one step.

        Raises:
            TrainingError: a loss that is not finite. The network is not updated by it.
        """
        ...

    def grid(self, seeds: Sequence[int]) -> Samples:
        """Samples of these seeds that show what the generator can do; one class after the other where it has classes."""
        ...

    def synchronise(self) -> None:
        """Makes equal in all processes what is not by itself."""
        ...

    def networks(self) -> dict[str, nn.Module]:
        """What a checkpoint holds as safetensors, by the stem of its file."""
        ...

    def configs(self) -> dict[Role, dict[str, Json]]:
        """The constructor arguments of the networks of the finished model."""
        ...

    def model_states(self) -> dict[Role, dict[str, Tensor]]:
        """The state dicts of the finished model."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything else that decides the future: tensors and JSON values in nested dictionaries."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up ``state``; the networks are loaded separately.

        Raises:
            KeyError: something is missing.
            DataError: the state belongs to other data.
        """
        ...

    def reseed(self, rollbacks: int) -> None:
        """Takes other random numbers from here on, decided by how often the run went back."""
        ...

    def close(self) -> None:
        """Ends what goes on in the background."""
        ...
