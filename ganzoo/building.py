"""Networks from their class, arguments and weights, without the random initialisation that loading would throw away."""

import contextlib
import copy
import functools
import inspect
import itertools
import json
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.parameter import is_lazy

from ganzoo.errors import CheckpointError, ConfigError, PluginError
from ganzoo.models.network import Network
from ganzoo.nn.uninitialised import RandomValueUsed, Unknown, skip_initialisation
from ganzoo.spec import Architecture, Role
from ganzoo.targets import import_target

N = TypeVar("N", bound=Network)
_SHOWN = 5


def network_class(architecture: Architecture, role: Role) -> type[Network]:
    """The class of one of an architecture's networks, imported.

    Raises:
        MissingExtraError: it needs an extra that is not installed.
        PluginError: the architecture has no such network, or its class cannot be imported or is no `Network`.
    """
    what = f"The architecture '{architecture.id}'"
    target = architecture.networks.get(role)
    if target is None:
        raise PluginError(f"{what} has no {role}; it has: {', '.join(architecture.networks)}.")
    found = import_target(target, what, architecture.extra)
    if not (isinstance(found, type) and issubclass(found, Network)):
        raise PluginError(f"{what} names '{target}', which is no class derived from ganzoo.models.Network.")
    return found


def build(
    cls: type[N],
    config: Mapping[str, Any],
    state: Mapping[str, Tensor],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    random_buffers: bool = False,
) -> N:
    """``cls(**config)`` in evaluation mode, holding the tensors of ``state`` themselves where device and dtype allow it.

    The constructor runs without drawing or computing anything random, so that neither time nor memory is spent on values that
    ``state`` replaces. Afterwards all that memory must be out of use. Where it is not, because such a value survives (in a
    buffer that no checkpoint holds, say) or because anything else refers to a tensor that is replaced, the network is built the
    usual way: initialised, then copied into. So it is where a tensor is more than its values: where it has attributes, hooks, a
    class or strides of its own, or shares memory.

    The constructor may thus run twice. What it keeps outside of the network meanwhile (a cache of its class) gets real values,
    drawn from a stream of their own, before this returns; another thread must not use it earlier.

    Args:
        cls: The network's class.
        config: Its constructor arguments.
        state: One tensor for every entry of its state dict. Of tied weights one name is enough.
        device: Where to put it.
        dtype: Of its floating-point tensors; None keeps the network's own, whatever dtype the file has.
        random_buffers: Build the usual way at once.

    Raises:
        ConfigError: arguments that ``cls`` does not take, or that do not fit together.
        CheckpointError: ``state`` has missing, unexpected or wrongly shaped entries; the message lists them.
    """
    network = None if random_buffers else _assembled(cls, config, state, dtype)
    if network is None:
        network = construct(cls, config)
        load_state(network, state, dtype=dtype, assign=False)
    return network.to(device).eval()


