"""The files that people already have: the same network under another name."""

import math
from collections.abc import Mapping
from typing import Any

from ganzoo.checkpoint import LayoutReader


class AcmeLayout(LayoutReader):
    """``{"fc.weight": [size * size, 4], "fc.bias": [size * size]}``."""

    def config(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any] | None:
        """The size from the number of positions."""
        weight = shapes.get("fc.weight")
        return None if weight is None or len(weight) != 2 else {"size": math.isqrt(weight[0])}

    def keys(self, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Their names to ours."""
        return {"fc.weight": "place.weight", "fc.bias": "place.bias"}
