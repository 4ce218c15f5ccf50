"""Writes pickles as NVIDIA's programs write them, with classes of the same names that exist only while pickling."""

import contextlib
import pickle
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

from torch import nn

SOURCE = "raise SystemExit('this source was run')\n" * 200  # longer than any text that is read
VERSION = 6


def reconstruct(meta: Any) -> Any:
    """Stands for the function that compiles the source text; pickling needs it, and nothing may ever call it."""
    raise AssertionError("a pickle was executed")


class EasyDict(dict[str, Any]):
    """A dict under a name of its own."""


class Network:
    """What the TensorFlow programs store of a network."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __getstate__(self) -> dict[str, Any]:
        return self.state


class Persistent(nn.Module):
    """A module that remembers its constructor arguments and is pickled with its source text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self._init_args, self._init_kwargs = args, kwargs

    def __reduce__(self) -> Any:
        meta = {"type": "class", "version": VERSION, "module_src": SOURCE, "class_name": type(self).__name__}
        return reconstruct, ({**meta, "state": self.__dict__},)


_PLACES: dict[str, tuple[str, Any]] = {
    "torch_utils.persistence": ("_reconstruct_persistent_obj", reconstruct),
    "dnnlib.util": ("EasyDict", EasyDict),
    "dnnlib.tflib.network": ("Network", Network),
}


for _place, (_name, _found) in _PLACES.items():
    _found.__module__, _found.__name__, _found.__qualname__ = _place, _name, _name


@contextlib.contextmanager
def _in_place() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        parts = {place.rpartition(".")[0] for place in _PLACES} | {"dnnlib"}
        stack.enter_context(mock.patch.dict(sys.modules, {name: ModuleType(name) for name in [*parts, *_PLACES]}))
        for place, (name, found) in _PLACES.items():
            setattr(sys.modules[place], name, found)
        yield


def dumps(value: Any, protocol: int = 4) -> bytes:
    """The pickle that NVIDIA's programs would write of ``value``."""
    with _in_place():
        return pickle.dumps(value, protocol)


def tf_network(name: str, variables: dict[str, Any], components: dict[str, Network] | None = None, **kwargs: Any) -> Network:
    """A network of the TensorFlow programs."""
    return Network(
        {
            "version": 4,
            "name": name,
            "static_kwargs": EasyDict(kwargs),
            "components": EasyDict(components or {}),
            "build_module_src": SOURCE,
            "build_func_name": f"{name}_func",
            "variables": list(variables.items()),
        }
    )
