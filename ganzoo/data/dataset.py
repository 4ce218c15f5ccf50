"""What a data set is: named pictures that can be had at any size, with what is needed to cite and to repeat them."""

import hashlib
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import DataError

_CHUNK = 1024  # pictures that are floating-point numbers at once
_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601, the weights that PIL uses too


class Pictures(Protocol):
    """Pictures of one size, by index."""

    def __len__(self) -> int:
        """How many."""
        ...

    def __getitem__(self, indices: Tensor) -> Tensor:
        """The pictures of ``indices [B]`` (int64) as uint8 ``[B, C, H, W]``."""
        ...


class TensorPictures:
    """Pictures kept in memory: ``images`` is uint8 ``[N, C, H, W]``."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: Tensor) -> Tensor:
        return self.images[indices]


class Dataset(ABC):
    """Named pictures, with or without labels.

    Attributes:
        name: How results cite it, split included where there is one, e.g. ``mnist-5k/train``.
        licence: SPDX identifier or a short text; None where nobody knows.
        url: Where it comes from.
        labels: Class of each picture, int64 ``[N]``, or None.
    """

    name: str
    licence: str | None = None
    url: str | None = None
    labels: Tensor | None = None

    @abstractmethod
    def __len__(self) -> int:
        """How many pictures."""

    @property
    @abstractmethod
    def sha256(self) -> str:
        """Hash of the content as it was before any resizing."""

    @abstractmethod
    def prepare(self, image_size: int, channels: int) -> Pictures:
        """The pictures scaled and centre-cropped to ``image_size`` pixels a side, with 1 (grey) or 3 (RGB) channels.

        Raises:
            DataError: pictures that cannot be used, or a number of channels that pictures do not have.
        """


class TensorDataset(Dataset):
    """Pictures that come as one tensor.

    Args:
        images: uint8 ``[N, C, H, W]`` with 1 or 3 channels.
        name: How results cite it.
        labels: Class of each picture, int64 ``[N]``.
        licence: SPDX identifier or a short text.
        url: Where it comes from.

    Raises:
        DataError: no pictures, or a tensor of another kind; labels of another length.
    """

    def __init__(
        self,
        images: Tensor,
        name: str,
        *,
        labels: Tensor | None = None,
        licence: str | None = None,
        url: str | None = None,
    ) -> None:
        if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] not in (1, 3):
            raise DataError(f"{name}: pictures are uint8 [N, 1 | 3, H, W], not {images.dtype} {list(images.shape)}.")
        if not len(images):
            raise DataError(f"{name}: there is no picture in it.")
        if labels is not None and labels.shape != (len(images),):
            raise DataError(f"{name}: {len(images)} pictures cannot have labels of shape {list(labels.shape)}.")
        self.images, self.labels = images, labels
        self.name, self.licence, self.url = name, licence, url

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def sha256(self) -> str:
        """Hash of shape, pixels and labels."""
        digest = hashlib.sha256(str(list(self.images.shape)).encode())
        digest.update(self.images.contiguous().numpy().tobytes())
        if self.labels is not None:
            digest.update(self.labels.to(torch.int64).numpy().tobytes())
        return digest.hexdigest()

    def prepare(self, image_size: int, channels: int) -> TensorPictures:
        """All pictures in memory, scaled by antialiased bicubic interpolation."""
        images = convert_channels(self.images, channels, self.name)
        return TensorPictures(fit_square(images, image_size))


def convert_channels(images: Tensor, channels: int, name: str) -> Tensor:
    """``images`` (uint8 ``[N, 1 | 3, H, W]``) as grey or RGB.

    Raises:
        DataError: ``channels`` is neither 1 nor 3.
    """
    check_channels(channels, name)
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    weights = torch.tensor(_GREY).view(1, 3, 1, 1)
    return (images.float() * weights).sum(1, keepdim=True).round_().to(torch.uint8)


def check_channels(channels: int, name: str) -> None:
    """Refuses what no reader makes.

    Raises:
        DataError: ``channels`` is neither 1 nor 3.
    """
    if channels not in (1, 3):
        raise DataError(f"{name}: pictures are read with 1 channel (grey) or 3 (RGB), not {channels}.")


def fit_square(images: Tensor, size: int) -> Tensor:
    """uint8 ``[N, C, H, W]`` scaled so that the shorter side is ``size``, then cropped around the centre."""
    height, width = images.shape[-2:]
    if (height, width) == (size, size):
        return images
    scaled = (max(size, round(height * size / min(height, width))), max(size, round(width * size / min(height, width))))
    top, left = (scaled[0] - size) // 2, (scaled[1] - size) // 2
    done: list[Tensor] = []
    for chunk in torch.split(images, _CHUNK):
        resized = F.interpolate(chunk.float(), size=scaled, mode="bicubic", antialias=True).round_().clamp_(0, 255)
        done.append(resized[..., top : top + size, left : left + size].to(torch.uint8))
    return torch.cat(done)
