"""Figures that come from samples, with what chance does to them."""

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Estimate:
    """A mean over independent samples.

    Attributes:
        value: The mean.
        error: Its standard error: one standard deviation of what another draw would give.
    """

    value: float
    error: float

    @classmethod
    def of(cls, values: Tensor) -> "Estimate":
        """The mean of independent ``values [N]``; of a single one the error is infinite."""
        values = values.double()
        error = float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else math.inf
        return cls(float(values.mean()), error)

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.value + other.value, math.hypot(self.error, other.error))

    def __sub__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.value - other.value, math.hypot(self.error, other.error))

    def __mul__(self, factor: float) -> "Estimate":
        return Estimate(self.value * factor, self.error * abs(factor))

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.error:.3f}"
