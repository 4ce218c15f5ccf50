"""Losses against modes on stacked MNIST: which of 1,000 triples of digits a generator makes, for several games.

    python benchmarks/stacked_mnist.py --out runs/stacked                     # every game, one seed: hours of one CPU core
    python benchmarks/stacked_mnist.py --out runs/stacked --games recipe      # the best recipe alone
    python benchmarks/stacked_mnist.py --out runs/stacked --table             # only measure what was trained, and print

The protocol is PacGAN's (Lin et al. 2018, sec. 4.1): three random digits as the colour channels of a 28x28 picture, 26,000
generated samples, each channel recognised by a classifier, counted are the triples that appear and the reverse Kullback-Leibler
divergence. What differs: the digits are those of mnist-5k/train (4,000 instead of 60,000), the classifier is that of the plugin
``digits``, and the divergence is taken from the triples of the real training pictures as the same classifier sees them.

In every game the networks (DCGAN, width 32), the optimisers and the number of images are the same; only the loss, the penalties
and the constraints differ. Measured is the moving average of the generator. Runs are kept in the folder --out and go on where
they were when the command is given again. One thread a run; needs the extra ``datasets``.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

import ganzoo
from ganzoo import resources
from ganzoo.metrics import evaluate_generator
from ganzoo.training import Options, apply_settings, resume, terminal_reporter, train

SAMPLES = 26_000
COMMON = (
    "batch_size=64",
    "generator.lr=1e-3",
    "discriminator.lr=1e-3",
    "generator.betas=0.5,0.99",
    "discriminator.betas=0.5,0.99",
    "ema_images=20000",
)
GAMES: dict[str, tuple[str, ...]] = {
    "recipe": ("loss=relativistic-pairing", "regularizers.r1.weight=1", "regularizers.r2.weight=1"),
    "minimax": ("loss=minimax",),
    "non-saturating": ("loss=non-saturating",),
    "least-squares": ("loss=least-squares",),
    "hinge": ("loss=hinge",),
    "hinge+spectral-norm": ("loss=hinge", "constraints=spectral-norm"),
    "wasserstein+wgan-gp": ("loss=wasserstein", "regularizers=wgan-gp"),
    "relativistic-average": ("loss=relativistic-average",),
    "relativistic-pairing": ("loss=relativistic-pairing",),
    "non-saturating+r1": ("loss=non-saturating", "regularizers.r1.weight=1"),
}
CONFIG = ("image_size=28", "channels=3", "width=32")


def play(game: str, out: Path, seed: int, images: int) -> Path:
    """The model of a game, trained or trained further if need be."""
    plugin, dcgan = resources.find_architecture("dcgan")
    networks, data = resources.network_classes(dcgan), resources.open_dataset("stacked-mnist")
    folder = out / f"{game}-{seed}"
    if (folder / "model").exists():
        return folder / "model"
    with terminal_reporter() as reporter:
        if (folder / "config.json").exists():
            resume(folder, networks, data, reporter=reporter)
            return folder / "model"
        recipe = apply_settings(dcgan.recipe, [*COMMON, *GAMES[game], f"images={images}"])
        train(
            dcgan,
            networks,
            data,
            folder,
            recipe=recipe,
            config=resources.network_arguments(dcgan, CONFIG),
            options=Options(seed=seed, source="stacked-mnist"),
            plugin=plugin.name,
            reporter=reporter,
        )
    return folder / "model"


def measure(model: Path, samples: int, seed: int) -> dict[str, float]:
    """The figures of a model; kept beside it."""
    file = model.parent / f"modes-{samples}.json"
    if not file.exists():
        found = evaluate_generator(
            ganzoo.load(model),
            resources.open_dataset("stacked-mnist"),
            resources.open_features("stacked-digits"),
            metrics=resources.open_metrics(["modes"]),
            samples=samples,
            seed=seed,
            controls=False,
        )
        file.write_text(json.dumps(found.model.figures))
    figures: dict[str, float] = json.loads(file.read_text())
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where the runs are kept")
    parser.add_argument("--games", nargs="+", choices=list(GAMES), default=list(GAMES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--images", type=int, default=320_000, help="real pictures shown in a run")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--table", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[tuple[Any, ...]] = []
    for game in arguments.games:
        for seed in arguments.seeds:
            model = arguments.out / f"{game}-{seed}" / "model"
            if not arguments.table:
                model = play(game, arguments.out, seed, arguments.images)
            if model.exists():
                figures = measure(model, arguments.samples, seed)
                rows.append((game, seed, figures["modes"], figures["mode-kl"]))
    print(f"{'game':24}{'seed':>5}{'modes':>8}{'KL':>8}    ({arguments.samples} samples)")
    for name, seed, modes, divergence in rows:
        print(f"{name:24}{seed:5}{modes:8.0f}{divergence:8.3f}")


if __name__ == "__main__":
    main()
