"""Standing statistics (Brock et al. 2019, sec. 2 and appendix D): those of many generated batches in place of training's."""

import contextlib
from collections.abc import Iterator

import torch

from ganzoo.models.generator import evaluation_mode
from ganzoo.models.network import first_tensor
from ganzoo.models.seeds import sample_seeds
from ganzoo_biggan.conditions import ClassGenerator
from ganzoo_biggan.norms import MOMENTUM, Statistics


def accumulate_statistics(
    generator: ClassGenerator, *, batches: int = 16, batch_size: int = 64, seed: int = 0, truncation: float | None = None
) -> None:
    """Replaces the stored mean and variance of every normalisation by their averages over generated batches.

    The weights stay as they are, the vectors of the spectral normalisation among them. The classes are drawn uniformly.

    Args:
        generator: Whose normalisations are changed; one with tabulated statistics has none that could be.
        batches: How many.
        batch_size: Images in each.
        seed: Of latents and classes.
        truncation: Of the latents, for statistics of truncated samples.

    Raises:
        InvalidValueError: a seed or truncation that cannot be used.
    """
    anchor = first_tensor(generator)
    assert anchor is not None
    rng = torch.Generator("cpu").manual_seed(seed)
    seeds = sample_seeds(batches * batch_size, seed)
    with torch.no_grad(), evaluation_mode(generator), _averaging(generator) as statistics:
        for number in range(batches):
            z = generator.latents(seeds[number * batch_size : (number + 1) * batch_size], truncation=truncation)
            c = torch.randint(max(1, generator.num_classes), (batch_size,), generator=rng)
            for each in statistics:
                each.momentum = 1 / (number + 1)
            generator(z.to(anchor), c.to(anchor.device))


@contextlib.contextmanager
def _averaging(generator: ClassGenerator) -> Iterator[list[Statistics]]:
    """The statistics, each in training for as long as the block takes."""
    found = [module for module in generator.modules() if isinstance(module, Statistics)]
    for each in found:
        each.train()
    try:
        yield found
    finally:
        for each in found:
            each.eval()
            each.momentum = MOMENTUM
