"""Images: grids, single files, PIL."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from PIL import Image
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.samples.base import Samples

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class ImageSamples(Samples):
    """Images ``[N, C, H, W]`` in [-1, 1], float32 on the CPU; ``C`` is 1 (grey), 3 (RGB) or 4 (RGBA)."""

    modality = "image"
    suffixes = (".png", ".jpg", ".jpeg", ".webp")
    single_suffix = ".png"

    def __init__(self, tensor: Tensor, seeds: Sequence[int]) -> None:
        super().__init__(tensor, seeds)
        if tensor.dim() != 4 or tensor.shape[1] not in _MODES:
            raise InvalidValueError(f"Images are [N, 1 | 3 | 4, H, W]; this batch is {list(tensor.shape)}.")

    def _part(self, which: slice) -> Self:
        return type(self)(self.tensor[which], self.seeds[which])

    def to_uint8(self) -> Tensor:
        """The images as ``[N, H, W, C]`` in 0 … 255, rounded to nearest; values outside [-1, 1] are clamped."""
        scaled = self.tensor.mul(127.5).add_(127.5).round_().clamp_(0, 255)
        return scaled.to(torch.uint8).permute(0, 2, 3, 1).contiguous()

    def to_pil(self) -> list[Image.Image]:
        """One picture a sample."""
        return [_to_picture(pixels) for pixels in self.to_uint8()]

    def grid(self, columns: int | None = None, *, padding: int = 2) -> Image.Image:
        """All images in one picture, row by row; as square as possible unless ``columns`` is given.

        Args:
            columns: Images a row.
            padding: Pixels between images and around them.

        Raises:
            InvalidValueError: ``columns`` below 1 or ``padding`` below 0.
        """
        columns = math.ceil(math.sqrt(len(self))) if columns is None else columns
        if columns < 1 or padding < 0:
            raise InvalidValueError(f"A grid needs at least 1 column and no negative padding, not {columns} and {padding}.")
        columns = min(columns, len(self))
        pixels = self.to_uint8()
        n, height, width, channels = pixels.shape
        rows = math.ceil(n / columns)
        cell_h, cell_w = height + padding, width + padding
        canvas = torch.zeros(rows * cell_h + padding, columns * cell_w + padding, channels, dtype=torch.uint8)
        for i, image in enumerate(pixels):
            y, x = padding + i // columns * cell_h, padding + i % columns * cell_w
            canvas[y : y + height, x : x + width] = image
        return _to_picture(canvas)

    def _repr_png_(self) -> bytes:
        """The grid, for notebooks."""
        data: Any = self.grid()._repr_png_()
        return bytes(data)

    def _write_all(self, path: Path, suffix: str) -> None:
        _save(self.grid(), path, suffix)

    def _write_one(self, index: int, path: Path) -> None:
        _save(self[index : index + 1].to_pil()[0], path, self.single_suffix)


def _to_picture(pixels: Tensor) -> Image.Image:
    array = pixels.numpy()
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


def _save(picture: Image.Image, path: Path, suffix: str) -> None:
    jpeg = suffix in (".jpg", ".jpeg")
    if jpeg and picture.mode == "RGBA":
        picture = picture.convert("RGB")
    picture.save(path, format="JPEG" if jpeg else suffix[1:].upper(), **({"quality": 95} if jpeg else {}))
