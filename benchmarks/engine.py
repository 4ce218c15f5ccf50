"""An epoch of DCGAN: the engine against a bare hand-written loop that does the same arithmetic.

    python benchmarks/engine.py

Both play the non-saturating game with Adam on the 4,000 digits of mnist-5k/train at 32 pixels, batch 64, one thread, and keep a
moving average of the generator. The bare loop knows nothing of recipes, regularisers, logs or checkpoints. Rounds of one epoch
alternate, the fastest of each counts, and the ratio of the CPU seconds is printed. Needs the extra ``datasets``.
"""

import argparse
import copy
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.spec import Recipe
from ganzoo.training import Engine
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator
from ganzoo_digits.mnist import mnist_5k

BATCH = 64
LIMIT = 1.10


def networks(width: int) -> tuple[DCGANGenerator, DCGANDiscriminator]:
    torch.manual_seed(0)
    return DCGANGenerator(32, 1, width=width), DCGANDiscriminator(32, 1, width=width)


def bare_epoch(pictures: Tensor, width: int) -> Callable[[], None]:
    generator, discriminator = networks(width)
    average = copy.deepcopy(generator).requires_grad_(False)
    g_optimizer = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))

    def epoch() -> None:
        for indices in torch.randperm(len(pictures)).split(BATCH):
            if len(indices) < BATCH:
                continue
            real = pictures[indices].float().div_(127.5).sub_(1.0)
            with torch.no_grad():
                fake = generator(torch.randn(BATCH, 100))
            d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
            d_optimizer.zero_grad(set_to_none=True)
            d_loss.backward()  # type: ignore[no-untyped-call]
            d_optimizer.step()
            for parameter in discriminator.parameters():
                parameter.requires_grad_(False)
            g_loss = F.softplus(-discriminator(generator(torch.randn(BATCH, 100)))).mean()
            g_optimizer.zero_grad(set_to_none=True)
            g_loss.backward()  # type: ignore[no-untyped-call]
            g_optimizer.step()
            for parameter in discriminator.parameters():
                parameter.requires_grad_(True)
            with torch.no_grad():
                for mean, parameter in zip(average.parameters(), generator.parameters(), strict=True):
                    mean.lerp_(parameter, 0.01)
                for copied, buffer in zip(average.buffers(), generator.buffers(), strict=True):
                    copied.copy_(buffer)

    return epoch


def engine_epoch(width: int) -> Callable[[], None]:
    data = mnist_5k(split="train")
    engine = Engine(*networks(width), data.prepare((1, 32, 32)), Recipe(batch_size=BATCH), seed=0)

    def epoch() -> None:
        for _ in range(len(data) // BATCH):
            engine.step()

    return epoch


def cpu_seconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--width", type=int, default=32, help="of both networks; the overhead shows most in small ones")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pictures = mnist_5k(split="train").prepare((1, 32, 32)).values
    bare, engine = bare_epoch(pictures, arguments.width), engine_epoch(arguments.width)
    times = [(cpu_seconds(bare), cpu_seconds(engine)) for _ in range(arguments.rounds)]
    loop, ours = (min(each) for each in zip(*times, strict=True))
    print(
        f"DCGAN 32x32, width {arguments.width}, batch {BATCH}: bare loop {loop:.2f} s an epoch, engine {ours:.2f} s, "
        f"ratio {ours / loop:.3f}  (at most {LIMIT:.2f})"
    )


if __name__ == "__main__":
    main()
