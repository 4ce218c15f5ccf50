"""Finds the state dicts in what a checkpoint file holds, wherever its author put them."""

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from ganzoo.checkpoint.stated import Stated
from ganzoo.checkpoint.wording import printable
from ganzoo.errors import CorruptFileError

MAX_DEPTH = 8
MAX_STATES = 1000
MAX_VALUES = 10_000  # a checkpoint with a longer history of losses keeps its first ones
WRAPPERS = ("module.", "_orig_mod.")  # DataParallel and its kin; torch.compile
# First parts of keys that name a network rather than a layer of it.
NETWORKS = {
    *("netG", "netD", "netG_ema", "generator", "discriminator", "gen", "disc", "dis", "critic", "G", "D", "G_ema", "g_ema"),
    *("ema", "model", "model_ema", "ema_model", "net", "network", "gan"),
}


@dataclass(frozen=True)
class StateDict:
    """One mapping of names to tensors, and where in the file it stands.

    Attributes:
        place: ``""`` for the file itself, else keys joined by dots: ``netG``, ``state_dict``, ``models.g_ema``.
        tensors: The tensors, wrapping prefixes of their names taken off.
        part_of: The place of the flat mapping that it was split from, if it was.
        stated: What the file says of the network's construction, if anything.
        beside: Single tensors that stand next to this mapping in the file: a mean that the network's author kept there, say.
    """

    place: str
    tensors: Mapping[str, Tensor]
    part_of: str | None = None
    stated: Stated | None = None
    beside: Mapping[str, Tensor] = field(default_factory=dict)

    def including(self, names: Collection[str]) -> "StateDict":
        """The same with those of the tensors beside it that have one of ``names``, unless it has such a name itself."""
        more = {name: tensor for name, tensor in self.beside.items() if name in names and name not in self.tensors}
        return replace(self, tensors={**self.tensors, **more}) if more else self

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}


def find_states(content: Any) -> tuple[tuple[StateDict, ...], dict[str, Any]]:
    """All state dicts in ``content``, and its plain values (epoch, step …) by place.

    A flat dict that holds two networks (``generator.main…``, ``discriminator.main…``) is given whole and split. The state of an
    optimiser is left out.

    Raises:
        CorruptFileError: two tensors have one name, or there are more than `MAX_STATES` state dicts.
    """
    states: list[StateDict] = []
    values: dict[str, Any] = {}
    found = _mappings(content, "", {}, 0, set()) if isinstance(content, Mapping | list | tuple) else ()
    for place, mapping, beside in found:
        tensors = _named(place, mapping)
        if tensors:
            stated = getattr(mapping, "stated", None)
            states.extend(_with_parts(StateDict(place, unwrap(tensors), stated=stated, beside=beside)))
        if len(states) > MAX_STATES:
            raise CorruptFileError(f"It is no checkpoint: it has more than {MAX_STATES} state dicts.")
        plain = ((key, value) for key, value in mapping.items() if isinstance(value, bool | int | float | str))
        for key, value in itertools.islice(plain, MAX_VALUES - len(values)):
            values[_join(place, str(key))] = value
    return tuple(states), values


def _named(place: str, mapping: Mapping[Any, Any]) -> dict[str, Tensor]:
    named: dict[str, Tensor] = {}
    for key, value in mapping.items():
        if isinstance(value, Tensor):
            name = str(key)
            if name in named:  # the number 1 and the text "1", say
                raise CorruptFileError(
                    f"Two tensors{f' at {printable(place)}' if place else ''} are named '{printable(name)}'."
                )
            named[name] = value.detach()
    return named


def is_optimiser(value: Any) -> bool:
    """Whether it is the state of an optimiser, as `torch.optim.Optimizer.state_dict` makes it."""
    return isinstance(value, Mapping) and "state" in value and "param_groups" in value


def unwrap(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``tensors`` without the prefixes that wrappers put before every name."""
    names = dict.fromkeys(tensors)
    plain = {name: _uncompiled(name) for name in names}
    while True:
        # AveragedModel of torch keeps its count beside the wrapped network.
        kept = [name for name in names if plain[name] != "n_averaged"] or list(names)
        prefix = next((p for p in WRAPPERS if all(plain[name].startswith(p) for name in kept)), None)
        if prefix is None:
            break
        names = dict.fromkeys(kept)
        plain = {name: plain[name].removeprefix(prefix) for name in kept}
    if len(set(plain.values())) < len(plain):
        return dict(tensors)
    return {plain[name]: tensors[name] for name in names}


def _uncompiled(name: str) -> str:
    return name.replace("._orig_mod.", ".")


def _with_parts(state: StateDict) -> Iterator[StateDict]:
    yield state
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.tensors.items():
        network, dot, rest = name.partition(".")
        if dot and network in NETWORKS:
            parts.setdefault(network, {})[rest] = tensor
    for network, tensors in parts.items():
        stated = state.stated.part(network) if state.stated else None
        place = _join(state.place, network)
        yield StateDict(place, unwrap(tensors), part_of=state.place, stated=stated, beside=state.beside)


def _mappings(
    value: Any, place: str, beside: Mapping[str, Tensor], depth: int, seen: set[int]
) -> Iterator[tuple[str, Mapping[Any, Any], Mapping[str, Tensor]]]:
    """Every mapping in ``value``, where it stands, and the tensors next to it."""
    if depth > MAX_DEPTH or id(value) in seen:  # the same object again, maybe inside itself
        return
    seen.add(id(value))
    if isinstance(value, Mapping):
        if is_optimiser(value):
            return
        yield place, value, beside
        beside = {str(key): item.detach() for key, item in value.items() if isinstance(item, Tensor)}
    for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
        if isinstance(item, Mapping | list | tuple):
            yield from _mappings(item, _join(place, str(key)), beside if isinstance(value, Mapping) else {}, depth + 1, seen)


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
