"""Two processes with half the sentences of each batch play the game of one with all of them."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ganzoo.spec import Phase, TextRecipe
from ganzoo.text.training.game import TextGame
from ganzoo.text.training.method import TextMethod
from ganzoo.training import Silent
from tests.support.processes import report, run_together
from tests.text.training.toy import GENERATOR, JUDGE, NETWORKS, RECIPE, toy_text

# Sentences are judged whole, and nothing is dropped out: completions and dropout are drawn by each process for itself.
ADVERSARIAL = {"reward": "sentence", "discriminator_steps": 2, "baseline": "ema", "look_every": 1, "mle_every": 2}
REDUCTIONS = ("mean", "sum")
CONFIG: Any = {"generator": GENERATOR, "discriminator": {**JUDGE, "dropout": 0.0}}


def recipe_of(reduction: str) -> TextRecipe:
    phase = Phase(kind="policy-gradient", steps=4, options={**ADVERSARIAL, "reduction": reduction})
    return msgspec.structs.replace(RECIPE, phases={**RECIPE.phases, "adversarial": phase})


def game(recipe: TextRecipe) -> TextGame:
    """From the same weights in every process."""
    from ganzoo.training.processes import processes

    method, together, data = TextMethod(), processes("cpu"), toy_text()
    networks = method.build(NETWORKS, method.arguments(NETWORKS, CONFIG, data, recipe), 3)
    method.endow(networks, data, recipe)
    material = method.examples(networks, data, recipe, together, Silent())
    return method.game(networks, material, data, recipe, seed=3, processes=together)


def play_all() -> dict[str, list[dict[str, float]]]:
    return {reduction: play(recipe_of(reduction)) for reduction in REDUCTIONS}


def play(recipe: TextRecipe) -> list[dict[str, float]]:
    """The figures of all steps, and at last the sum of the generator's weights."""
    playing = game(recipe)
    figures = []
    while playing.images < playing.total:
        figures.append(dict(playing.step().figures))
    weights = playing.ground.generator.state_dict().values()
    playing.close()
    return [*figures, {"weights": sum(float(each.double().sum()) for each in weights)}]


def test_two_processes_play_the_game_of_one(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    both = run_together("tests.text.training.test_distributed", tmp_path)
    assert both[0] == both[1]
    alone = play_all()
    assert alone["mean"][-1] != alone["sum"][-1]
    for reduction in REDUCTIONS:
        figures = alone[reduction]
        assert {name for each in figures for name in each} >= {"nll", "held_out_nll", "d_loss", "d_real", "g_loss", "reward"}
        rounding = 1e-5 * (1 if reduction == "mean" else RECIPE.batch_size)  # the loss of a sum is so many times larger
        for one, other in zip(both[0][reduction], figures, strict=True):
            assert one == pytest.approx(other, rel=1e-5, abs=rounding)


if __name__ == "__main__":
    report(play_all)
