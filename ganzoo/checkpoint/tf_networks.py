"""Networks of NVIDIA's TensorFlow programs (StyleGAN, StyleGAN2) in a pickle, as flat state dicts.

Such an object is a table: the arguments of the function that builds its graph, that function's source text, which is never
read, the variables in order, and the networks inside. A file holds the generator, the discriminator and the averaged generator.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ganzoo.checkpoint.array_tensors import ArrayTensors
from ganzoo.checkpoint.modules import ModuleState, Names
from ganzoo.checkpoint.plain_values import PlainValues, table_of
from ganzoo.checkpoint.stated import Stated
from ganzoo.checkpoint.wording import printable

NAMES = ("G", "D", "Gs")  # of the three networks in a file, as the authors name them


def is_tf_network(state: object) -> bool:
    """Whether this is what such a network stores."""
    return isinstance(state, dict) and isinstance(state.get("variables"), list)


def tf_network_state(
    program: str,
    content: Mapping[Any, Any],
    rebuild: Callable[[Any], Any],
    arrays: ArrayTensors,
    values: PlainValues,
    names: Names,
) -> ModuleState:
    """Its variables by name, those of the networks inside behind the network's name and a slash (``mapping/Dense0/weight``).

    Args:
        program: What wrote it.
        content: What `is_tf_network` accepts.
        rebuild: Turns a value of the pickle into what it means.
        arrays: Reads the variables.
        values: Reads what is plain data.
        names: Counts the tensors' names.

    Raises:
        ValueError: it is nothing that the programs would write.
    """
    found = ModuleState(names)
    for name, value in _variables(content["variables"]):
        try:
            found.add(name, arrays.tensor(value))
        except (ValueError, TypeError) as e:
            raise ValueError(f"the variable '{printable(name)}' is no array of plain numbers: {e}") from e
    parts: dict[str, Stated] = {}
    for prefix, value in (table_of(content.get("components")) or {}).items():
        network = rebuild(value)
        if not isinstance(prefix, str) or not isinstance(network, ModuleState):
            raise ValueError("one of its components is no network")
        parts[prefix] = network.stated
        for name, tensor in network.items():
            found.add(f"{prefix}/{name}", tensor)
    built_by = content.get("build_func_name")
    found.stated = Stated(
        built_by if isinstance(built_by, str) else "",
        values.table(content.get("static_kwargs")),
        attributes=values.table({key: content.get(key) for key in ("version", "name")}),
        program=program,
        parts=parts,
    )
    return found


def _variables(entries: list[Any]) -> Iterator[tuple[str, Any]]:
    for entry in entries:
        if not isinstance(entry, tuple) or len(entry) != 2 or not isinstance(entry[0], str):
            raise ValueError("its variables make no sense")
        yield entry


def named_networks(content: Any) -> Any:
    """The three networks of a file by their names; anything else as it is."""
    if isinstance(content, tuple) and len(content) == len(NAMES) and all(isinstance(each, ModuleState) for each in content):
        return dict(zip(NAMES, content, strict=True))
    return content
