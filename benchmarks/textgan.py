"""TextGAN end to end: what each part of its training does to the discrepancy from real sentences, and how many differ.

    python benchmarks/textgan.py                       # the default recipe on definitions from WordNet: 8 minutes of one core
    python benchmarks/textgan.py --data grammar        # a grammar of 40 words: also the share of grammatical sentences
    python benchmarks/textgan.py --seed 1 --set phases.feature-matching.steps=2000

Measured is the unbiased MMD^2 in the features of one discriminator: the run's own, as it stands when feature matching begins.
Sentences are decoded as the paper does, the most probable token each time, so that all variety comes from z. Beside the
generator stand two controls: real sentences against other real ones, and against real ones with their words shuffled. Targets:
at most half of the discrepancy that feature matching begins with; 0.9 of the sentences unique; shuffled words more than ten
times as far from real ones as the two real halves are from each other. One thread.
"""

import argparse
import copy
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo.data import TextDataset
from ganzoo.models import Network
from ganzoo.resources import open_dataset
from ganzoo.spec import Role, TextRecipe
from ganzoo.text.discriminators import TextDiscriminator
from ganzoo.text.generators import SequenceGenerator
from ganzoo.text.mmd import mmd2
from ganzoo.text.sequences import token_mask
from ganzoo.text.training import TextGame
from ganzoo.text.training.method import TextMethod
from ganzoo.training import Silent, apply_settings
from ganzoo.training.processes import Processes
from ganzoo_textgan.networks import TextGANDiscriminator, TextGANGenerator
from ganzoo_textgan.recipe import TEXTGAN_RECIPE

NETWORKS: dict[Role, type[Network]] = {"generator": TextGANGenerator, "discriminator": TextGANDiscriminator}
MATCHING = "feature-matching"
UNIQUE, HALF, TIMES = 0.9, 0.5, 10.0  # targets


@dataclass(frozen=True)
class Line:
    """What is said of one set of sentences."""

    name: str
    mmd2: float
    unique: float
    copied: float
    grammatical: float | None
    seconds: float


