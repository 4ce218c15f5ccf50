"""Whole networks in a pickle: from the inert records of their objects to one flat state dict each.

A pickled `torch.nn.Module` is its class's name and its attributes. Which classes are known is declared by the layouts that
read such files (`LayoutReader.classes`); what counts here is only what `torch.nn.Module.state_dict` would read. NVIDIA's
programs write an object as a call with a table instead, in which the source text of its class stands too; that is never read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

from ganzoo.checkpoint.audit import PERSISTENCE
from ganzoo.checkpoint.pickle_state import Record
from ganzoo.checkpoint.plain_values import PlainValues
from ganzoo.checkpoint.stated import Stated

MAX_NAME = 512  # characters of a tensor's name, all modules around it included


class Names:
    """The names that the tensors of one file may have: one in each module around them, so that a small file may mean many.

    Args:
        most: How many in all.
    """

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def take(self) -> None:
        """Counts a name.

        Raises:
            ValueError: there are too many.
        """
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"its networks have more than {self._most} tensors")


class ModuleState(dict[str, Tensor]):
    """The state dict of a network: parameters and persistent buffers by name.

    Args:
        names: Counts them.

    Attributes:
        stated: What the file says of the network.
    """

    stated: Stated

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def add(self, name: str, tensor: object) -> None:
        """Adds a tensor.

        Raises:
            ValueError: it is none, or its name is taken or absurdly long, or there are too many names.
        """
        self._names.take()
        if not isinstance(tensor, Tensor) or name in self or len(name) > MAX_NAME:
            raise ValueError("a module's tensors make no sense")
        self[name] = tensor


def persistent_object(record: Record) -> tuple[str, Any] | None:
    """The class's name and the attributes of an object that NVIDIA's programs wrote; None where the record is none."""
    meta = record.args[0] if record.name == PERSISTENCE and record.args and len(record.args) == 1 else None
    if not isinstance(meta, dict) or not isinstance(meta.get("class_name"), str):
        return None
    return meta["class_name"], meta.get("state")


def is_module(state: object) -> bool:
    """Whether these are the attributes of a `torch.nn.Module`."""
    return isinstance(state, dict) and all(part in state for part in ("_parameters", "_buffers", "_modules"))


def module_state(
    name: str, attributes: Mapping[Any, Any], rebuild: Callable[[Any], Any], values: PlainValues, names: Names
) -> ModuleState:
    """What the module with these attributes would give as its state dict, in the same order.

    Args:
        name: Of its class.
        attributes: As the pickle has them; hooks and everything else that is not needed is never looked at.
        rebuild: Turns a value of the pickle into what it means: a dict of tensors, a `ModuleState` for each module inside.
        values: Reads what is plain data.
        names: Counts the tensors' names.

    Raises:
        ValueError: they are no attributes that PyTorch would write.
    """
    found = ModuleState(names)
    transient = _members(attributes.get("_non_persistent_buffers_set"))
    for own, tensor in [*_own(attributes, "_parameters", rebuild), *_own(attributes, "_buffers", rebuild)]:
        if own not in transient:
            found.add(own, tensor)
    parts: dict[str, Stated] = {}
    for prefix, module in _entries(rebuild(attributes["_modules"])):
        if not isinstance(module, ModuleState):
            raise ValueError("a module holds something that is no module")
        parts[prefix] = module.stated
        for inner, tensor in module.items():
            found.add(f"{prefix}.{inner}", tensor)
    found.stated = _stated(name, attributes, parts, values)
    return found


def _stated(name: str, attributes: Mapping[Any, Any], parts: Mapping[str, Stated], values: PlainValues) -> Stated:
    own = {key: value for key, value in attributes.items() if isinstance(key, str) and not key.startswith("_")}
    own.pop("training", None)
    arguments, positional = values.table(attributes.get("_init_kwargs")), values.sequence(attributes.get("_init_args"))
    program = "NVIDIA's PyTorch programs" if "_init_kwargs" in attributes else ""
    return Stated(name, arguments, positional, values.table(own), parts, program)


def _own(attributes: Mapping[Any, Any], kind: str, rebuild: Callable[[Any], Any]) -> Iterator[tuple[str, Any]]:
    yield from _entries(rebuild(attributes[kind]))


def _entries(table: Any) -> Iterator[tuple[str, Any]]:
    """What is there: a place that was registered with nothing in it holds None."""
    if not isinstance(table, Mapping) or not all(isinstance(key, str) for key in table):
        raise ValueError("a module's table makes no sense")
    return ((key, value) for key, value in table.items() if value is not None)


def _members(record: Any) -> set[str]:
    """The texts of a set; None is an empty one (modules from before PyTorch 1.5 have none)."""
    if record is None:
        return set()
    if not isinstance(record, Record) or record.name != "builtins.set":
        raise ValueError("a module's list of buffers makes no sense")
    given = (record.args or ([],))[0]
    members = [*(given if isinstance(given, list | tuple) else []), *(record.items or [])]
    return {member for member in members if isinstance(member, str)}
