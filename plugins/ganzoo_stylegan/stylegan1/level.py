"""The level of detail of progressive growing (Karras et al. 2018, sec. 2; Karras et al. 2019, sec. 2)."""

from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import InvalidValueError


class Level(nn.Module):
    """How many of the largest resolutions a network does without yet: 0 for a finished one; between two levels they are mixed.

    Checkpoints hold it, since the authors' programs store networks while they grow.

    Attributes:
        lod: As checkpoints hold it, a single number.
        value: The same for Python, read when weights are loaded.
    """

    lod: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("lod", torch.zeros(()))
        self.value = 0.0

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        if not self.lod.is_meta:
            self.value = float(self.lod)

    def checked(self, lod: float | None, most: int) -> float:
        """``lod``, or the network's own level where it is None; of a network that cannot grow (``most`` is 0) that is 0.

        Raises:
            InvalidValueError: it is below 0 or above ``most``.
        """
        own = self.value if most else 0.0  # the authors' program stores a level there too, and does not use it
        level = own if lod is None else lod
        if not 0 <= level <= most:
            raise InvalidValueError(f"The level of detail of this network is between 0 and {most}, not {level}.")
        return float(level)
