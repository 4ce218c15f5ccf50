"""Mirroring, the cheapest way to twice the data."""

from torch import Tensor

from ganzoo.training.augment.gates import HOST, changed_where, chosen
from ganzoo.training.draws import Draws


def flip(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Each image ``[N, C, H, W]`` mirrored left to right with probability ``p / 2``."""
    n = len(images)
    mask = chosen(n, p, draws) & (draws.uniform(n, like=HOST) < 1 / 2)
    return changed_where(mask, images, lambda x, _: x.flip(3))
