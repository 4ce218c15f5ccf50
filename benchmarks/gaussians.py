"""Losses against modes: what a generator of points learns of 25 (or 8) Gaussians, for each of several games and seeds.

    python benchmarks/gaussians.py                                       # 25 Gaussians, every game, 5 seeds: about an hour
    python benchmarks/gaussians.py --data gaussians-8                    # 8 Gaussians
    python benchmarks/gaussians.py --games recipe minimax --jobs 2       # two of the games, in two processes
    python benchmarks/gaussians.py --games recipe minimax --seeds 3 --picture points.png

Networks, optimisers, schedules and number of examples are those of the recipe of ``mlp-gan`` in every game; only the loss and
the penalties differ. Measured is the moving average of the generator, by the protocol of VEEGAN and PacGAN: 2,500 samples; a
mode is captured when a sample lies within three standard deviations of its centre; of high quality are the samples within three
standard deviations of the nearest mode (98.9% of the data itself). One thread a run.
"""

import argparse
import itertools
import json
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import torch
from PIL import Image
from torch import Tensor

from ganzoo.building import build_random
from ganzoo.models import VectorSamples
from ganzoo.spec import Recipe, Regularizer
from ganzoo.training import Engine
from ganzoo_toys.modes import REACH, SAMPLES, mode_coverage
from ganzoo_toys.networks import MLPDiscriminator, MLPGenerator
from ganzoo_toys.points import MixtureDataset, gaussians_8, gaussians_25
from ganzoo_toys.recipe import MLP_RECIPE

DATA = {"gaussians-25": (gaussians_25, MLP_RECIPE.images), "gaussians-8": (gaussians_8, 768_000)}
ZERO_CENTRED = MLP_RECIPE.regularizers["r1"]
GAMES: dict[str, tuple[str, dict[str, Regularizer]]] = {
    "recipe": (MLP_RECIPE.loss, MLP_RECIPE.regularizers),
    "minimax": ("minimax", {}),
    "non-saturating": ("non-saturating", {}),
    "least-squares": ("least-squares", {}),
    "hinge": ("hinge", {}),
    "relativistic-pairing": ("relativistic-pairing", {}),
    "minimax+r1": ("minimax", {"r1": ZERO_CENTRED}),
    "non-saturating+r1": ("non-saturating", {"r1": ZERO_CENTRED}),
    "wasserstein+wgan-gp": ("wasserstein", {"wgan-gp": Regularizer()}),
}
PANEL = 160  # pixels


@dataclass(frozen=True)
class Outcome:
    """What one run came to."""

    game: str
    seed: int
    modes: int
    high_quality: float
    reverse_kl: float
    width: float
    seconds: float
    points: list[list[float]]


def width_of(points: Tensor, mixture: MixtureDataset) -> float:
    """Root mean square deviation from the nearest centre, in each direction, of the points of high quality."""
    offsets = points[:, None] - mixture.centres
    nearest = offsets.norm(dim=2).argmin(1)
    from_centre = offsets[torch.arange(len(points)), nearest]
    good = from_centre.norm(dim=1) <= REACH * mixture.sigma
    return float(from_centre[good].square().mean().sqrt())


def recipe_of(game: str, images: int) -> Recipe:
    """The recipe of ``mlp-gan`` with the loss and the penalties of ``game``."""
    loss, regularizers = GAMES[game]
    return msgspec.structs.replace(MLP_RECIPE, loss=loss, regularizers=regularizers, images=images)


def play(data: str, game: str, seed: int, images: int) -> Outcome:
    """Trains once, from networks and draws of ``seed``, and measures."""
    torch.set_num_threads(1)
    start = time.process_time()
    mixture: MixtureDataset = DATA[data][0]()
    G = build_random(MLPGenerator, {}, seed=seed)
    D = build_random(MLPDiscriminator, {}, seed=seed + 1)
    engine = Engine(G, D, mixture.prepare(G.output_shape), recipe_of(game, images), seed=seed)
    while engine.images < images:
        engine.step()
    points = engine.average.generator.sample(SAMPLES, seed=seed).tensor
    found = mode_coverage(points, mixture.centres, mixture.sigma)
    seconds = time.process_time() - start
    width = width_of(points, mixture)
    return Outcome(game, seed, found.modes, found.high_quality, found.reverse_kl, width, seconds, points.tolist())


