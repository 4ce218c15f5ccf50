"""What the benchmarks of text share: a game as ``ganzoo train`` would play it."""

from collections.abc import Mapping

import torch

from ganzoo.data import TextDataset
from ganzoo.models import Network
from ganzoo.spec import Role, TextRecipe
from ganzoo.text.training import TextGame
from ganzoo.text.training.method import Arguments, TextMethod
from ganzoo.training import Silent
from ganzoo.training.processes import Processes


def game_of(
    networks: Mapping[Role, type[Network]], data: TextDataset, recipe: TextRecipe, seed: int, config: Arguments | None = None
) -> TextGame:
    """The game of ``recipe`` on the CPU, before its first step."""
    method, processes = TextMethod(), Processes("cpu")
    built = method.build(networks, method.arguments(networks, config or {}, data, recipe), seed)
    method.endow(built, data, recipe)
    material = method.examples(built, data, recipe, processes, Silent())
    torch.manual_seed(seed)  # dropout draws from there
    return method.game(built, material, data, recipe, seed=seed, processes=processes)
