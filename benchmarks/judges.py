"""The policy gradient with a perfect judge, with one that learns, and with none: what of its result is the discriminator's.

    python benchmarks/judges.py               # the small oracle: two minutes of one core
    python benchmarks/judges.py --seed 1

A generator learns the 2,000 sentences of text-oracle-small by maximum likelihood, stopped by held-out ones, and then takes
200 steps of 256 sentences, each time from there. The optimal judge is log p(x) - log q(x); the learned one is SeqGAN's, made
small and with more dropout, and the generator that is measured then is the moving average of 60 steps, as it is with a random
reward, the control for that. Rewards are those of whole sentences, less the mean of the batch. With both densities known the
divergences are plain means, and no trick of sampling lowers all of them. 10,000 samples each, standard errors behind ±. A
judge's accuracy is that on held-out and on fresh generated sentences, before the game begins. CPU seconds of one thread.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from text_games import game_of
from torch import Tensor

from ganzoo.data import TextDataset
from ganzoo.resources import open_dataset
from ganzoo.spec import Optimizer, Phase, TextRecipe
from ganzoo.text.bench import Curve, Point, judge
from ganzoo.text.discriminators import CNNDiscriminator
from ganzoo.text.generators import SequenceGenerator
from ganzoo.text.oracle import Measures, Tempered, Yardstick
from ganzoo.text.training import TextGame
from ganzoo_seqgan.networks import SeqGANGenerator

NETWORKS: Any = {"generator": SeqGANGenerator, "discriminator": CNNDiscriminator}
CONFIG: Any = {
    "generator": {"embedding_size": 32, "hidden_size": 64, "dropout": 0.4},
    "discriminator": {
        "filter_sizes": [1, 2, 3, 4],
        "filter_counts": [50, 50, 50, 50],
        "dropout": 0.5,
        "embedding_range": 0.1,
    },
}
MLE = Phase(steps=2000, options={"patience": 10})
TEACHING = Phase(steps=80, options={"pool": 4096})
RATES = Optimizer(lr=1e-2, betas=(0.9, 0.999)), Optimizer(lr=1e-3, betas=(0.9, 0.999))  # of generator and judge, to begin with
STEPS, BATCH = 200, 256
TEMPERATURES = (0.97, 0.94, 0.9, 0.8, 0.7)
DEMANDS = {"js": 0.46, "kl_model_oracle": 0.37, "kl_oracle_model": 0.375}


def recipe(teach: bool, rate: float, average: float = 0.0, **options: Any) -> TextRecipe:
    """Maximum likelihood, the judge alone where it learns, and 200 steps of the game."""
    own = {"generator": {"lr": rate, "betas": [0.9, 0.999]}, "look_every": 0}
    game = Phase(kind="policy-gradient", steps=STEPS, options={"reward": "sentence", "baseline": "batch", **own, **options})
    phases = {"mle": MLE, **({"discriminator": TEACHING} if teach else {}), "adversarial": game}
    return TextRecipe(phases=phases, batch_size=BATCH, generator=RATES[0], discriminator=RATES[1], ema_images=average)


GAMES = {
    "optimal judge": recipe(False, 5e-3, judge="optimal"),
    "learned judge": recipe(True, 2e-4, average=60.0 * BATCH, score="log-ratio", discriminator_steps=1),
    "random reward": recipe(False, 2e-4, average=60.0 * BATCH, reward="uniform"),
    "constant reward": recipe(False, 5e-3, reward="constant", baseline="none"),
}


def run_to(game: TextGame, phase: int) -> None:
    """Until ``phase`` is over."""
    while game.state()["phase"] <= phase:
        game.step()


def accuracy(score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> float:
    """The share of both that is told rightly by the sign of the score."""
    return float(((score(real) > 0).double().mean() + (score(fake) <= 0).double().mean()) / 2)


def judged(data: TextDataset, game: TextGame, fresh: Tensor) -> tuple[float, float]:
    """How often the optimal judge and the learned one are right."""
    generator: SequenceGenerator = game.ground.generator
    held_out = game.ground.material.valid

    def optimal(tokens: Tensor) -> Tensor:
        own: Tensor = Tempered(generator).log_prob(tokens).sum(1)
        known: Tensor = data.density.log_prob(tokens).sum(1)
        return known - own

    return accuracy(optimal, held_out, fresh), accuracy(game.ground.judge, held_out, fresh)


def line(name: str, found: Measures) -> str:
    """A row of the table."""
    figures = (found.nll_oracle, found.nll_test, found.kl_oracle_model, found.kl_model_oracle, found.js)
    return f"{name:22}" + "".join(f"{each!s:>16}" for each in figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=10_000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data, test = (open_dataset(f"text-oracle-small:{split}") for split in ("train", "test"))
    assert isinstance(data, TextDataset) and isinstance(test, TextDataset) and test.ids is not None
    yardstick = Yardstick(data.density, test.ids)
    print(f"{data.name}, seed {arguments.seed}, entropy {yardstick.entropy}\n")
    print(f"{'':22}" + "".join(f"{name:>16}" for name in ("NLL_oracle", "NLL_test", "KL(p||q)", "KL(q||p)", "JS")))
    start = time.process_time()
    rows: dict[str, Measures] = {}

    def measure(name: str, generator: Any, temperature: float = 1.0) -> Point:
        found = rows[name] = yardstick.measure(Tempered(generator, temperature), samples=arguments.samples)
        print(line(name, found), flush=True)
        return Point(name, found.nll_test, found.nll_oracle, temperature)

    curve, points, told = [], [], (0.0, 0.0)
    for name, each in GAMES.items():
        game = game_of(NETWORKS, data, each, arguments.seed, CONFIG)
        run_to(game, 0)
        if not curve:
            curve = [measure("maximum likelihood", game.ground.generator)]
            curve += [measure(f"at temperature {t}", game.ground.generator, t) for t in TEMPERATURES]
        if "discriminator" in each.phases:
            run_to(game, 1)
            told = judged(data, game, game.ground.generate(len(game.ground.material.valid)))
        while game.images < game.total:
            game.step()
        points.append(measure(name, game.finished_generator))
    print(f"\naccuracy: optimal judge {told[0]:.3f}, learned judge {told[1]:.3f}; {time.process_time() - start:.0f} s")
    for point in points:
        print(judge(point, Curve(curve)).words)
    for name, most in DEMANDS.items():
        was, now = (getattr(rows[row], name) for row in ("maximum likelihood", "optimal judge"))
        print(f"{'met   ' if now.value <= most else 'missed'} {name}: {was} -> {now} (at most {most})")


if __name__ == "__main__":
    main()
