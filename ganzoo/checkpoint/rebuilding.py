"""Tensors and plain containers from the inert records of a pickle, by an exact list of what a record may mean."""

import struct
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo.checkpoint.allowance import Allowance
from ganzoo.checkpoint.array_tensors import ArrayTensors
from ganzoo.checkpoint.audit import DTYPES, INERT, NESTED, PERSISTENCE, TABLES, TF_NETWORKS
from ganzoo.checkpoint.modules import Names, is_module, module_state, persistent_object
from ganzoo.checkpoint.pickle_state import MAX_DEPTH, PERSISTENT, Blob, Data, Record
from ganzoo.checkpoint.plain_values import PlainValues, table_of
from ganzoo.checkpoint.storages import FileStorages, Storage, is_size
from ganzoo.checkpoint.tf_networks import is_tf_network, tf_network_state
from ganzoo.checkpoint.wording import printable, printable_shape
from ganzoo.errors import CheckpointError, CorruptFileError

MAX_DIMENSIONS = 64
_NUMBERS = {
    **{"f2": "e", "f4": "f", "f8": "d", "b1": "?"},
    **{"i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q"},
}
_LATIN = {"latin1", "latin-1"}


class Rebuilder:
    """Turns the value of one pickle into tensors and containers.

    OrderedDicts come back as dicts, parameters as plain tensors, NumPy scalars as numbers; what the list calls inert stays a
    `Record`. What was one object in the pickle is one object afterwards, a list within itself included.

    Args:
        path: The file, for messages.
        data: What the pickle is in.
        storages: Where the data of its tensors is.
        classes: Names of modules' classes; a module becomes its state dict.
        nested: Reads a storage that is a file of ``torch.save`` of its own; None where there is no such thing.
    """

    def __init__(
        self,
        path: Path,
        data: Data,
        storages: FileStorages,
        classes: Collection[str] = (),
        nested: Callable[[Blob | bytes], Storage] | None = None,
    ) -> None:
        self._path, self._storages, self._classes, self._nested = path, storages, classes, nested
        self._arrays = ArrayTensors(data, storages)
        self._most = Allowance.of(path.stat().st_size)
        self._values = PlainValues(self._number, self._arrays.tensor, self._most.values)
        self._names = Names(self._most.names)
        self._spent = 0
        self._done: dict[int, Any] = {}  # by identity; the pickle's value keeps them all alive
        self._open: set[int] = set()
        self._tensors = 0
        self._builders: dict[str, Callable[[tuple[Any, ...]], Any]] = {
            "collections.OrderedDict": _ordered,
            "collections.Counter": _ordered,
            **dict.fromkeys(TABLES, _ordered),
            "builtins.complex": lambda args: complex(*(float(part) for part in args)),
            "builtins.bytes": _literal_bytes,
            "builtins.bytearray": _literal_bytes,
            "_codecs.encode": _literal_bytes,
            "numpy.dtype": lambda args: args[0],
            "torch.Size": lambda args: torch.Size(self._sizes(args[0])),
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_tensor_v3": self._tensor_v3,
            "torch._utils._rebuild_parameter": self._parameter,
            "torch._utils._rebuild_parameter_with_state": self._parameter,
            "torch._tensor._rebuild_from_type_v2": self._of_type,
            NESTED: self._nested_storage,
        }

    def rebuild(self, value: Any, depth: int = 0) -> Any:
        """What ``value`` means.

        Raises:
            CorruptFileError: a record makes no sense, claims bytes that are not there, or the whole is nested absurdly.
            CheckpointError: a tensor of a kind that is not read.
        """
        if not isinstance(value, list | tuple | dict | Record):
            return value
        if id(value) in self._done:
            return self._done[id(value)]
        if depth > MAX_DEPTH or id(value) in self._open:
            raise self._damaged(f"what it holds is nested more than {MAX_DEPTH} deep")
        if len(self._done) > self._most.objects:
            raise self._damaged(f"it holds more than {self._most.objects} objects")
        self._open.add(id(value))
        if isinstance(value, list):
            made: Any = self._done.setdefault(id(value), [])
            self._open.discard(id(value))  # a list or dict may hold itself
            made.extend(self.rebuild(item, depth + 1) for item in value)
        elif isinstance(value, dict):
            made = self._done.setdefault(id(value), {})
            self._open.discard(id(value))
            made.update((key, self.rebuild(item, depth + 1)) for key, item in value.items())
        elif isinstance(value, tuple):
            made = tuple(self.rebuild(item, depth + 1) for item in value)
        else:
            made = self._record(value, depth + 1)
        self._open.discard(id(value))
        self._done[id(value)] = made
        return made

    def _record(self, record: Record, depth: int) -> Any:
        if record.name == PERSISTENT:
            return self._storages.claimed((record.args or (None,))[0])
        if record.args is None:
            short = record.name.removeprefix("torch.")
            return getattr(torch, short, record) if short in DTYPES else record
        if record.name in self._classes or record.name == PERSISTENCE or record.name in TF_NETWORKS:
            return self._network(record, depth)
        if record.name.endswith(".multiarray.scalar"):
            return self._number(record, depth)
        if record.name in INERT:
            return record
        self._spend(sys.getsizeof(record.args))  # many calls may share one tuple of arguments
        args = tuple(self.rebuild(arg, depth) for arg in record.args)
        made = self._with_items(self._built(record.name, args), record, depth)
        if isinstance(made, dict | bytes):  # copies of what many calls may share
            self._spend(sys.getsizeof(made))
        return made

    def _spend(self, memory: int) -> None:
        self._spent += memory
        if self._spent > self._most.memory:
            raise self._damaged("its calls would take absurdly much memory")

    def _number(self, record: Record, depth: int = 0) -> Any:
        return _numpy_scalar(record, tuple(self.rebuild(arg, depth) for arg in record.args or ()))

    def _built(self, name: str, args: tuple[Any, ...]) -> Any:
        builder = self._builders.get(name)
        if builder is None:
            raise self._damaged(f"it uses {printable(name)} in a way that torch.save does not")
        try:
            return builder(args)
        except (ValueError, TypeError, IndexError, AttributeError, OverflowError, RuntimeError) as e:
            raise self._damaged(f"a call of {printable(name)} makes no sense") from e

    def _with_items(self, made: Any, record: Record, depth: int) -> Any:
        if isinstance(made, dict):  # its state is `_metadata`, the version of each module's layout
            self._done[id(record)] = made
            entries = table_of(record) if record.name in TABLES else record.entries
            made.update((key, self.rebuild(item, depth)) for key, item in (entries or {}).items())
        changed = record.items or (record.entries and not isinstance(made, dict))
        if changed or (record.state is not None and not isinstance(made, dict) and record.name != "numpy.dtype"):
            raise self._damaged(f"it changes a value of {printable(record.name)} in a way that torch.save does not")
        return made

    # --- networks ---

    def _network(self, record: Record, depth: int) -> Any:
        """Its state dict; an object that is no network stays a record."""
        name, state = persistent_object(record) or (record.name, record.state)

        def rebuild(value: Any) -> Any:
            return self.rebuild(value, depth)

        try:
            if record.name in TF_NETWORKS and is_tf_network(state):
                program = TF_NETWORKS[record.name]
                return tf_network_state(program, state, rebuild, self._arrays, self._values, self._names)
            if record.name not in TF_NETWORKS and is_module(state):
                return module_state(name, state, rebuild, self._values, self._names)
        except ValueError as e:
            raise self._damaged(f"{printable(e, 200)} (an object of {printable(name)})") from e
        return record

    # --- tensors ---

    def _nested_storage(self, args: tuple[Any, ...]) -> Storage:
        (blob,) = args
        if self._nested is None or not isinstance(blob, Blob | bytes):
            raise TypeError
        return self._nested(blob)

    def _parameter(self, args: tuple[Any, ...]) -> Tensor:
        if not isinstance(args[0], Tensor):
            raise self._damaged("a parameter is no tensor")
        return args[0]

    def _of_type(self, args: tuple[Any, ...]) -> Any:
        """A tensor with attributes of its own, which are left out."""
        function, cls, arguments, _ = args
        if cls.name not in ("torch.Tensor", "torch.nn.parameter.Parameter") or not isinstance(arguments, tuple):
            raise TypeError
        return self._built(function.name, arguments)

    def _tensor_v3(self, args: tuple[Any, ...]) -> Tensor:
        storage, offset, size, stride, _, _, dtype, *metadata = args
        return self._tensor((Storage(storage.data, dtype), offset, size, stride, None, None, *metadata))

    def _tensor(self, args: tuple[Any, ...]) -> Tensor:
        storage, offset, size, stride, *rest = args
        if not isinstance(storage, Storage) or not isinstance(storage.dtype, torch.dtype) or not is_size(offset):
            raise TypeError
        if len(rest) > 2 and rest[2]:
            raise CheckpointError(f"{self._path} holds a conjugated or negated view, which is not read.")
        size, stride = self._sizes(size), self._sizes(stride)
        self._check_extent(size, stride, offset, storage)
        self._tensors += 1
        if self._tensors > self._most.tensors:
            raise self._damaged(f"it has more than {self._most.tensors} tensors")
        return torch.empty(0, dtype=storage.dtype).set_(storage.data, offset, size, stride)

    def _sizes(self, sizes: Any) -> tuple[int, ...]:
        if not isinstance(sizes, tuple) or len(sizes) > MAX_DIMENSIONS or not all(map(is_size, sizes)):
            raise self._damaged("a shape makes no sense")
        return sizes

    def _check_extent(self, size: tuple[int, ...], stride: tuple[int, ...], offset: int, storage: Storage) -> None:
        """Every element lies within the storage, and there are not more elements than the storage has."""
        if len(size) != len(stride):
            raise self._damaged("a tensor has a shape and strides of different length")
        there = storage.data.nbytes() // storage.dtype.itemsize
        if 0 in size:
            end = elements = 0
        else:
            end = 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
            elements = 1
            for n in size:
                elements *= n
                if elements > there:
                    break
        if offset + end > there or elements > there:
            raise CorruptFileError(
                f"{self._path} is damaged: a tensor of shape {printable_shape(size)} claims bytes outside its storage, which "
                f"has {there} elements.",
                hint="If it is an expanded view, make it contiguous before saving it.",
            )

    def _damaged(self, problem: str) -> CorruptFileError:
        return CorruptFileError(f"{self._path} is damaged: {problem}.")


