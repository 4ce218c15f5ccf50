"""What a feature space is: a fixed function from examples to vectors in which distances mean something."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.spec import Modality

T = TypeVar("T")


@dataclass(frozen=True)
class FeatureBatch:
    """Features ``[N, D]`` of a set, and class scores (logits) ``[N, K]`` where the space has a classifier."""

    features: Tensor
    scores: Tensor | None = None
    _known: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.features)

    def first(self, count: int) -> "FeatureBatch":
        """The first ``count`` of them."""
        return FeatureBatch(self.features[:count], None if self.scores is None else self.scores[:count])

    def once(self, name: Hashable, compute: Callable[[Tensor], T]) -> T:
        """``compute(features)``, remembered under ``name``: statistics of a reference set are asked for again and again."""
        if name not in self._known:
            self._known[name] = compute(self.features)
        found: T = self._known[name]
        return found


class Features(ABC):
    """A feature space. Its name and hash go into every figure that is computed in it.

    Attributes:
        name: e.g. ``digits``.
        sha256: Hash of the weights, or of the definition where there are none.
        classes: Names of the classes its classifier tells apart; empty where it has none.
        preprocessing: How examples are brought to the network, in words; part of every protocol.
        eight_bit: True where the space rounds what it is shown to 8 bits, so that very small steps cannot be seen in it.
        modalities: What it makes features of; pictures and points unless it says otherwise.
    """

    name: str
    sha256: str
    classes: tuple[str, ...] = ()
    preprocessing: str = "as it is"
    eight_bit: bool = False
    modalities: tuple[Modality, ...] = ("image", "vector")

    @abstractmethod
    def __call__(self, examples: Any, /) -> FeatureBatch:
        """Features of a batch, float32 on the CPU.

        Args:
            examples: Images ``[N, C, H, W]`` in [-1, 1], of any size; points ``[N, D]``; or a list of texts.

        Raises:
            DataError: examples that the space is not made for.
        """

    def check(self, modality: Modality) -> None:
        """Refuses early what the space is not made for.

        Raises:
            InvalidValueError: it makes no features of that modality.
        """
        if modality not in self.modalities:
            made_for = " and ".join(f"{each}s" for each in self.modalities)
            raise InvalidValueError(
                f"The feature space '{self.name}' is made for {made_for}, not for {modality}s.",
                hint="`ganzoo plugins` lists the feature spaces.",
            )

    def to(self, device: torch.device) -> None:  # noqa: B027  a space without a large network has nothing to move
        """Compute on ``device`` from now on, where that is worth while."""


class NoFeatures(Features):
    """What stands in the place of a feature space where only metrics are asked for that need none: features ``[N, 0]``."""

    name = "none"
    sha256 = hashlib.sha256(b"ganzoo no features").hexdigest()
    preprocessing = "none"
    modalities = ("image", "vector", "text", "audio", "video")

    def __call__(self, examples: Sized, /) -> FeatureBatch:
        """No features of each example."""
        return FeatureBatch(torch.empty(len(examples), 0))


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """Hash of the weights themselves: names, dtypes, shapes and values, whatever file they came from."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
