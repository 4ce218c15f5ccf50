"""Data sets that come as one tensor in memory: pictures and points."""

import hashlib
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.data.dataset import Captions, Dataset, Modality, TensorExamples, check_captions, check_labels, picture_shape
from ganzoo.errors import DataError

_CHUNK = 1024  # pictures that are floating-point numbers at once
_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601, the weights that PIL uses too


class TensorDataset(Dataset):
    """Pictures that come as one tensor.

    Args:
        images: uint8 ``[N, C, H, W]`` with 1 or 3 channels.
        name: How results cite it.
        labels: Class of each picture, int64 ``[N]``.
        class_names: What the classes are called.
        captions: The texts of each picture.
        licence: SPDX identifier or a short text.
        url: Where it comes from.

    Raises:
        DataError: no pictures, or a tensor of another kind; labels or captions of another length.
    """

    def __init__(
        self,
        images: Tensor,
        name: str,
        *,
        labels: Tensor | None = None,
        class_names: tuple[str, ...] = (),
        captions: Captions | None = None,
        licence: str | None = None,
        url: str | None = None,
    ) -> None:
        if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] not in (1, 3):
            raise DataError(f"{name}: pictures are uint8 [N, 1 | 3, H, W], not {images.dtype} {list(images.shape)}.")
        if not len(images):
            raise DataError(f"{name}: there is no picture in it.")
        check_labels(name, len(images), labels, class_names)
        check_captions(name, len(images), captions)
        self.images, self.labels, self.class_names, self.captions = images, labels, class_names, captions
        self.name, self.licence, self.url = name, licence, url

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def sha256(self) -> str:
        """Hash of shape, pixels and labels."""
        return _sha256(self.images, self.labels)

    def prepare(self, shape: tuple[int, ...]) -> TensorExamples:
        """All pictures in memory, scaled by antialiased bicubic interpolation of the stored (gamma-encoded) values."""
        channels, height, width = picture_shape(shape, self.name)
        return TensorExamples(fit(convert_channels(self.images, channels), height, width))


class VectorDataset(Dataset):
    """Points that come as one tensor, for toy problems and anything else that is a vector.

    Args:
        points: float32 ``[N, D]``.
        name: How results cite it.
        labels: Class (mode) of each point, int64 ``[N]``.
        class_names: What the classes are called.
        licence: SPDX identifier or a short text.
        url: Where it comes from.

    Raises:
        DataError: no points, a tensor of another kind, or values that are not finite; labels of another length.
    """

    modality: Modality = "vector"

    def __init__(
        self,
        points: Tensor,
        name: str,
        *,
        labels: Tensor | None = None,
        class_names: tuple[str, ...] = (),
        licence: str | None = None,
        url: str | None = None,
    ) -> None:
        if points.dtype != torch.float32 or points.dim() != 2 or not points.numel():
            raise DataError(f"{name}: points are float32 [N, D], at least one, not {points.dtype} {list(points.shape)}.")
        if not bool(points.isfinite().all()):
            raise DataError(f"{name}: there are points that are not finite.")
        check_labels(name, len(points), labels, class_names)
        self.points, self.labels, self.class_names = points, labels, class_names
        self.name, self.licence, self.url = name, licence, url

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def sha256(self) -> str:
        """Hash of shape, coordinates and labels."""
        return _sha256(self.points, self.labels)

    def prepare(self, shape: tuple[int, ...]) -> TensorExamples:
        """All points, as they are.

        Raises:
            DataError: ``shape`` is not ``(D,)``.
        """
        if tuple(shape) != tuple(self.points.shape[1:]):
            raise DataError(
                f"{self.name} has points of {self.points.shape[1]} numbers; they cannot take the shape {list(shape)}.",
                hint=f"Use a generator of vectors of {self.points.shape[1]} numbers, or a data set of pictures.",
            )
        return TensorExamples(self.points)


def convert_channels(images: Tensor, channels: int) -> Tensor:
    """``images`` (uint8 ``[N, 1 | 3, H, W]``) as grey (``channels`` 1) or RGB (3)."""
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    weights = torch.tensor(_GREY).view(1, 3, 1, 1)
    chunks = torch.split(images, _CHUNK)
    return torch.cat([(c.float() * weights).sum(1, keepdim=True).round_().to(torch.uint8) for c in chunks])


def fit(images: Tensor, height: int, width: int) -> Tensor:
    """uint8 ``[N, C, H, W]`` scaled until they fill ``height`` x ``width``, then cropped around the centre."""
    before = images.shape[-2:]
    if tuple(before) == (height, width):
        return images
    scale = max(height / before[0], width / before[1])
    scaled = (max(height, round(before[0] * scale)), max(width, round(before[1] * scale)))
    top, left = (scaled[0] - height) // 2, (scaled[1] - width) // 2
    done: list[Tensor] = []
    for chunk in torch.split(images, _CHUNK):
        resized = F.interpolate(chunk.float(), size=scaled, mode="bicubic", antialias=True).round_().clamp_(0, 255)
        done.append(resized[..., top : top + height, left : left + width].to(torch.uint8))
    return torch.cat(done)


def _sha256(values: Tensor, labels: Tensor | None) -> str:
    digest = hashlib.sha256(str(list(values.shape)).encode())
    digest.update(values.contiguous().numpy().data)
    if labels is not None:
        digest.update(labels.to(torch.int64).contiguous().numpy().data)
    return digest.hexdigest()
