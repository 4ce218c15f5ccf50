"""What a feature space is: a fixed function from images to vectors in which distances mean something."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class FeatureBatch:
    """Features ``[N, D]`` of a batch, and class scores (logits) ``[N, K]`` where the space has a classifier."""

    features: Tensor
    scores: Tensor | None = None


class Features(Protocol):
    """A feature space. Its name and hash go into every figure that is computed in it.

    Attributes:
        name: e.g. ``digits``.
        sha256: Hash of the weights.
        classes: Names of the classes its classifier tells apart; empty where it has none.
    """

    name: str
    sha256: str
    classes: tuple[str, ...]

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features of images ``[N, C, H, W]`` in [-1, 1], of any size; on the CPU."""
        ...
