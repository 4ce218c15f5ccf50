"""Resident memory of a training run: flat from step 200 to step 2,000.

    python benchmarks/memory.py                 # about two minutes of one CPU core
    python benchmarks/memory.py --steps 1000    # a shorter run

DCGAN of 32 pixels with R1, adaptive augmentation and a measured figure; grids, checkpoints, lines of metrics and measurements
every 100 steps, so that all of them happened before step 200. Printed: the largest resident memory from step 200 on against
that of step 200. Needs the extra ``datasets`` and Linux.
"""

import argparse
import resource
import tempfile
from pathlib import Path

import torch

from ganzoo import resources
from ganzoo.training import EvaluationConfig, Options, Progress, Silent, apply_settings, train

BEGIN = 200  # steps
LIMIT = 1.02
BATCH = 16
SETTINGS = (
    f"batch_size={BATCH}",
    "regularizers.r1.every=4",
    "augment.pipeline=ada-bgc",
    "augment.target=0.6",
)
STATUS = Path("/proc/self/statm")


def resident() -> int:
    """Resident memory of this process in pages."""
    return int(STATUS.read_text().split()[1])


class Meter(Silent):
    """Resident memory after each step."""

    def __init__(self) -> None:
        self.pages: list[int] = []

    def stepped(self, progress: Progress) -> None:
        """Notes it."""
        self.pages.append(resident())


def run(folder: str, steps: int) -> list[int]:
    """Resident memory after each step of a run."""
    plugin, dcgan = resources.find_architecture("dcgan")
    if dcgan.recipe is None:
        raise SystemExit("dcgan has no recipe")
    data, images, meter = resources.open_dataset("mnist-5k"), steps * BATCH, Meter()
    evaluation = EvaluationConfig(features="pixels:8", data="mnist-5k", metrics=("fid",), samples=100, best="frechet-distance")
    often = 100 * BATCH
    config = resources.network_arguments(dcgan, ["image_size=32", "channels=1", "width=16"])
    train(
        dcgan,
        resources.network_classes(dcgan),
        data,
        Path(folder) / "run",
        recipe=apply_settings(dcgan.recipe, [*SETTINGS, f"images={images}"]),
        config=config,
        options=Options(
            intervals={"log": often, "samples": often, "checkpoint": often, "evaluate": often},
            evaluation=evaluation,
            evaluator=resources.open_evaluator(evaluation.features, evaluation.data, evaluation.metrics, evaluation.samples),
        ),
        plugin=plugin.name,
        reporter=meter,
    )
    return meter.pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    steps = parser.parse_args().steps
    if not STATUS.exists() or steps <= BEGIN:
        raise SystemExit(f"needs Linux and more than {BEGIN} steps")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        pages = run(folder, steps)
    first, largest = pages[BEGIN - 1], max(pages[BEGIN - 1 :])
    megabytes = first * resource.getpagesize() / 1e6
    print(f"step {BEGIN}: {megabytes:.0f} MB")
    print(f"largest until step {steps}: {largest / first:.4f} of it; at the end: {pages[-1] / first:.4f}")
    print(f"flat within {LIMIT - 1:.0%}: {'yes' if largest / first <= LIMIT else 'NO'}")


if __name__ == "__main__":
    main()
