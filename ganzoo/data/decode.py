"""One picture file to pixels: any mode that PIL reads becomes grey or RGB of the wanted size."""

from io import BytesIO

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ganzoo.data.dataset import check_channels

_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def decode(content: bytes, image_size: int, channels: int) -> Tensor:
    """The picture in ``content`` as uint8 ``[C, image_size, image_size]``.

    The first frame of an animation; turned as its EXIF orientation says; transparency laid on white; 16-bit grey scaled to 8
    bits; scaled with antialiasing so that the shorter side fits, then cropped around the centre.

    Raises:
        DataError: ``channels`` is neither 1 nor 3.
        Exception: whatever PIL raises on a file that is no picture or a broken one.
    """
    check_channels(channels, "this data set")
    with Image.open(BytesIO(content)) as file:
        file.seek(0)
        picture = ImageOps.exif_transpose(file)
        plain = to_mode(picture, "L" if channels == 1 else "RGB")
    fitted = ImageOps.fit(plain, (image_size, image_size), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(fitted))
    return pixels[None] if channels == 1 else pixels.permute(2, 0, 1).contiguous()


def to_mode(picture: Image.Image, mode: str) -> Image.Image:
    """``picture`` as ``L`` or ``RGB``."""
    if picture.mode in _SIXTEEN_BIT:
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert(mode)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit grey divided by 257; PIL's own conversion would clip everything above 255 to white."""
    values = np.asarray(picture).astype(np.int64)
    return Image.fromarray(np.clip((values + 128) // 257, 0, 255).astype(np.uint8))
