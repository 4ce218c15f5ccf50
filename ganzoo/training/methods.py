"""How recipes are carried out: the kind of the recipe decides on the method, and the trainer plays the game that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from torch import Tensor

from ganzoo.data import Dataset
from ganzoo.models import Discriminator, Generator, Network
from ganzoo.spec import AnyRecipe, Json, Modality, Recipe, Role, TextRecipe
from ganzoo.targets import import_target
from ganzoo.training.game import Game
from ganzoo.training.processes import Processes
from ganzoo.training.reporting import Reporter

NetworkClasses = Mapping[Role, type[Network]]
Arguments = Mapping[Role, Mapping[str, Json]]
Weights = Mapping[Role, Mapping[str, Tensor]]

_METHODS: dict[type[AnyRecipe], str] = {
    Recipe: "ganzoo.training.adversarial:AdversarialMethod",
    TextRecipe: "ganzoo.text.training.method:TextMethod",
}


@dataclass(frozen=True)
class Networks:
    """The networks of a game; some have no discriminator."""

    generator: Generator[Any]
    discriminator: Discriminator | None

    def by_role(self) -> dict[Role, Network]:
        """Those that there are."""
        found: dict[Role, Network] = {"generator": self.generator}
        return found if self.discriminator is None else {**found, "discriminator": self.discriminator}


class Method(Protocol):
    """Carries out recipes of one kind.

    Attributes:
        modalities: What the generators may make.
        data_in_networks: Whether networks hold something of the data, such as a vocabulary, that no seed brings back.
    """

    modalities: tuple[Modality, ...]
    data_in_networks: bool

    def check(self, recipe: Any) -> None:
        """Refuses a recipe that cannot be carried out.

        Raises:
            ConfigError: with what is wrong or what contradicts what.
            UnknownNameError: it names a part that does not exist.
        """
        ...

    def size(self, recipe: Any) -> tuple[int, int]:
        """Examples of the whole run, and of its longest step."""
        ...

    def outlook(self, recipe: Any, count: int) -> dict[str, Any]:
        """What a person wants to know of a run on ``count`` examples before it begins: how many steps, and so on."""
        ...

    def settled(self, recipe: Any, data: Dataset, begun: Network | None) -> Any:
        """``recipe`` with those fields as they are that no setting decides.

        Args:
            recipe: As it is by default, or with settings put over it.
            data: To train on.
            begun: The generator that is begun with, where there is one.
        """
        ...

    def arguments(self, networks: NetworkClasses, config: Arguments, data: Dataset, recipe: Any) -> Arguments:
        """The constructor arguments, with those that the data decide on."""
        ...

    def build(self, networks: NetworkClasses, config: Arguments, seed: int) -> Networks:
        """The networks at random initialisation, checked against each other.

        Raises:
            ConfigError: arguments that cannot be used or do not fit together, or a network that is missing.
        """
        ...

    def endow(self, networks: Networks, data: Dataset, recipe: Any) -> None:
        """Gives networks that were built anew what they hold of the data, where their weights have not brought it."""
        ...

    def examples(self, networks: Networks, data: Dataset, recipe: Any, processes: Processes, reporter: Reporter) -> Any:
        """The data as the game takes them.

        Raises:
            DataError: examples that cannot be used, or of another kind than the generator makes.
        """
        ...

    def blank(self, networks: Networks, data: Dataset, recipe: Any) -> Any:
        """Stands for the examples where nothing is trained.

        Raises:
            DataError: the data are of another kind than the generator makes.
        """
        ...

    def game(self, networks: Networks, examples: Any, data: Dataset, recipe: Any, *, seed: int, processes: Processes) -> Game:
        """The game at its beginning.

        Raises:
            ConfigError: settings that do not fit these networks or data.
        """
        ...


@cache
def _method(target: str) -> Method:
    made: Method = import_target(target, "The trainer")()
    return made


def method_of(recipe: AnyRecipe) -> Method:
    """The method that carries out ``recipe``."""
    return _method(_METHODS[type(recipe)])
