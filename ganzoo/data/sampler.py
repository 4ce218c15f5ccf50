"""The order in which pictures are shown: shuffled anew each epoch, from a seed, and resumable at any batch."""

import operator
from typing import TypedDict

import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError


class SamplerState(TypedDict):
    """Where a sampler stands: plain numbers, so that it can be written as JSON."""

    count: int
    seed: int
    epoch: int
    position: int


class ShuffledBatches:
    """Endless batches of indices. Every picture is shown once before any is shown again; batches run on across epochs.

    The order of an epoch depends on the seed and the epoch's number alone, so its state is four numbers.

    Args:
        count: How many pictures there are.
        batch_size: Indices a batch; may exceed ``count``.
        seed: Of the order.

    Raises:
        InvalidValueError: ``count`` or ``batch_size`` below 1.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        if count < 1 or batch_size < 1:
            raise InvalidValueError(f"Cannot draw batches of {batch_size} from {count} pictures.")
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self._start(0, 0)

    def _start(self, epoch: int, position: int) -> None:
        self.epoch, self.position = epoch, position
        # 2**64 / golden ratio: neighbouring seeds and epochs land far apart.
        mixed = (self.seed * 0x9E3779B97F4A7C15 + epoch * 0xD1B54A32D192ED03 + 1) % 2**63
        self._order = torch.randperm(self.count, generator=torch.Generator().manual_seed(_fold(mixed)))

    def __next__(self) -> Tensor:
        """The next ``batch_size`` indices, int64 on the CPU."""
        parts: list[Tensor] = []
        missing = self.batch_size
        while missing:
            part = self._order[self.position : self.position + missing]
            parts.append(part)
            missing -= len(part)
            self.position += len(part)
            if self.position == self.count:
                self._start(self.epoch + 1, 0)
        return torch.cat(parts)

    def state_dict(self) -> SamplerState:
        """Where it stands."""
        return {"count": self.count, "seed": self.seed, "epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: SamplerState) -> None:
        """Goes on from ``state``.

        Raises:
            DataError: the state belongs to another number of pictures.
        """
        if operator.index(state["count"]) != self.count:
            raise DataError(
                f"The run was started with {state['count']} pictures; now there are {self.count}.",
                hint="Put the data back as it was, or start a new run.",
            )
        self.seed = state["seed"]
        self._start(state["epoch"], state["position"])


def _fold(value: int) -> int:
    """The low 32 bits with the high ones folded into them: torch's CPU generator uses 32 bits only."""
    return (value ^ (value >> 32)) & 0xFFFFFFFF