def _ordered(args: tuple[Any, ...]) -> dict[Any, Any]:
    """From nothing, from a dict, or from a list of pairs as Python 2 wrote them."""
    pairs = args[0] if args else {}
    if isinstance(pairs, dict):
        return dict(pairs)
    if len(args) == 1 and isinstance(pairs, list) and all(isinstance(key, str) for key, _ in pairs):
        return dict(pairs)
    raise TypeError


def _literal_bytes(args: tuple[Any, ...]) -> bytes | Blob:
    """The ways in which protocol 2 writes bytes: nothing, a text with its encoding, or plain bytes."""
    if not args:
        return b""
    value, *encoding = args
    if len(encoding) == 1 and encoding[0] in _LATIN and isinstance(value, str | Blob):
        return value.encode("latin-1") if isinstance(value, str) else value
    if isinstance(value, bytes | Blob) and not encoding:
        return value
    raise TypeError


def _numpy_scalar(record: Record, args: tuple[Any, ...]) -> Any:
    """The number, or the record where it is something else (a date, a structure)."""
    dtype = record.args[0] if record.args else None
    state = dtype.state if isinstance(dtype, Record) and isinstance(dtype.state, tuple) else ()
    code, raw = (*args, None, None)[:2]
    form = _NUMBERS.get(code) if isinstance(code, str) else None
    raw = raw.encode() if isinstance(raw, str) else raw
    order = ">" if len(state) > 1 and state[1] == ">" else "<"
    if form is None or not isinstance(raw, bytes) or len(raw) != struct.calcsize(order + form):
        return record
    return struct.unpack(order + form, raw)[0]
