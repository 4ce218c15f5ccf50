"""Video: animated pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.samples.base import Samples
from ganzoo.models.samples.image import ImageSamples

SLOWEST, FASTEST = 0.1, 1000.0  # frames a second that animated files can hold: their unit is the millisecond


class VideoSamples(Samples):
    """Videos ``[N, C, T, H, W]`` in [-1, 1], float32 on the CPU; ``frame_rate`` in frames a second.

    Written as animated WebP, PNG or GIF: a grid of all videos, or one file each.
    """

    modality = "video"
    suffixes = (".webp", ".png", ".gif")
    single_suffix = ".webp"

    def __init__(self, tensor: Tensor, seeds: Sequence[int], *, frame_rate: float) -> None:
        super().__init__(tensor, seeds)
        if tensor.dim() != 5 or tensor.shape[1] not in (1, 3, 4) or not tensor.shape[2]:
            raise InvalidValueError(f"Video is [N, 1 | 3 | 4, T, H, W] with at least 1 frame; this is {list(tensor.shape)}.")
        if not SLOWEST <= frame_rate <= FASTEST:
            raise InvalidValueError(f"A frame rate is between {SLOWEST} and {FASTEST} a second, not {frame_rate}.")
        self.frame_rate = frame_rate

    def _part(self, which: slice) -> Self:
        return type(self)(self.tensor[which], self.seeds[which], frame_rate=self.frame_rate)

    def frames(self) -> list[ImageSamples]:
        """The batch frame by frame."""
        return [ImageSamples(frame, self.seeds) for frame in self.tensor.unbind(2)]

    def _write_all(self, path: Path, suffix: str) -> None:
        first, *rest = [frame.grid() for frame in self.frames()]
        first.save(
            path, format=suffix[1:].upper(), save_all=True, append_images=rest, duration=round(1000 / self.frame_rate), loop=0
        )

    def _write_one(self, index: int, path: Path) -> None:
        self[index : index + 1]._write_all(path, self.single_suffix)