def build_random(cls: type[N], config: Mapping[str, Any], *, seed: int) -> N:
    """``cls(**config)`` freshly initialised from ``seed``, in training mode, on the CPU. The global random state is left alone.

    Raises:
        ConfigError: arguments that ``cls`` does not take, or that do not fit together.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return construct(cls, config)


class Skeleton(NamedTuple):
    """What a network is made of: its complete arguments, and the shapes of its state dict."""

    config: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]


def skeleton(cls: type[Network], config: Mapping[str, Any]) -> Skeleton:
    """What ``cls(**config)`` is made of; cheap, whatever its size. The global random state is left alone.

    Raises:
        ConfigError: arguments that ``cls`` does not take, or that do not fit together.
    """
    try:
        told = json.dumps(config, sort_keys=True)
    except (TypeError, ValueError):  # no JSON: `construct` says what is wrong with it
        return _built(cls, config)
    found = _measured(cls, told)
    return Skeleton(copy.deepcopy(found.config), dict(found.shapes))


@functools.lru_cache(maxsize=16)  # recognising one checkpoint asks for the same few again and again
def _measured(cls: type[Network], config: str) -> Skeleton:
    return _built(cls, json.loads(config))


def _built(cls: type[Network], config: Mapping[str, Any]) -> Skeleton:
    unknown = Unknown()
    with torch.random.fork_rng(devices=[]):
        try:
            with contextlib.suppress(RandomValueUsed), skip_initialisation(unknown):
                return _described(construct(cls, config))
        finally:
            unknown.settle()
        return _described(construct(cls, config))


def _described(network: Network) -> Skeleton:
    return Skeleton(network.config, _shapes(network.state_dict(keep_vars=True)))


def construct(cls: type[N], config: Mapping[str, Any]) -> N:
    """``cls(**config)``, with errors for people.

    Raises:
        ConfigError: arguments that ``cls`` does not take, or that do not fit together.
    """
    try:
        inspect.signature(cls.__init__).bind(None, **config)
    except TypeError as e:
        known = ", ".join(list(inspect.signature(cls.__init__).parameters)[1:])
        raise ConfigError(f"{cls.__name__} cannot be built: {e}.", hint=f"Its arguments: {known}.") from e
    try:
        return cls(**config)
    except ConfigError:
        raise
    except (TypeError, ValueError, ArithmeticError, LookupError, RuntimeError, AssertionError, AttributeError) as e:
        given = ", ".join(f"{name}={value!r}" for name, value in config.items())
        raise ConfigError(f"{cls.__name__} cannot be built with {given}: {e}.") from e


def load_state(
    network: nn.Module, state: Mapping[str, Tensor], *, dtype: torch.dtype | None = None, assign: bool = True
) -> None:
    """Gives ``network`` the values of ``state``. Every entry is checked before the first is changed.

    Args:
        network: Where to.
        state: As for `build`.
        dtype: As for `build`.
        assign: Hold the tensors of ``state`` themselves where the dtype is right, instead of copying them.

    Raises:
        CheckpointError: missing, unexpected or wrongly shaped entries, or tied weights that differ.
    """
    ties = _ties(network)
    own = network.state_dict(keep_vars=True)
    complete = _with_ties(state, ties, own)
    _check(type(network).__name__, own, complete)
    ready = {name: _as(complete[name], value, dtype) for name, value in own.items()}
    try:
        network.load_state_dict(ready, strict=True, assign=assign)
    except RuntimeError as e:
        raise CheckpointError(f"{type(network).__name__} refuses these weights: {e}.") from e
    _tie(network, ties)
    if dtype is not None:
        network.to(dtype=dtype)  # after loading, so that values about to be replaced are not converted


def _as(value: Any, own: Any, dtype: torch.dtype | None) -> Any:
    """``value`` in the dtype of ``own``, or in ``dtype`` if that one is floating-point. What is no tensor stays as it is."""
    if not (isinstance(value, Tensor) and isinstance(own, Tensor)):
        return value
    ready = value.detach().to(dtype if dtype is not None and own.is_floating_point() else own.dtype)
    return ready.contiguous() if ready.layout is torch.strided else ready


def differences(own: Mapping[str, tuple[int, ...]], given: Mapping[str, tuple[int, ...]]) -> list[str]:
    """What keeps tensors of the shapes ``given`` from fitting ``own``: a line for each kind of problem, none when they fit."""
    wrong = [n for n in own if n in given and own[n] != given[n]]
    kinds = {
        "missing": [n for n in own if n not in given],
        "unexpected": [n for n in given if n not in own],
        "wrong shape": [f"{n} {list(given[n])} instead of {list(own[n])}" for n in wrong],
    }
    return [f"{kind}: {_some(names)}" for kind, names in kinds.items() if names]


def _some(names: list[str]) -> str:
    shown = [ascii(name[:160])[1:-1] for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _check(what: str, own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    given = _shapes(state)
    wanted = {name: given.get(name, ()) if is_lazy(own[name]) else shape for name, shape in _shapes(own).items()}
    problems = differences(wanted, given)
    problems += [
        f"wrong dtype: {name} {state[name].dtype} instead of {tensor.dtype}"
        for name, tensor in own.items()
        if isinstance(tensor, Tensor)
        and isinstance(state.get(name), Tensor)
        and not torch.can_cast(state[name].dtype, tensor.dtype)
    ]
    if problems:
        raise CheckpointError(f"These weights do not fit {what}.\n  " + "\n  ".join(problems))


def _shapes(values: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Of what has none (a module may add anything to its state, or leave a shape open) the empty one."""
    plain = {name for name, value in values.items() if isinstance(value, Tensor) and not is_lazy(value)}
    return {name: tuple(value.shape) if name in plain else () for name, value in values.items()}


