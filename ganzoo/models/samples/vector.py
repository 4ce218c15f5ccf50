"""Points: tables, arrays, and a scatter picture of the plane."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.samples.base import Samples

PLANE = 2
_MARGIN = 0.05  # of the extent, around all points, where no extent is given
_DARKEST = 4  # points on one pixel that make it black


class VectorSamples(Samples):
    """Points ``[N, D]``, float32 on the CPU.

    Written as a table (``.csv``, one point a line, no header), as an array (``.npy``), or, for ``D`` = 2, as a scatter picture.
    """

    modality = "vector"
    suffixes: tuple[str, ...] = (".csv", ".npy", ".png")
    single_suffix = ".csv"

    def __init__(self, tensor: Tensor, seeds: Sequence[int]) -> None:
        super().__init__(tensor, seeds)
        if tensor.dim() != 2 or not tensor.shape[1] or not tensor.is_floating_point():
            raise InvalidValueError(
                f"Points are [N, D] floating-point numbers; this is {list(tensor.shape)} of {tensor.dtype}."
            )
        if tensor.shape[1] != PLANE:
            self.suffixes = (".csv", ".npy")

    def _part(self, which: slice) -> Self:
        return type(self)(self.tensor[which], self.seeds[which])

    def scatter(self, size: int = 256, *, extent: tuple[float, float, float, float] | None = None) -> Image.Image:
        """The points of the plane as a grey picture ``size`` pixels a side: white, darker where more of them lie.

        Args:
            size: Pixels a side.
            extent: ``(left, bottom, right, top)`` in the units of the points; what lies outside is not drawn. By default the
                smallest square around all points with a margin of 5%.

        Raises:
            InvalidValueError: no points, points outside a plane or not finite, a ``size`` below 1, or an empty extent.
        """
        if self.tensor.shape[1] != PLANE:
            raise InvalidValueError(
                f"Only points of the plane can be drawn, not of {self.tensor.shape[1]} dimensions.",
                hint="Write them as .csv or .npy.",
            )
        self._check_finite()
        if size < 1:
            raise InvalidValueError(f"A picture has at least 1 pixel a side, not {size}.")
        left, bottom, right, top = self._square() if extent is None else extent
        if not (left < right and bottom < top):
            raise InvalidValueError(f"The extent (left, bottom, right, top) = {extent} is empty.")
        points = self.tensor.double()
        column = (points[:, 0] - left) / (right - left) * size
        row = (top - points[:, 1]) / (top - bottom) * size
        inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
        cells = row[inside].long() * size + column[inside].long()
        counts = torch.bincount(cells, minlength=size * size).clamp(max=_DARKEST).view(size, size)
        return Image.fromarray((255 - counts * 255 // _DARKEST).to(torch.uint8).numpy())

    def _square(self) -> tuple[float, float, float, float]:
        low, high = self.tensor.double().aminmax(dim=0)
        x, y = ((low + high) / 2).tolist()
        half = float((high - low).max()) * (0.5 + _MARGIN) or 1.0  # one point alone is drawn in the middle
        return x - half, y - half, x + half, y + half

    def _repr_png_(self) -> bytes | None:
        """The scatter picture, for notebooks; None where the points are not in a plane."""
        if self.tensor.shape[1] != PLANE:
            return None
        data: Any = self.scatter()._repr_png_()
        return bytes(data)

    def _write_all(self, path: Path, suffix: str) -> None:
        if suffix == ".png":
            self.scatter().save(path, format="PNG")
        elif suffix == ".npy":
            path.write_bytes(self._array_file())
        else:
            # str of a 32-bit number: the shortest decimals that read back as the same number.
            lines = (",".join(map(str, row)) for row in self.tensor.float().numpy())
            path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")

    def _write_one(self, index: int, path: Path) -> None:
        self[index : index + 1]._write_all(path, self.single_suffix)

    def _array_file(self) -> bytes:
        buffer = io.BytesIO()  # given a path, numpy would append its own suffix
        np.save(buffer, self.tensor.float().numpy(), allow_pickle=False)
        return buffer.getvalue()
