"""What a regulariser is: an extra term of one player's loss."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

from torch import Tensor

from ganzoo.spec import Recipe
from ganzoo.training.names import unknown
from ganzoo.training.turns import DiscriminatorTurn, GeneratorTurn, Side

Mean = Callable[[Tensor], Tensor]


class Regularizer(ABC):
    """An unweighted penalty of a turn, and what it remembers from turn to turn.

    Derive from `DiscriminatorRegularizer` or `GeneratorRegularizer`. The constructor takes keyword options, plain JSON values
    each with a default, and refuses bad ones with a `ConfigError` that names the option. Random numbers come from
    ``turn.draws`` alone.

    Attributes:
        role: Whose loss it is added to.
        gradients: Inputs of the discriminator that must require a gradient.
        second_order: Whether the penalty is made of derivatives of the network, so that learning from it differentiates the
            network twice. Such a network is not compiled, since torch cannot differentiate compiled ones twice.
        default_weight: The weight where a recipe names none. The docstring says what it multiplies.
    """

    role: ClassVar[Literal["discriminator", "generator"]]
    gradients: ClassVar[tuple[Side, ...]] = ()
    second_order: ClassVar[bool] = False
    default_weight: ClassVar[float] = 1.0

    @classmethod
    def from_options(cls, name: str, options: Mapping[str, Any]) -> Self:
        """The regulariser ``name`` with the options of a recipe.

        Raises:
            ConfigError: an option that it does not have (with the closest names), or a value that it cannot use.
        """
        known = list(inspect.signature(cls).parameters)
        for option in options:
            if option not in known:
                raise unknown(f"option of the regulariser '{name}'", option, known)
        return cls(**options)

    def check(self, recipe: Recipe) -> None:  # noqa: B027  # most mean something in every recipe
        """Refuses a recipe in which it would mean nothing.

        Raises:
            ConfigError: it would.
        """

    @abstractmethod
    def penalty(self, turn: Any) -> Tensor:
        """The unweighted penalty of a turn, a scalar with its graph: a mean over the rows of the turn's share of the batch."""

    def after_step(self, mean: Mean) -> None:  # noqa: B027  # most remember nothing
        """Called once after an update that penalties were part of: the place to move running averages.

        Args:
            mean: The mean of a tensor over all processes, so that what is remembered is the same in each of them.
        """

    def state(self) -> dict[str, Any]:
        """What decides future penalties: tensors and JSON values; keys without dots."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:  # noqa: B027  # likewise
        """Takes up what `state` gave."""


class DiscriminatorRegularizer(Regularizer):
    """A term of the discriminator's loss."""

    role = "discriminator"

    def check(self, recipe: Recipe) -> None:
        """Refuses a recipe in which it would mean nothing.

        Raises:
            ConfigError: it would.
        """

    @abstractmethod
    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """The unweighted penalty, see `Regularizer.penalty`."""


class GeneratorRegularizer(Regularizer):
    """A term of the generator's loss."""

    role = "generator"

    def check(self, recipe: Recipe) -> None:
        """Refuses a recipe in which it would mean nothing.

        Raises:
            ConfigError: it would.
        """

    @abstractmethod
    def penalty(self, turn: GeneratorTurn) -> Tensor:
        """The unweighted penalty, see `Regularizer.penalty`."""
