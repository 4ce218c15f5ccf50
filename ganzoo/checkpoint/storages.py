"""The bytes of a file's tensors: which part of the file each storage is, mapped into memory when first asked for."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from ganzoo.checkpoint.audit import STORAGES
from ganzoo.checkpoint.pickle_state import Record
from ganzoo.checkpoint.wording import printable
from ganzoo.errors import CheckpointError, CorruptFileError


@dataclass(frozen=True)
class Region:
    """Part of a file: where it begins and how many bytes it has."""

    offset: int
    size: int


@dataclass(frozen=True)
class Claim:
    """What a pickle says of a storage.

    Attributes:
        key: Its name in the file.
        dtype: Of its elements.
        elements: How many.
        view: For a part of it: the first element and how many.
    """

    key: str
    dtype: torch.dtype
    elements: int
    view: tuple[int, int] | None = None


@dataclass(frozen=True)
class Storage:
    """The bytes of a storage, private to this process (copy on write), and the dtype that the pickle gives them."""

    data: torch.UntypedStorage
    dtype: torch.dtype


def is_size(value: object) -> bool:
    """Whether it is a number that can count bytes or elements."""
    return type(value) is int and 0 <= value < 2**63


def read_claim(path: Path, key: object) -> Claim:
    """What a persistent id says: ``("storage", class, key, device, elements)``, in the legacy format with a view.

    Raises:
        CorruptFileError: it is no such tuple.
    """
    parts = key if isinstance(key, tuple) else ()
    if len(parts) not in (5, 6) or parts[0] != "storage" or not isinstance(parts[2], str):
        raise CorruptFileError(f"{path} is damaged: it refers to data in a way that torch.save does not.")
    _, cls, name, _, elements, *views = parts
    view = _view(views[0]) if views and views[0] is not None else None
    kind = cls.name if isinstance(cls, Record) and cls.args is None else ""
    dtype = STORAGES.get(kind.removeprefix("torch.").removeprefix("cuda.").removeprefix("storage.").removesuffix("Storage"))
    if dtype is None or not is_size(elements) or (view is None and views and views[0] is not None):
        raise CorruptFileError(f"{path} is damaged: the storage '{printable(name)}' is described in a way that makes no sense.")
    return Claim(name, getattr(torch, dtype), elements, view)


def _view(value: object) -> tuple[int, int] | None:
    if isinstance(value, tuple) and len(value) == 3 and is_size(value[1]) and is_size(value[2]):
        return value[1], value[2]
    return None


class FileStorages:
    """The storages of one file. Each is mapped once, so that tensors which share one go on sharing it.

    Args:
        path: The file.
        regions: Where the bytes of each storage are, already checked against the file's size.
        content: What the regions are parts of, where that is not the file as it is on the disk.
    """

    def __init__(self, path: Path, regions: Mapping[str, Region], content: bytes | None = None) -> None:
        self._path, self._regions, self._content = path, regions, content
        self._made: dict[Region, torch.UntypedStorage] = {}

    def claimed(self, key: object) -> Storage:
        """The storage that a persistent id means.

        Raises:
            CorruptFileError: the file has no such storage, or one of another size.
        """
        claim = read_claim(self._path, key)
        return self.at(claim, self._regions.get(claim.key))

    def at(self, claim: Claim, region: Region | None) -> Storage:
        """The storage of a claim that was already read, in that part of the file.

        Raises:
            CorruptFileError: the file has no such storage, or one of another size.
        """
        width = claim.dtype.itemsize
        if region is None or claim.elements * width != region.size:
            there = "no such data" if region is None else f"{region.size} bytes"
            raise CorruptFileError(
                f"{self._path} is damaged: the storage '{printable(claim.key)}' should have {claim.elements} elements of "
                f"{width} bytes, but the file has {there}."
            )
        data = self.part(region, width)
        if claim.view is None:
            return Storage(data, claim.dtype)
        start, count = claim.view
        if start + count > claim.elements:
            raise CorruptFileError(f"{self._path} is damaged: a view reaches beyond the storage '{printable(claim.key)}'.")
        return Storage(data[start * width : (start + count) * width], claim.dtype)

    def part(self, region: Region, width: int) -> torch.UntypedStorage:
        """The bytes of a part of the file that holds numbers of ``width`` bytes."""
        if region not in self._made:
            data = self._whole[region.offset : region.offset + region.size] if region.size else torch.UntypedStorage(0)  # type: ignore[no-untyped-call]
            # The legacy format puts bytes anywhere; processors want numbers at multiples of their size.
            self._made[region] = data.clone() if region.offset % width else data
        return self._made[region]

    @cached_property
    def _whole(self) -> Any:
        if self._content is not None:
            return torch.frombuffer(bytearray(self._content), dtype=torch.uint8).untyped_storage()
        name = os.fspath(self._path)
        try:
            return torch.UntypedStorage.from_file(name, False, self._path.stat().st_size)
        except UnicodeEncodeError as e:
            raise CheckpointError(f"{self._path} has a name that is no valid text.", hint="Rename it.") from e
        except (RuntimeError, OSError) as e:
            raise CheckpointError(f"{self._path} cannot be mapped into memory: {printable(e, 200)}.") from e
