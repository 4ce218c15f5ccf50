"""NumPy arrays in a pickle as tensors: mapped into memory where PyTorch can use their bytes as they stand."""

import math
import mmap

import torch
from torch import Tensor

from ganzoo.checkpoint.array_records import ArrayRecord, content, described, numbers
from ganzoo.checkpoint.pickle_state import Blob, Data
from ganzoo.checkpoint.storages import FileStorages, Region


class ArrayTensors:
    """Makes the tensors of one file; what has to be copied is together never larger than the file.

    Args:
        data: What the pickle is in. Of a mapped file bytes are used where they are.
        storages: Of the same file.
    """

    def __init__(self, data: Data, storages: FileStorages) -> None:
        self._data, self._storages, self._left = data, storages, len(data)

    def tensor(self, record: object) -> Tensor:
        """The array that a record describes.

        Raises:
            ValueError: it describes none of plain numbers, or its bytes do not fit.
        """
        array = described(record)
        mapped = self._mapped(array)
        if mapped is not None:
            return mapped
        raw = content(array.raw, self._data)
        self._left -= len(raw)
        if self._left < 0:
            raise ValueError("the arrays are larger than the file")
        return torch.from_numpy(numbers(array, raw))

    def _mapped(self, array: ArrayRecord) -> Tensor | None:
        """The array without a copy; None where it needs one."""
        raw, native = array.raw, array.dtype.newbyteorder("=") == array.dtype
        if not isinstance(raw, Blob) or raw.text or not native or not isinstance(self._data, mmap.mmap):
            return None
        if array.dtype.kind == "b":  # any byte is true there, and only one of them is here
            return None
        dtype = getattr(torch, array.dtype.name)
        elements = math.prod(array.shape)
        if elements * dtype.itemsize != raw.size:
            return None  # the copy tells what is wrong
        storage = self._storages.part(Region(raw.start, raw.size), dtype.itemsize)
        flat: Tensor = torch.empty(0, dtype=dtype).set_(storage, 0, (elements,), (1,))
        if not array.fortran:
            return flat.reshape(array.shape)
        return flat.reshape(array.shape[::-1]).permute(*reversed(range(len(array.shape))))
