"""Random numbers that are the same on every machine and with every version of NumPy and PyTorch.

They are made from the raw output of Philox 4x64-10 (Salmon et al. 2011), which is a standard; how a library turns that output
into normal numbers may change, so that is written out here.
"""

import numpy as np
import torch
from torch import Tensor

from ganzoo.models.seeds import check_seed

_GRID = 2.0**16


def uniforms(seed: int, stream: int, count: int) -> Tensor:
    """``count`` numbers in [0, 1), float64: the top 53 bits of each raw number. The first ones do not depend on ``count``.

    Raises:
        InvalidValueError: ``seed`` is not in ``[0, 2**32)``.
    """
    key = np.array([check_seed(seed), stream], dtype=np.uint64)
    raw = np.random.Philox(key=key).random_raw(count)
    return torch.from_numpy((raw >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def normals(seed: int, stream: int, count: int) -> Tensor:
    """``count`` standard normal numbers, float64 (Box and Muller 1958), rounded to multiples of 2**-16.

    Rounding hides the last bits of logarithms and cosines, in which processors differ; float32 holds the results exactly.
    """
    pairs = uniforms(seed, stream, 2 * count).reshape(count, 2)
    radius = (-2 * torch.log1p(-pairs[:, 0])).sqrt()
    return (radius * torch.cos(2 * torch.pi * pairs[:, 1]) * _GRID).round() / _GRID
