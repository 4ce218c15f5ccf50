"""What regularisers remember moves while the engine plays, once an update, and comes back with its state."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.data import TensorExamples
from ganzoo.spec import Recipe
from ganzoo.spec import Regularizer as Use
from ganzoo.training import Engine
from tests.training.regularizers.support import SmoothDiscriminator, SmoothGenerator


def engine(name: str, *, every: int = 1, accumulate: int = 1, **options: Any) -> Engine:
    torch.manual_seed(0)
    recipe = Recipe(
        batch_size=4, accumulate=accumulate, regularizers={name: Use(weight=0.1, every=every, options=options)}, ema_images=0
    )
    examples = TensorExamples(torch.randn(8, 1, 4, 4))
    return Engine(SmoothGenerator().float(), SmoothDiscriminator().float(), examples, recipe, seed=0)


def remembered(one: Engine) -> list[dict[str, Tensor]]:
    return [term.part.state() for player in one.players.values() for term in player.terms]


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize(("name", "options"), [("path-length", {}), ("lecam", {"start": 0}), ("spectral", {})])
def test_it_moves_with_every_update_that_it_was_part_of(name: str, options: dict[str, Any], every: int) -> None:
    one = engine(name, every=every, **options)
    (before,) = remembered(one)
    moved = []
    for _ in range(4):
        one.step()
        (after,) = remembered(one)
        moved.append(after.keys() != before.keys() or any(not torch.equal(after[key], before[key]) for key in after))
        before = {key: value.clone() for key, value in after.items()}
    assert moved == [step % every == 0 for step in range(4)]


@pytest.mark.parametrize(("name", "options"), [("path-length", {}), ("lecam", {"start": 0}), ("spectral", {})])
def test_a_batch_in_pieces_is_remembered_as_one(name: str, options: dict[str, Any]) -> None:
    whole, pieces = engine(name, **options), engine(name, accumulate=2, **options)
    for _ in range(3):
        whole.step()
        pieces.step()
    (one,), (other,) = remembered(whole), remembered(pieces)
    assert one.keys() == other.keys() and one
    for key, value in one.items():
        assert torch.allclose(other[key], value, rtol=1e-4, atol=1e-6)