# --- without initialisation -------------------------------------------------------------------------------------------


def _assembled(cls: type[N], config: Mapping[str, Any], state: Mapping[str, Tensor], dtype: torch.dtype | None) -> N | None:
    """The network without initialisation, or None where that would leave something wrong in it."""
    unknown, network = Unknown(), None
    try:
        with contextlib.suppress(RandomValueUsed):
            network = _taken_over(cls, config, state, dtype, unknown)
    finally:
        if network is None:
            unknown.settle()  # what the constructor stored outside the network
    return network


def _taken_over(
    cls: type[N], config: Mapping[str, Any], state: Mapping[str, Tensor], dtype: torch.dtype | None, unknown: Unknown
) -> N | None:
    """The network with ``state``, if no memory that was to be replaced and none that is unknown is in use any more."""
    with skip_initialisation(unknown):
        network = construct(cls, config)
    replaced = network.state_dict(keep_vars=True)
    if not all(_replaceable(value) for value in replaced.values()) or _overlap(replaced):
        return None
    old = [StorageWeakRef(tensor.untyped_storage()) for tensor in replaced.values()]  # type: ignore[no-untyped-call]
    del replaced
    load_state(network, state, dtype=dtype)
    in_use = unknown.survives() or not all(memory.expired() for memory in old)  # type: ignore[no-untyped-call]
    return None if in_use or _overlap(network.state_dict(keep_vars=True)) else network


def _replaceable(tensor: object) -> bool:
    """Whether another tensor of the same values can stand in for ``tensor``: nothing of its own is attached to it."""
    if not isinstance(tensor, Tensor) or type(tensor) not in (Tensor, nn.Parameter):
        return False
    attached = (vars(tensor), tensor._backward_hooks, getattr(tensor, "_post_accumulate_grad_hooks", None))
    if any(attached) or tensor.grad is not None or tensor.layout is not torch.strided or not tensor.is_contiguous():
        return False
    return isinstance(tensor, nn.Parameter) or not tensor.requires_grad


def _overlap(tensors: Mapping[str, Tensor]) -> bool:
    """Whether different tensors show the same memory."""
    plain = [t for t in tensors.values() if isinstance(t, Tensor) and t.layout is torch.strided]
    spans = sorted({(t.data_ptr(), t.data_ptr() + t.nbytes, id(t)) for t in plain})
    return any(following[0] < span[1] for span, following in itertools.pairwise(spans))


# --- tied weights: one tensor under several names ---------------------------------------------------------------------


def _named(network: nn.Module) -> dict[str, Tensor]:
    parameters = network.named_parameters(remove_duplicate=False)
    return {**dict(parameters), **dict(network.named_buffers(remove_duplicate=False))}


def _ties(network: nn.Module) -> list[list[str]]:
    groups: dict[int, list[str]] = {}
    for name, tensor in _named(network).items():
        groups.setdefault(id(tensor), []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _with_ties(state: Mapping[str, Tensor], ties: list[list[str]], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    complete = dict(state)
    for names in ties:
        given = [name for name in names if name in state]
        for name in given[1:]:
            if not torch.equal(state[name], state[given[0]]):
                raise CheckpointError(
                    f"'{given[0]}' and '{name}' are one tensor in this network, but the file has two that differ."
                )
        if given:
            complete.update((name, state[given[0]]) for name in names if name in own)
    return complete


def _tie(network: nn.Module, ties: list[list[str]]) -> None:
    tensors = _named(network)
    for first, *others in ties:
        for name in others:
            path, _, attribute = name.rpartition(".")
            setattr(network.get_submodule(path), attribute, tensors[first])
