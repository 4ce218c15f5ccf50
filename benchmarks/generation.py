"""Images a second: ``Generator.sample`` against the bare network in a loop.

    python benchmarks/generation.py

Both make the same number of DCGAN 64x64 images in batches of the same size with one thread; the bare loop draws each batch
with one ``torch.randn`` and keeps the outputs. Rounds alternate, the fastest of each counts, and the ratio of the CPU seconds
is printed.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ganzoo.models import ImageGenerator
from ganzoo_dcgan.networks import DCGANGenerator


def bare(generator: ImageGenerator, images: int, batch_size: int) -> Tensor:
    outputs = []
    with torch.inference_mode():
        for _ in range(0, images, batch_size):
            outputs.append(generator(torch.randn(batch_size, *generator.latent_shape)))
    return torch.cat(outputs)


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = DCGANGenerator(image_size=64).eval()
    for batch_size in (1, 16, 64):
        rounds = [
            (
                cpu_seconds(lambda b=batch_size: bare(generator, arguments.images, b)),
                cpu_seconds(lambda b=batch_size: generator.sample(arguments.images, seed=0, batch_size=b)),
            )
            for _ in range(arguments.repeats)
        ]
        loop, sample = (min(times) for times in zip(*rounds, strict=True))
        print(
            f"DCGAN 64x64, batch {batch_size:3}: bare loop {arguments.images / loop:7.1f} images/s, "
            f"sample {arguments.images / sample:7.1f} images/s, time ratio {sample / loop:.3f}  (at most 1.05)"
        )


if __name__ == "__main__":
    main()
