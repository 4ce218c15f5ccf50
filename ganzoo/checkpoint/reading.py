"""Opens a checkpoint file of any known container as data."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo.checkpoint.safetensors_file import TIES, read_safetensors
from ganzoo.checkpoint.sniff import Format, sniff
from ganzoo.checkpoint.states import StateDict, find_states
from ganzoo.checkpoint.torch_file import read_pickle, read_torch_zip
from ganzoo.checkpoint.wording import printable
from ganzoo.errors import CheckpointError, CorruptFileError

_READERS = {"torch-zip": read_torch_zip, "pickle": read_pickle}


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Attributes:
        path: The file.
        format: Its container.
        states: Every state dict in it. Tensors are memory-mapped, except where the legacy format put them at
            addresses that they cannot be read from.
        metadata: Its plain values: a safetensors file's metadata, or scalars such as ``epoch`` by their place.
    """

    path: Path
    format: Format
    states: tuple[StateDict, ...]
    metadata: dict[str, Any] = field(default_factory=dict)


def read_checkpoint(path: str | Path, *, classes: Collection[str] = ()) -> Checkpoint:
    """The tensors of a checkpoint file, found by its content whatever its name is. Nothing in it is executed.

    Every size and position is checked; the weights themselves are not read, so that a flipped bit among them is not noticed
    here. `convert` and `store` compare them with the checksums of the file first.

    The containers that are known: safetensors; files of ``torch.save``; pickles of whole networks, NVIDIA's among them, both
    those of PyTorch (each object with its source text) and those of TensorFlow (``G``, ``D`` and ``Gs``). Of whole networks
    `StateDict.stated` tells what the file says of their construction. The memory a pickle may need goes by its size.

    Args:
        path: The file.
        classes: Exact names of the modules' classes that a pickle of whole networks may hold (`module_classes` tells what the
            layouts know). Each module is read as its state dict; nothing is imported.

    Raises:
        HostileFileError: a pickle that asks for code; it names what.
        CorruptFileError: an empty, truncated or damaged file, or one that is no checkpoint.
        CheckpointError: no such file, or a checkpoint without a state dict.
    """
    path = Path(path)
    container = sniff(path)
    if container == "safetensors":
        tensors, metadata = read_safetensors(path)
        states, _ = find_states(tensors)
        metadata.pop(TIES, None)
        return _checked(Checkpoint(path, container, states, dict(metadata)), tensors)
    content = _READERS[container](path, classes)
    try:
        states, values = find_states(content)
    except CorruptFileError as e:
        raise CorruptFileError(f"{path} cannot be used. {e.message}") from e
    return _checked(Checkpoint(path, container, states, values), content)


def _checked(checkpoint: Checkpoint, content: Any) -> Checkpoint:
    if checkpoint.states:
        return checkpoint
    if isinstance(content, dict):
        keys = ", ".join(f"'{printable(key, 60)}'" for key in list(content)[:8])
        held = f"a table with the keys {keys}" if keys else "an empty table"
    else:
        held = f"one {type(content).__name__}"
    raise CheckpointError(f"{checkpoint.path} holds no named tensors; it is {held}.", hint="Look for a file with a state dict.")