class Yardstick:
    """Real sentences, and the features in which all others are compared with them.

    Args:
        judge: Whose features; copied.
        sigmas: Bandwidths of the kernel.
        real: Sentences ``[2n, T]``: the first half is what is compared with, the second is the control.
        data: Where they come from.
    """

    def __init__(self, judge: TextDiscriminator, sigmas: list[float], real: Tensor, data: TextDataset) -> None:
        self._judge = copy.deepcopy(judge).eval()
        self._sigmas, self._real, self._data = sigmas, real, data
        self._known = set(data.lines)

    def __call__(self, name: str, tokens: Tensor, seconds: float) -> Line:
        """The line of ``tokens [n, T]``."""
        texts = [self._judge.tokenizer.decode(row) for row in tokens]
        with torch.inference_mode():
            first, second = map(self._judge.features, (tokens, self._real[: len(self._real) // 2]))
            apart = float(mmd2(first, second, self._sigmas, unbiased=True))
        grammatical = getattr(self._data.density, "grammatical", None)
        share = None if grammatical is None else sum(map(grammatical, texts)) / len(texts)
        copied = sum(text in self._known for text in texts) / len(texts)
        return Line(name, apart, len(set(texts)) / len(texts), copied, share, seconds)

    def controls(self, rng: torch.Generator, end_token: int | None) -> Iterator[Line]:
        """Other real sentences, and those with their words shuffled."""
        other = self._real[len(self._real) // 2 :]
        yield self("real, other half", other, 0.0)
        words = token_mask(other, end_token) & (other != (-1 if end_token is None else end_token))
        # Words are ordered by chance; what is no word stays behind them.
        keys = torch.rand(other.shape, generator=rng)
        places = torch.where(words, keys, 1.0 + torch.arange(other.shape[1])).argsort(1)
        yield self("real, words shuffled", other.gather(1, places), 0.0)


def game_of(data: TextDataset, recipe: TextRecipe, seed: int) -> TextGame:
    """The game as ``ganzoo train`` would play it."""
    method, processes = TextMethod(), Processes("cpu")
    config = method.arguments(NETWORKS, {}, data, recipe)
    networks = method.build(NETWORKS, config, seed)
    method.endow(networks, data, recipe)
    material = method.examples(networks, data, recipe, processes, Silent())
    return method.game(networks, material, data, recipe, seed=seed, processes=processes)


def sentences(generator: SequenceGenerator, count: int, **options: Any) -> Tensor:
    """The first ``count`` sentences of seed 0."""
    return generator.sample(count, seed=0, **options).tensor


def play(data: TextDataset, recipe: TextRecipe, seed: int, samples: int) -> tuple[list[Line], list[str]]:
    """Trains once and measures at the joints; also some sentences of the end."""
    start = time.process_time()
    game = game_of(data, recipe, seed)
    untrained, judge = copy.deepcopy(game.ground.generator), game.ground.discriminator
    present: str | None = None
    sigmas = recipe.phases[MATCHING].options["sigmas"]
    lines: list[Line] = []
    measure: Yardstick | None = None
    before = list(recipe.phases).index(MATCHING)
    steps = [phase.steps for phase in recipe.phases.values()]
    for step in range(sum(steps)):
        if step == sum(steps[:before]):
            real = game.ground.material.train
            order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))[: 2 * samples]
            measure = Yardstick(judge, sigmas, real[order], data)
            lines += measure.controls(torch.Generator().manual_seed(seed), game.ground.generator.end_token)
            lines.append(measure("untrained", sentences(untrained, samples), 0.0))
            lines.append(measure("before matching", sentences(game.ground.generator, samples), time.process_time() - start))
        progress = game.step()
        if progress.phase != present:
            present = progress.phase
            print(f"{present} ...", flush=True)
    assert measure is not None
    seconds = time.process_time() - start
    final = sentences(game.ground.generator, samples)
    lines.append(measure("after matching", final, seconds))
    lines.append(measure("after, T = 1", sentences(game.ground.generator, samples, temperature=1.0), seconds))
    return lines, [game.ground.generator.tokenizer.decode(row) for row in final[:8]]


def table(lines: list[Line]) -> str:
    """One line each."""
    rows = [f"{'sentences':24}{'MMD^2':>10}{'unique':>9}{'copied':>9}{'grammatical':>13}{'CPU s':>8}"]
    for each in lines:
        share = "" if each.grammatical is None else f"{each.grammatical:.3f}"
        rows.append(f"{each.name:24}{each.mmd2:10.5f}{each.unique:9.3f}{each.copied:9.3f}{share:>13}{each.seconds:8.0f}")
    return "\n".join(rows)


def verdicts(lines: list[Line]) -> str:
    """The targets, met or missed."""
    by_name = {line.name: line for line in lines}
    half, shuffled = by_name["real, other half"].mmd2, by_name["real, words shuffled"].mmd2
    start, end = by_name["before matching"].mmd2, by_name["after matching"]
    checks = [
        (f"MMD^2 after over before matching: {end.mmd2 / start:.2f} (at most {HALF})", end.mmd2 <= HALF * start),
        (f"unique sentences: {end.unique:.3f} (at least {UNIQUE})", end.unique >= UNIQUE),
        (f"shuffled {shuffled:.4f}, halves {half:.5f} (more than {TIMES:.0f} times)", shuffled > TIMES * abs(half)),
    ]
    return "\n".join(f"{'met   ' if met else 'missed'} {text}" for text, met in checks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="wordnet-glosses", help="a data set of text, or a .txt file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=1000, help="sentences of each line of the table")
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="a field of the recipe"
    )
    parser.add_argument("--json", type=Path, help="write the figures into this file, a line of the table each")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = open_dataset(arguments.data)
    assert isinstance(data, TextDataset)
    recipe = apply_settings(TEXTGAN_RECIPE, arguments.settings)
    lines, examples = play(data, recipe, arguments.seed, arguments.samples)
    print(f"\n{data.name}, seed {arguments.seed}, {arguments.samples} sentences each:\n{table(lines)}\n{verdicts(lines)}\n")
    print("\n".join(f"  {text}" for text in examples))
    if arguments.json is not None:
        arguments.json.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))


if __name__ == "__main__":
    main()
