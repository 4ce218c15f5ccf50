"""Networks from their class, arguments and weights, without the random initialisation that loading would throw away."""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ganzoo.errors import CheckpointError, ConfigError, PluginError
from ganzoo.models.network import Network
from ganzoo.nn.uninitialised import RandomValueUsed, Unknown, skip_initialisation

N = TypeVar("N", bound=Network)
_SHOWN = 5


def import_class(target: str) -> type[Network]:
    """The network class named ``"module:Class"``.

    Raises:
        PluginError: there is no such module or class, or it is no `Network`.
    """
    module, _, name = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as e:
        raise PluginError(f"The network '{target}' cannot be imported: {e}.") from e
    if not (isinstance(found, type) and issubclass(found, Network)):
        raise PluginError(f"'{target}' is no network: it must be a class derived from ganzoo.models.Network.")
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
    ``state`` replaces. Where such a value would survive (in a buffer that no checkpoint holds, say), or something else in the
    network refers to a tensor that is replaced, this is noticed and the network is built the usual way: initialised, then
    copied into.

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


def skeleton(cls: type[N], config: Mapping[str, Any]) -> N:
    """``cls(**config)`` with arbitrary values, for its names and shapes; cheap, whatever its size.

    Raises:
        ConfigError: arguments that ``cls`` does not take, or that do not fit together.
    """
    try:
        with skip_initialisation():
            return construct(cls, config)
    except RandomValueUsed:
        return construct(cls, config)


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
    except (ConfigError, RandomValueUsed):
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
    wanted = {name: dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype for name, tensor in own.items()}
    ready = {name: complete[name].detach().to(wanted[name]) for name in own}
    try:
        network.load_state_dict(ready, strict=True, assign=assign)
    except RuntimeError as e:
        raise CheckpointError(f"{type(network).__name__} refuses these weights: {e}.") from e
    _tie(network, ties)
    if dtype is not None:
        network.to(dtype=dtype)  # after loading, so that values about to be replaced are not converted


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
    problems = differences(_shapes(own), _shapes(state))
    problems += [
        f"wrong dtype: {name} {state[name].dtype} instead of {tensor.dtype}"
        for name, tensor in own.items()
        if name in state and not torch.can_cast(state[name].dtype, tensor.dtype)
    ]
    if problems:
        raise CheckpointError(f"These weights do not fit {what}.\n  " + "\n  ".join(problems))


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


# --- without initialisation -------------------------------------------------------------------------------------------


def _assembled(cls: type[N], config: Mapping[str, Any], state: Mapping[str, Tensor], dtype: torch.dtype | None) -> N | None:
    """The network without initialisation, or None where that would leave something wrong in it."""
    try:
        with skip_initialisation() as unknown:
            network = construct(cls, config)
    except RandomValueUsed:
        return None
    replaced = list(network.state_dict(keep_vars=True).values())
    if _left_over(network, replaced, unknown):
        return None
    del unknown
    load_state(network, state, dtype=dtype)
    stale = {id(tensor) for tensor in replaced}
    return None if any(id(tensor) in stale for tensor in _held(network)) else network


def _left_over(network: nn.Module, replaced: list[Tensor], unknown: Unknown) -> bool:
    """Whether a tensor stays that was never computed, or that shows the memory of one that is replaced."""
    known = {id(tensor) for tensor in replaced}
    memory = {tensor.untyped_storage()._cdata for tensor in replaced}
    others = [tensor for tensor in _held(network) if id(tensor) not in known]
    return any(tensor in unknown or tensor.untyped_storage()._cdata in memory for tensor in others)


def _held(network: nn.Module) -> Iterator[Tensor]:
    """Every tensor that a module of ``network`` holds: parameters, buffers and plain attributes, also inside plain objects."""
    seen: set[int] = set()
    pending: list[Any] = [vars(module) for module in network.modules()]
    while pending:
        for leaf in tree_leaves(pending.pop()):
            if isinstance(leaf, Tensor):
                yield leaf
            elif hasattr(leaf, "__dict__") and not isinstance(leaf, nn.Module | type) and id(leaf) not in seen:
                seen.add(id(leaf))
                pending.append(dict(vars(leaf)))


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
