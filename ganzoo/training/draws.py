"""Random numbers of a batch that do not depend on how the batch is split among processes or accumulated in pieces."""

from collections.abc import Callable

import torch
from torch import Tensor


class Draws:
    """Draws for the rows of one share of a batch.

    Every call draws for the whole batch, on the CPU, and keeps the rows of this share: two processes that hold half the batch
    each, with equal generators, see together what one process sees alone, and their generators stay equal.

    Args:
        rng: Where the numbers come from; advanced by every call.
        shares: Equal pieces that the batch is split into.
        share: Which of them this is, from 0.
    """

    def __init__(self, rng: torch.Generator, *, shares: int = 1, share: int = 0) -> None:
        self.rng, self.shares, self.share = rng, shares, share

    def uniform(self, n: int, *shape: int, like: Tensor) -> Tensor:
        """``[n, *shape]`` uniform in [0, 1), of the dtype and on the device of ``like``; ``n`` is the rows of this share."""
        return self._mine(torch.rand(n * self.shares, *shape, generator=self.rng), n).to(like)

    def normal(self, n: int, *shape: int, like: Tensor) -> Tensor:
        """``[n, *shape]`` standard normal, of the dtype and on the device of ``like``."""
        return self._mine(torch.randn(n * self.shares, *shape, generator=self.rng), n).to(like)

    def integers(self, limit: int, n: int, *, like: Tensor) -> Tensor:
        """``[n]`` int64, uniform in ``[0, limit)``, on the device of ``like``."""
        return self._mine(torch.randint(limit, (n * self.shares,), generator=self.rng), n).to(like.device)

    def permutation(self, n: int, *, like: Tensor) -> Tensor:
        """``[n]`` int64: an order of the rows of this share, on the device of ``like``."""
        keys = self._mine(torch.rand(n * self.shares, generator=self.rng), n)
        return keys.argsort(stable=True).to(like.device)

    def latents(self, draw: Callable[[torch.Generator], Tensor], n: int, *, device: torch.device) -> Tensor:
        """``n`` latents, drawn one by one as `Generator.sample` does: the family decides on the distribution.

        Args:
            draw: `Generator.draw_latent`.
            n: Rows of this share.
            device: Where they are wanted.
        """
        return self._mine(torch.stack([draw(self.rng) for _ in range(n * self.shares)]), n).to(device)

    def _mine(self, whole: Tensor, n: int) -> Tensor:
        return whole[self.share * n : (self.share + 1) * n]