def play_all(data: str, games: list[str], seeds: list[int], images: int, jobs: int) -> Iterator[Outcome]:
    """Every game with every seed."""
    runs = list(itertools.product([data], games, seeds, [images]))
    if jobs == 1:
        yield from itertools.starmap(play, runs)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(play, *zip(*runs, strict=True))


def table(outcomes: list[Outcome], modes: int) -> str:
    """One line a game: medians over the seeds, smallest and largest value in brackets."""
    lines = [f"{'game':22}{'modes of ' + str(modes):>18}{'high quality':>24}{'reverse KL':>22}{'width':>8}{'CPU s':>8}"]
    for game, group in itertools.groupby(outcomes, key=lambda o: o.game):
        runs = list(group)
        counts = _spread([o.modes for o in runs], "g")
        shares, divergences = _spread([o.high_quality for o in runs], ".3f"), _spread([o.reverse_kl for o in runs], ".3f")
        seconds = statistics.median(o.seconds for o in runs)
        width = statistics.median(o.width for o in runs)
        lines.append(f"{game:22}{counts:>18}{shares:>24}{divergences:>22}{width:8.3f}{seconds:8.0f}")
    return "\n".join(lines)


def _spread(values: list[float] | list[int], form: str) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} ({low:{form}} … {high:{form}})"


def picture(outcomes: list[Outcome], data: str) -> Image.Image:
    """The data, then the samples of every run, on one scale."""
    mixture: MixtureDataset = DATA[data][0]()
    half = 1.25 * float(mixture.centres.abs().max())
    sets = [mixture.points[:SAMPLES], *(torch.tensor(o.points) for o in outcomes)]
    panels = [VectorSamples(s, range(len(s))).scatter(PANEL, extent=(-half, -half, half, half)) for s in sets]
    whole = Image.new("L", ((PANEL + 4) * len(panels) - 4, PANEL), 200)
    for i, panel in enumerate(panels):
        whole.paste(panel, ((PANEL + 4) * i, 0))
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=list(DATA), default="gaussians-25")
    parser.add_argument("--games", nargs="+", choices=list(GAMES), default=list(GAMES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--images", type=int, help="real examples a run; those of the recipe, fewer for 8 Gaussians")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once, each in one thread of its own process")
    parser.add_argument("--picture", type=Path, help="draw the data and the samples of every run into this file")
    parser.add_argument("--json", type=Path, help="write the figures of every run into this file, one a line")
    arguments = parser.parse_args()
    images = arguments.images or DATA[arguments.data][1]
    outcomes: list[Outcome] = []
    for outcome in play_all(arguments.data, arguments.games, arguments.seeds, images, arguments.jobs):
        outcomes.append(outcome)
        figures = f"{outcome.modes} modes, {outcome.high_quality:.3f}, {outcome.reverse_kl:.3f}"
        print(f"{outcome.game}, seed {outcome.seed}: {figures}", flush=True)
    print(f"\n{arguments.data}, {images:,} examples, seeds {', '.join(map(str, arguments.seeds))}:")
    mixture: MixtureDataset = DATA[arguments.data][0]()
    print(table(outcomes, len(mixture.centres)))
    print(f"width of the modes of the data: {width_of(mixture.points, mixture):.3f}")
    if arguments.picture is not None:
        picture(outcomes, arguments.data).save(arguments.picture, optimize=True)
    if arguments.json is not None:
        rows = ({k: v for k, v in asdict(o).items() if k != "points"} for o in outcomes)
        arguments.json.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
