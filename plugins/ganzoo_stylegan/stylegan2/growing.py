"""Networks of the TensorFlow program that were grown (configurations B to D), under the names of those that were not."""

import re
from collections.abc import Mapping

from torch import Tensor

LEVEL = "lod"  # how many of the largest resolutions are not used yet
_LEVELS = (LEVEL, "synthesis/lod")  # the outer one decides
_IMAGE = re.compile(r"(synthesis/)?(ToRGB|FromRGB)_lod(\d{1,2})/(.+)")
_SIZE = re.compile(r"(?:synthesis/)?(\d{1,5})x\1/")
_NOISE = re.compile(r"synthesis/noise(\d{1,2})")


def grown(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """What is used of ``state``, the largest layer to or from an image named as if it were the only one.

    The level of detail is left out, too, unless it is between two resolutions: then nothing is.
    """
    level = next((state[key] for key in _LEVELS if key in state), None)
    if level is None or level.numel() != 1 or not float(level).is_integer():
        return state
    sizes = [int(found[1]) for key in state if (found := _SIZE.match(key))]
    top = max(sizes, default=0) >> min(max(int(level), 0), 16)
    picked: dict[str, Tensor] = {}
    for key, tensor in state.items():
        name = _named(key, int(level), top)
        if name is not None:
            picked[name] = tensor
    return picked


def _named(key: str, level: int, top: int) -> str | None:
    """The name of a tensor in a network whose images have ``top`` pixels a side; None where it is not used."""
    if key in _LEVELS:
        return None
    if found := _IMAGE.fullmatch(key):
        return f"{found[1] or ''}{top}x{top}/{found[2]}/{found[4]}" if int(found[3]) == level else None
    size = _size(key)
    return key if size is None or size <= top else None


def _size(key: str) -> int | None:
    """Pixels a side of the layer that a tensor belongs to."""
    if found := _SIZE.match(key):
        return int(found[1])
    found = _NOISE.fullmatch(key)
    return None if found is None else 1 << (int(found[1]) + 5) // 2
