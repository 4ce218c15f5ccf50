"""Runs a network's constructor without computing its random initial values, and knows exactly which values that leaves unknown.

Inside `skip_initialisation`, memory that nobody has written is *unknown*, and so is everything derived from it: random fills do
nothing, an operation on unknown values only allocates its result, and a deterministic fill makes its target known again. What
does not depend on unknown values (``zeros``, ``arange``, a filter computed from constants) is computed as usual, and so is what
is drawn from a generator that the constructor seeded itself.

Who refers to unknown memory does not matter: whether it is in use can be asked of the memory itself, so that no container,
closure or cache has to be known here. A value must not leave unseen for that, so whatever shows a tensor's bytes stops the
constructor. Only what reads memory behind torch's back would go unnoticed: an extension in C, a copy of a bare DLPack capsule.
"""

import contextlib
import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

_aten = torch.ops.aten
_ALLOCATE = frozenset(
    {_aten.empty, _aten.new_empty, _aten.empty_like, _aten.empty_strided, _aten.new_empty_strided, _aten.resize_}
)
_FILL = frozenset(  # they do not read what they write to
    {
        _aten.zero_,
        _aten.fill_,
        _aten.copy_,
        _aten.normal_,
        _aten.uniform_,
        _aten.random_,
        _aten.bernoulli_,
        _aten.exponential_,
        _aten.log_normal_,
        _aten.cauchy_,
        _aten.geometric_,
    }
)
_TO_PYTHON = frozenset(  # not seen as operations
    {
        Tensor.numpy,
        Tensor.tolist,
        Tensor.__array__,
        Tensor.__dlpack__,
        Tensor.__cuda_array_interface__.__get__,
        Tensor.apply_,
        Tensor.map_,
        Tensor.map2_,
        Tensor.data_ptr,
        Tensor.storage,
        Tensor._typed_storage,
        Tensor.untyped_storage,
    }
)


class RandomValueUsed(BaseException):
    """A constructor looked at a value that was never computed: a signal to build the usual way, not for it to handle."""


