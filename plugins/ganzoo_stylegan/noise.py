"""Noise that a layer adds to every pixel (Karras et al. 2019, sec. 3.2): stored, fresh for each sample, or none."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.seeds import check_seeds, side_seed

NOISE_MODES = ("const", "random", "none")
_NOISE = 1  # the stream of a sample's seed
# From the number of samples and a layer's stored noise [..., H, W] to what it adds, [H, W] or [N, 1, H, W], or to nothing.
NoiseSource = Callable[[int, Tensor], Tensor | None]


def noise_source(mode: str, seeds: Sequence[int] | Tensor | None = None) -> NoiseSource:
    """What the layers of one forward pass ask for noise, in their order.

    Args:
        mode: ``const``: each layer's stored noise, the same for every sample. ``random``: standard normal numbers. ``none``.
        seeds: With ``random``, a seed for each sample: its noise comes from that seed alone, whatever else is in the batch.
            None draws from the global random state, as training does.

    Raises:
        InvalidValueError: no such mode, or a seed out of range.
    """
    if mode not in NOISE_MODES:
        raise InvalidValueError(f"There is no noise_mode '{mode}'.", hint=f"Use {', '.join(NOISE_MODES)}.")
    if mode == "const":
        return lambda count, stored: stored
    if mode == "none":
        return lambda count, stored: None
    return _fresh if seeds is None else _Seeded(seeds)


def _fresh(count: int, stored: Tensor) -> Tensor:
    return torch.randn(count, 1, *stored.shape[-2:], dtype=stored.dtype, device=stored.device)


class _Seeded:
    """Draws the noise of every sample from a random generator of its own."""

    def __init__(self, seeds: Sequence[int] | Tensor) -> None:
        chosen = check_seeds(seeds.tolist() if isinstance(seeds, Tensor) else seeds)
        # Not the seeds themselves: the first numbers of those are the samples' latents.
        self._rngs = [torch.Generator("cpu").manual_seed(side_seed(seed, _NOISE)) for seed in chosen]

    def __call__(self, count: int, stored: Tensor) -> Tensor:
        if count != len(self._rngs):
            raise InvalidValueError(f"There are {len(self._rngs)} noise_seeds for {count} samples.", hint="Give one for each.")
        size = tuple(stored.shape[-2:])
        return torch.stack([torch.randn(1, *size, generator=rng, dtype=torch.float32) for rng in self._rngs]).to(stored)
