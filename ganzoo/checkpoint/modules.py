"""Whole modules in a pickle: from the inert records of their objects to one flat state dict.

A pickled `torch.nn.Module` is its class's name and its attributes. Which classes are known is declared by the layouts that
read such files (`LayoutReader.classes`); what counts here is only what `torch.nn.Module.state_dict` would read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

from ganzoo.checkpoint.pickle_state import Record

MAX_NAME = 512  # characters of a tensor's name, all modules around it included


class ModuleState(dict[str, Tensor]):
    """The state dict of a module: parameters and persistent buffers by name."""


def is_module(state: object) -> bool:
    """Whether these are the attributes of a `torch.nn.Module`."""
    return isinstance(state, dict) and all(part in state for part in ("_parameters", "_buffers", "_modules"))


def module_state(attributes: Mapping[Any, Any], rebuild: Callable[[Any], Any]) -> ModuleState:
    """What the module with these attributes would give as its state dict, in the same order.

    Args:
        attributes: As the pickle has them; hooks and everything else that is not needed is never looked at.
        rebuild: Turns a value of the pickle into what it means: a dict of tensors, a `ModuleState` for each module inside.

    Raises:
        ValueError: they are no attributes that PyTorch would write.
    """
    found = ModuleState()
    transient = _members(attributes.get("_non_persistent_buffers_set"))
    for name, tensor in [*_own(attributes, "_parameters", rebuild), *_own(attributes, "_buffers", rebuild)]:
        if name not in transient:
            _add(found, name, tensor)
    for prefix, module in _entries(rebuild(attributes["_modules"])):
        if not isinstance(module, ModuleState):
            raise ValueError("a module holds something that is no module")
        for name, tensor in module.items():
            _add(found, f"{prefix}.{name}", tensor)
    return found


def _own(attributes: Mapping[Any, Any], kind: str, rebuild: Callable[[Any], Any]) -> Iterator[tuple[str, Any]]:
    yield from _entries(rebuild(attributes[kind]))


def _entries(table: Any) -> Iterator[tuple[str, Any]]:
    """What is there: a place that was registered with nothing in it holds None."""
    if not isinstance(table, Mapping) or not all(isinstance(key, str) for key in table):
        raise ValueError("a module's table makes no sense")
    return ((key, value) for key, value in table.items() if value is not None)


def _add(found: ModuleState, name: str, tensor: Any) -> None:
    if not isinstance(tensor, Tensor) or name in found or len(name) > MAX_NAME:
        raise ValueError("a module's tensors make no sense")
    found[name] = tensor


def _members(record: Any) -> set[str]:
    """The texts of a set; None is an empty one (modules from before PyTorch 1.5 have none)."""
    if record is None:
        return set()
    if not isinstance(record, Record) or record.name != "builtins.set":
        raise ValueError("a module's list of buffers makes no sense")
    given = (record.args or ([],))[0]
    members = [*(given if isinstance(given, list | tuple) else []), *(record.items or [])]
    return {member for member in members if isinstance(member, str)}
