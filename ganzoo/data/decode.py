"""One picture file to pixels: any mode that PIL reads becomes grey or RGB of the wanted size."""

import contextlib
import struct
import warnings
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

# Part of the key of every cached picture: raise it when the same file would give other pixels.
VERSION = 2
Shape = tuple[int, int, int]
Pixels = NDArray[np.uint8]
# What PIL raises on files that are no pictures or broken ones, decompression bombs included.
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # what undoes an orientation of EXIF


def decode(content: bytes, shape: Shape) -> Pixels:
    """The picture in ``content`` as uint8 of ``shape``: channels (1 or 3), height and width.

    Scaled with antialiasing (bicubic, on the stored values, which are gamma-encoded) until it fills the shape, then cropped
    around the centre. What else is done to it, see `read_picture`.

    Raises:
        Exception: one of `BROKEN` on a file that is no picture or a broken one.
    """
    channels, height, width = shape
    plain = read_picture(content, "L" if channels == 1 else "RGB")
    fitted = ImageOps.fit(plain, (width, height), Image.Resampling.BICUBIC)
    pixels = np.array(fitted)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def read_picture(content: bytes, mode: str) -> Image.Image:
    """The picture in ``content`` as ``L`` or ``RGB``.

    The first frame of an animation; turned as its EXIF orientation says; transparency laid on white; 16-bit grey scaled to 8
    bits.

    Raises:
        Exception: one of `BROKEN`.
    """
    with Image.open(BytesIO(content)) as file:
        file.seek(0)
        return to_mode(_upright(file), mode)


def to_mode(picture: Image.Image, mode: str) -> Image.Image:
    """``picture`` as ``L`` or ``RGB``.

    Raises:
        ValueError: floating-point pixels, or a mode that PIL cannot convert.
    """
    if picture.mode == "F":
        raise ValueError("floating-point pixels; which number is white, nobody can tell")
    if picture.mode in _SIXTEEN_BIT:
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert(mode)


def reason(e: BaseException) -> str:
    """Why a file could not be read, for a person."""
    if isinstance(e, UnidentifiedImageError):
        return "not a picture, whatever its name says"
    if isinstance(e, OSError) and e.strerror:
        return e.strerror
    return str(e) or type(e).__name__


@contextlib.contextmanager
def strict_warnings() -> Iterator[None]:
    """PIL's warnings are dropped, but for pictures that would fill the memory, which are errors.

    To be entered by one thread around all decoding: the filters belong to the process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")  # damaged EXIF and the like: the pixels are what counts
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _upright(file: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation says. Damaged EXIF is ignored: PIL's own function fails while rewriting it."""
    file.load()
    try:
        turn = _TURNS.get(file.getexif().get(ExifTags.Base.Orientation, 1))
    except BROKEN:
        turn = None
    return file if turn is None else file.transpose(turn)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit grey divided by 257; PIL's own conversion would clip everything above 255 to white."""
    values = np.asarray(picture).astype(np.int64)
    return Image.fromarray(np.clip((values + 128) // 257, 0, 255).astype(np.uint8))