_Memory = dict[int, torch.UntypedStorage]


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a tensor was, without keeping it there."""

    address: int
    nbytes: int
    device: torch.device
    dtype: torch.dtype
    geometry: tuple[Any, ...]  # offset, size and stride

    @classmethod
    def of(cls, tensor: Tensor) -> "_Place":
        memory, geometry = tensor.untyped_storage(), (tensor.storage_offset(), tensor.size(), tensor.stride())
        return cls(memory._cdata, memory.nbytes(), tensor.device, tensor.dtype, geometry)

    def tensor(self, memory: _Memory) -> Tensor:
        """There, or in a piece of memory of that size."""
        if self.address not in memory:
            memory[self.address] = torch.empty(self.nbytes, dtype=torch.uint8, device=self.device).untyped_storage()
        return torch.empty(0, dtype=self.dtype, device=self.device).set_(memory[self.address], *self.geometry)


@dataclass(frozen=True, eq=False)
class _Step:
    """An operation that was left out; places stand for the unknown tensors."""

    func: Any
    args: Any
    kwargs: Any
    results: list[_Place]  # where to put what it returns; none for one that writes to an argument
    reads: set[int]
    writes: set[int]

    def do(self, memory: _Memory) -> None:
        args, kwargs = tree_map_only(_Place, lambda place: place.tensor(memory), (self.args, self.kwargs))
        found = self.func(*args, **kwargs)
        for place, tensor in zip(self.results, _tensors(found), strict=False):
            place.tensor(memory).copy_(tensor)


class Unknown:
    """The memory whose values are unknown.

    It is not held on to: what the constructor drops is freed. Only its address stays reserved, so that no later memory can be
    mistaken for it.
    """

    def __init__(self) -> None:
        self.refused: str | None = None  # why the values are needed
        self._own: dict[int, StorageWeakRef] = {}
        self._marked: set[int] = set()
        self._steps: list[_Step] = []

    def __contains__(self, tensor: Tensor) -> bool:
        return _address(tensor) in self._marked

    def own(self, result: object) -> None:
        """The memory of the tensors in ``result`` was allocated under our eyes: nobody else expects anything of it."""
        for tensor in _tensors(result):
            address = _address(tensor)
            if address is not None and address not in self._own:
                self._own[address] = StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]

    def disown(self, tensor: Tensor) -> None:
        """The memory of ``tensor`` can be seen from elsewhere from now on."""
        self._own.pop(_address(tensor) or 0, None)

    def add(self, tensor: Tensor) -> None:
        """Marks the whole memory of ``tensor``."""
        address = _address(tensor)
        if address is None or address not in self._own:
            self.refuse("a random value is written to memory that others can see")
        self._marked.add(address)

    def leave_out(self, func: Any, args: Any, kwargs: Any, *, written: list[Tensor], results: list[Tensor]) -> None:
        """Marks what ``func`` would have written to or returned."""
        for tensor in written + results:
            self.add(tensor)
        reads = [tensor for tensor in _tensors((args, kwargs)) if tensor in self]
        args, kwargs = tree_map_only(Tensor, lambda tensor: _Place.of(tensor) if tensor in self else tensor, (args, kwargs))
        writes = [_Place.of(tensor).address for tensor in written + results]
        places = [_Place.of(tensor) for tensor in results]
        self._steps.append(_Step(func, args, kwargs, places, {_Place.of(tensor).address for tensor in reads}, set(writes)))

    def discard(self, tensor: Tensor) -> None:
        """The memory of ``tensor`` is known from now on."""
        self._marked.discard(_address(tensor) or 0)

    def among(self, values: object) -> bool:
        """Whether any tensor in nested containers is unknown."""
        return any(tensor in self for tensor in _tensors(values))

    def refuse(self, reason: str) -> NoReturn:
        """Stops the constructor.

        Raises:
            RandomValueUsed: always.
        """
        self.refused = reason
        raise RandomValueUsed(reason)

    def survives(self) -> bool:
        """Whether anything at all still refers to unknown memory."""
        return bool(self._alive())

    def settle(self) -> None:
        """Computes after all what is still in use, in a cache of the class for example.

        Random numbers come from a stream of their own: the global random state is left alone.
        """
        if self.survives():
            gc.collect()  # networks often refer to themselves
        memory = self._alive()
        needed, steps = set(memory), []
        for step in reversed(self._steps):
            if step.writes & needed:
                steps.append(step)
                needed |= step.reads
        if steps:
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(torch.initial_seed() ^ 1)
                for step in reversed(steps):
                    step.do(memory)
        self._marked.clear()

    def _alive(self) -> _Memory:
        found = {address: torch.UntypedStorage._new_with_weak_ptr(address) for address in self._marked}
        return {address: memory for address, memory in found.items() if memory is not None and memory.nbytes()}


@contextlib.contextmanager
def skip_initialisation(unknown: Unknown) -> Iterator[None]:
    """Inside the block, random values are not computed; ``unknown`` notes what is. Holds for the calling thread only.

    Raises:
        RandomValueUsed: the code inside needs a random value to go on, whatever it made of hearing so.
    """
    with _Operations(unknown), _PythonLevel(unknown):
        try:
            yield
        except Exception:
            if unknown.refused is None:
                raise
    if unknown.refused is not None:
        raise RandomValueUsed(unknown.refused)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # its class hook is not annotated
    def __init__(self, unknown: Unknown) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.unknown = unknown
        self.random_state = torch.get_rng_state()

    def dispatch(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Does ``func``, or as much of it as can be done without knowing the values."""
        with torch._C.DisableTorchFunction():  # for what is asked of tensors here
            return self._done(func, args, kwargs or {})

    def _done(self, func: Any, args: Any, kwargs: Any) -> Any:
        packet, written = func.overloadpacket, _written(func, args, kwargs)
        drawn = torch.Tag.nondeterministic_seeded in func.tags
        skipped = drawn and self._from_global_state(kwargs)
        if packet in _ALLOCATE:
            result = func(*args, **kwargs)
            if packet is not _aten.resize_:
                self.unknown.own(result)
            self.unknown.add(result)
            return result
        if not skipped and not self.unknown.among((args[1:], kwargs) if packet in _FILL else (args, kwargs)):
            return self._computed(func, args, kwargs)
        if drawn and not skipped:
            self.unknown.refuse(f"{func} draws from a state of the constructor's own, depending on random values")
        if _only_views(func):
            return func(*args, **kwargs)
        if written:
            return self._left_unwritten(func, args, kwargs, written)
        if packet is _aten._local_scalar_dense and args[0].dtype == torch.bool and _asked_by_initialiser():
            return False  # "is any draw to be repeated?"
        return self._allocated(func, args, kwargs)

    def _from_global_state(self, kwargs: Any) -> bool:
        """Whether a draw is from the state that the constructor found, so that it can expect no particular values."""
        return kwargs.get("generator") is None and torch.equal(torch.get_rng_state(), self.random_state)

    def _computed(self, func: Any, args: Any, kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        if all(returned.alias_info is None for returned in func._schema.returns):
            self.unknown.own(result)
        if func.overloadpacket in _FILL and args[0] in self.unknown:
            self.unknown.leave_out(func, args, kwargs, written=[args[0]], results=[])  # to be repeated in its turn
            if _covers_its_memory(args[0]):
                self.unknown.discard(args[0])
        return result

    def _left_unwritten(self, func: Any, args: Any, kwargs: Any, written: list[Tensor]) -> Tensor:
        if len(written) > 1 or len(func._schema.returns) != 1:
            self.unknown.refuse(f"{func} writes several tensors")
        self.unknown.leave_out(func, args, kwargs, written=written, results=[])
        return written[0]

    def _allocated(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Fresh unknown tensors of the shapes that ``func`` would return."""
        inputs = _tensors((args, kwargs))
        device = kwargs.get("device") or (inputs[0].device if inputs else torch.get_default_device())
        described = {**kwargs, "device": "meta", "pin_memory": None} if "device" in kwargs or not inputs else kwargs
        try:
            shapes = func(*tree_map_only(Tensor, _meta, args), **tree_map_only(Tensor, _meta, described))
        except Exception as e:  # noqa: BLE001  a shape that depends on values, a number, no shape rule
            self.unknown.refuse(f"{func}: {e}")
        if not all(isinstance(leaf, Tensor) and leaf.layout is torch.strided for leaf in [*inputs, *tree_leaves(shapes)]):
            self.unknown.refuse(f"{func} returns a number, or has to do with sparse tensors")
        result = tree_map_only(
            Tensor, lambda t: torch.empty_strided(t.size(), t.stride(), dtype=t.dtype, device=device), shapes
        )
        self.unknown.own(result)
        self.unknown.leave_out(func, args, kwargs, written=[], results=_tensors(result))
        return result


# Set from outside: torch wraps a method of this name in the class body with something that imports its compiler (1.6 s).
_Operations.__torch_dispatch__ = _Operations.dispatch  # type: ignore[assignment,method-assign]


class _PythonLevel(TorchFunctionMode):
    """Sees values that leave for Python without an operation."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__()
        self.unknown = unknown

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _TO_PYTHON:
            if args[0] in self.unknown:
                self.unknown.refuse(f"{func.__name__} of a random value")
            self.unknown.disown(args[0])
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


def _address(tensor: Tensor) -> int | None:
    """Of its memory, as torch tells one piece from another; None for a tensor that is made of others, as sparse ones are."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except NotImplementedError:
        return None


def _tensors(values: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def _meta(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device="meta")


def _written(func: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """The arguments that ``func`` writes to."""
    written: list[Tensor] = []
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = kwargs.get(argument.name, args[i] if i < len(args) else None)
            written += _tensors(value)
    return written


def _only_views(func: Any) -> bool:
    """Whether ``func`` looks at shapes alone and its result shares the memory of its argument."""
    aliases = [returned.alias_info for returned in func._schema.returns]
    if torch.Tag.inplace_view in func.tags or func.overloadpacket is _aten.set_:
        return True
    return any(alias is not None and not alias.is_write for alias in aliases)


def _covers_its_memory(tensor: Tensor) -> bool:
    return tensor.numel() * tensor.element_size() >= tensor.untyped_storage().nbytes()
