"""Two processes with half the batch each play the game of one with the whole batch; so do pieces that are accumulated."""

from pathlib import Path

import pytest
import torch

from ganzoo.data import TensorExamples
from ganzoo.errors import ConfigError
from ganzoo.spec import Augmentation, Optimizer, Recipe, Regularizer
from ganzoo.training import Engine
from tests.support.processes import report, run_together
from tests.training.toy import PlainToyDiscriminator, PlainToyGenerator

RECIPE = Recipe(
    loss="relativistic-pairing",
    batch_size=8,
    images=1000,
    generator=Optimizer(lr=1e-2, betas=(0.0, 0.9)),
    discriminator=Optimizer(lr=1e-2, betas=(0.0, 0.9)),
    regularizers={
        "r1": Regularizer(weight=1.0, every=2),
        "r2": Regularizer(weight=1.0),
        "wgan-gp": Regularizer(weight=0.1),
        "mode-seeking": Regularizer(weight=0.1),
    },
    augment=Augmentation(pipeline={"translation": 1.0, "color": 1.0, "cutout": 1.0}, p=0.5),
    instance_noise=0.1,
    ema_images=50.0,
)
STEPS = 6


def play(recipe: Recipe, steps: int = STEPS) -> list[dict[str, float]]:
    """The figures of the first steps, from networks without anything that depends on the whole batch."""
    from ganzoo.training.processes import processes

    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (32, 1, 8, 8), dtype=torch.uint8)
    torch.manual_seed(1)
    generator, discriminator = PlainToyGenerator(), PlainToyDiscriminator()
    engine = Engine(generator, discriminator, TensorExamples(pixels), recipe, seed=3, processes=processes("cpu"))
    figures = []
    for _ in range(steps):
        p = engine.step()
        figures.append(dict(p.figures))
    engine.close()
    return figures


def assert_close(got: list[dict[str, float]], want: list[dict[str, float]]) -> None:
    for one, other in zip(got, want, strict=True):
        assert one == pytest.approx(other, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("pieces", [2, 4])
def test_gradients_accumulated_over_pieces_are_those_of_the_whole_batch(pieces: int) -> None:
    import msgspec

    assert_close(play(msgspec.structs.replace(RECIPE, accumulate=pieces)), play(RECIPE))


@pytest.mark.parametrize(("batch_size", "accumulate"), [(8, 3), (9, 2)])
def test_a_batch_that_cannot_be_split_is_refused(batch_size: int, accumulate: int) -> None:
    import msgspec

    recipe = msgspec.structs.replace(RECIPE, batch_size=batch_size, accumulate=accumulate)
    with pytest.raises(ConfigError, match=f"{batch_size} cannot be split into {accumulate}"):
        play(recipe)


def test_two_processes_play_the_game_of_one(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    both = run_together("tests.training.test_distributed", tmp_path)
    assert both[0] == both[1]
    assert_close(both[0], play(RECIPE))


if __name__ == "__main__":
    report(lambda: play(RECIPE))
