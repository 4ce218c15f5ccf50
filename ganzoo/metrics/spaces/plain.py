"""Feature spaces without a network, ``raw`` and ``pixels``: for points and toys. Pixels say little about pictures."""

import hashlib

from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics.features import FeatureBatch, Features
from ganzoo.metrics.spaces.resize import resize

PIXELS = 16


class Raw(Features):
    """The numbers of an example as they are, ``[N, C*H*W]`` or ``[N, D]``."""

    name = "raw"
    sha256 = hashlib.sha256(b"ganzoo raw 1").hexdigest()
    preprocessing = "none: every number is a feature"

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features ``[N, D]``."""
        return FeatureBatch(images.float().cpu().flatten(1))


class Pixels(Features):
    """Pixels of a small copy of an image, ``[N, C * size * size]`` in [-1, 1].

    Args:
        variant: Pixels a side, as text (``pixels:8``); 16 when left out.

    Raises:
        InvalidValueError: not a number of pixels.
    """

    def __init__(self, variant: str = str(PIXELS)) -> None:
        if not variant.isdecimal() or not 0 < int(variant) <= 256:
            raise InvalidValueError(f"'{variant}' is no number of pixels from 1 to 256.", hint="For example: pixels:8")
        self._size = int(variant)
        self.name = f"pixels:{self._size}"
        self.preprocessing = f"scaled bicubic with antialiasing to {self._size}x{self._size}"
        self.sha256 = hashlib.sha256(f"ganzoo pixels 1 {self._size}".encode()).hexdigest()

    def __call__(self, images: Tensor) -> FeatureBatch:
        """Features ``[N, C * size * size]``.

        Raises:
            DataError: no images.
        """
        if images.dim() != 4:
            raise DataError(f"{self.name} needs images [N, C, H, W], not {list(images.shape)}.", hint="For points use raw.")
        return FeatureBatch(resize(images.float().cpu(), (self._size, self._size)).flatten(1))
