"""The probability of augmentation that follows how much the discriminator has memorised (Karras et al. 2020a, sec. 3)."""

import math
from collections.abc import Mapping

from torch import Tensor

from ganzoo.errors import ConfigError


class AdaptiveProbability:
    """Raises or lowers ``p`` so that ``r_t = E[sign(D(real))]`` stays at a target (eq. 1 and sec. 3.1).

    Every ``every`` steps, ``p`` moves by the images seen in them over ``images``, up where ``r_t`` is above the target and down
    where it is below; it stays within [0, 1]. It means something only for losses whose discriminator's logits are centred at 0.

    Attributes:
        p: The probability now, in [0, 1].
        r_t: What the last adjustment measured, in [-1, 1]; None before the first.

    Args:
        target: Of ``r_t``; 0.6 in the paper.
        images: How many real images it takes ``p`` to go from 0 to 1; 500,000 in the paper, 100,000 for transfer learning.
        every: Steps between adjustments; 4 in the paper.
        p: Where it starts.

    Raises:
        ConfigError: a value outside its range.
    """

    def __init__(self, target: float = 0.6, images: int = 500_000, every: int = 4, p: float = 0.0) -> None:
        for name, value, low, high in (("target", target, -1, 1), ("images", images, 1, math.inf), ("p", p, 0, 1)):
            if not low <= value <= high:
                raise ConfigError(f"{name} of the adaptive augmentation must be from {low} to {high}, not {value}.")
        if every < 1:
            raise ConfigError(f"every of the adaptive augmentation must be at least 1, not {every}.")
        self.target, self.images, self.every = target, images, every
        self.p = p
        self.r_t: float | None = None
        self._total: Tensor | float = 0.0
        self._count = self._steps = 0

    def update(self, real_scores: Tensor) -> None:
        """Takes the logits ``[N]`` of the real examples of one step, where one process has them all."""
        self.observe(*self.signs(real_scores))

    @staticmethod
    def signs(real_scores: Tensor) -> tuple[Tensor, int]:
        """The sum of the logits' signs, a scalar on their device, and their number: both can be summed over processes."""
        return real_scores.detach().sign().float().sum(), real_scores.numel()

    def observe(self, total: Tensor | float, count: int) -> None:
        """Takes one step's sum of signs and number of real examples, of all processes together.

        Only each ``every``-th call waits for the device.
        """
        self._total, self._count = self._total + total, self._count + count
        self._steps += 1
        if self._steps >= self.every and self._count:
            self._adjust()

    def state(self) -> dict[str, float | None]:
        """What `restore` needs to go on: JSON values."""
        return {"p": self.p, "r_t": self.r_t, "total": float(self._total), "count": self._count, "steps": self._steps}

    def restore(self, state: Mapping[str, float | None]) -> None:
        """Goes on from what `state` gave."""
        self.p, self.r_t = _number(state, "p"), state["r_t"]
        self._total, self._count, self._steps = (
            _number(state, "total"),
            int(_number(state, "count")),
            int(_number(state, "steps")),
        )

    def _adjust(self) -> None:
        self.r_t = float(self._total) / self._count
        direction = (self.r_t > self.target) - (self.r_t < self.target)
        self.p = min(1.0, max(0.0, self.p + direction * self._count / self.images))
        self._total, self._count, self._steps = 0.0, 0, 0


def _number(state: Mapping[str, float | None], name: str) -> float:
    value = state[name]
    if value is None:
        raise ConfigError(f"The state of the adaptive augmentation has no value for '{name}'.")
    return value
