"""Runs a network's constructor without computing its random initial values, and knows exactly which values that leaves unknown.

Inside `skip_initialisation`, memory that nobody has written is *unknown*, and so is everything derived from it: random fills do
nothing, an operation on unknown values only allocates its result, and a deterministic fill makes its target known again. What
does not depend on unknown values (``zeros``, ``ones``, ``arange``, a filter computed from constants) is computed as usual.
"""

import contextlib
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

_aten = torch.ops.aten
_ALLOCATE = frozenset(
    {_aten.empty, _aten.new_empty, _aten.empty_like, _aten.empty_strided, _aten.new_empty_strided, _aten.resize_}
)
_FILL = frozenset({_aten.zero_, _aten.fill_, _aten.copy_})
_TO_PYTHON = frozenset({Tensor.numpy, Tensor.tolist, Tensor.__array__})  # not seen as operations


class RandomValueUsed(Exception):  # noqa: N818  not an error: a signal to build the usual way
    """A constructor looked at a value that was never computed."""


class Unknown:
    """The memory whose values are unknown.

    It is held on to, so that no later tensor can be mistaken for it; untouched, it costs no resident memory.
    """

    def __init__(self) -> None:
        self._storages: dict[int, torch.UntypedStorage] = {}

    def __contains__(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._storages

    def add(self, tensor: Tensor) -> None:
        """Marks the whole memory of ``tensor``."""
        storage = tensor.untyped_storage()
        self._storages[storage._cdata] = storage

    def discard(self, tensor: Tensor) -> None:
        """The memory of ``tensor`` is known from now on."""
        self._storages.pop(tensor.untyped_storage()._cdata, None)

    def among(self, values: object) -> bool:
        """Whether any tensor in nested containers is unknown."""
        return any(isinstance(value, Tensor) and value in self for value in tree_leaves(values))


@contextlib.contextmanager
def skip_initialisation() -> Iterator[Unknown]:
    """Inside the block, random values are not computed; yields what is unknown. Holds for the calling thread only.

    Raises:
        RandomValueUsed: the code inside needs a random value to go on.
    """
    unknown = Unknown()
    with _Operations(unknown), _PythonLevel(unknown):
        yield unknown


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # its class hook is not annotated
    def __init__(self, unknown: Unknown) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.unknown = unknown

    def dispatch(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Does ``func``, or as much of it as can be done without knowing the values."""
        kwargs = kwargs or {}
        packet, written = func.overloadpacket, _written(func, args, kwargs)
        if packet in _ALLOCATE:
            result = func(*args, **kwargs)
            self.unknown.add(result)
            return result
        read = (args[1:], kwargs) if packet in _FILL else (args, kwargs)
        if torch.Tag.nondeterministic_seeded not in func.tags and not self.unknown.among(read):
            result = func(*args, **kwargs)
            if packet in _FILL and _covers_its_memory(args[0]):
                self.unknown.discard(args[0])
            return result
        if _only_views(func):
            return func(*args, **kwargs)
        if written:
            return self._left_unwritten(func, written)
        if packet is _aten._local_scalar_dense and args[0].dtype == torch.bool and _asked_by_initialiser():
            return False  # "is any draw to be repeated?"
        return self._allocated(func, args, kwargs)

    def _left_unwritten(self, func: Any, written: list[Tensor]) -> Tensor:
        if len(written) > 1 or len(func._schema.returns) != 1:
            raise RandomValueUsed(f"{func} writes several tensors")
        self.unknown.add(written[0])
        return written[0]

    def _allocated(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Fresh unknown tensors of the shapes that ``func`` would return."""
        inputs = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        device = kwargs.get("device") or (inputs[0].device if inputs else torch.get_default_device())
        if "device" in kwargs or not inputs:
            kwargs = {**kwargs, "device": "meta", "pin_memory": None}
        try:
            shapes = func(*tree_map_only(Tensor, _meta, args), **tree_map_only(Tensor, _meta, kwargs))
        except Exception as e:  # a shape that depends on values, a number asked for, an operation without a shape rule
            raise RandomValueUsed(f"{func}: {e}") from e
        if not all(isinstance(leaf, Tensor) for leaf in tree_leaves(shapes)):
            raise RandomValueUsed(f"{func} returns a number")
        result = tree_map_only(
            Tensor, lambda t: torch.empty_strided(t.size(), t.stride(), dtype=t.dtype, device=device), shapes
        )
        for tensor in tree_leaves(result):
            self.unknown.add(tensor)
        return result


# Set from outside: torch wraps a method of this name in the class body with something that imports its compiler (1.6 s).
_Operations.__torch_dispatch__ = _Operations.dispatch  # type: ignore[assignment,method-assign]


class _PythonLevel(TorchFunctionMode):
    """Sees values that leave for Python without an operation."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__()
        self.unknown = unknown

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _TO_PYTHON and args[0] in self.unknown:
            raise RandomValueUsed(f"{func.__name__} of a random value")
        return func(*args, **(kwargs or {}))


def _asked_by_initialiser() -> bool:
    """Whether a function of `torch.nn.init` looks at the values: some draw again until all of them are in range."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(12):
        if frame is None:
            break
        if frame.f_globals.get("__name__") == "torch.nn.init":
            return True
        frame = frame.f_back
    return False


def _meta(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device="meta")


def _written(func: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """The arguments that ``func`` writes to."""
    written: list[Tensor] = []
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = kwargs.get(argument.name, args[i] if i < len(args) else None)
            written += [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]
    return written


def _only_views(func: Any) -> bool:
    """Whether ``func`` looks at shapes alone and its result shares the memory of its argument."""
    aliases = [returned.alias_info for returned in func._schema.returns]
    if torch.Tag.inplace_view in func.tags or func.overloadpacket is _aten.set_:
        return True
    return any(alias is not None and not alias.is_write for alias in aliases)


def _covers_its_memory(tensor: Tensor) -> bool:
    return tensor.numel() * tensor.element_size() >= tensor.untyped_storage().nbytes()
