"""The zoo's own layout of a model on disk: ``config.json``, ``generator.safetensors``, maybe ``discriminator.safetensors``."""

import errno
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from torch import Tensor

import ganzoo
from ganzoo.checkpoint.safetensors_file import read_safetensors, write_safetensors
from ganzoo.checkpoint.wording import printable
from ganzoo.errors import CheckpointError, OutputError
from ganzoo.paths import atomic_path, check_parent, temporary_path
from ganzoo.spec import ROLES, EntryPoint, Name, Requirement, Role, Text

CONFIG = "config.json"
MAX_CONFIG = 2**20  # bytes


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``config.json`` says. Fields that a newer version of ganzoo adds are ignored; a wrong type is an error.

    Attributes:
        library_name: Always ``ganzoo``.
        ganzoo_version: Who wrote it.
        architecture: The architecture's id.
        plugin: The plugin that brings it.
        distribution: The package to install for that plugin.
        generator: The generator's constructor arguments, where there is one.
        discriminator: The discriminator's, likewise.
        encoder: The encoder's, likewise.
        class_names: What the generator's classes are called, in the order of their numbers, where somebody said.
        source: Where converted weights came from: ``sha256``, ``layout`` and ``place`` by role.
    """

    library_name: Literal["ganzoo"]
    ganzoo_version: Text
    architecture: Name
    plugin: EntryPoint
    distribution: Requirement = "ganzoo-hub"
    generator: dict[str, Any] | None = None
    discriminator: dict[str, Any] | None = None
    encoder: dict[str, Any] | None = None
    class_names: tuple[str, ...] = ()
    source: dict[str, Any] | None = None

    def arguments(self, role: Role) -> dict[str, Any] | None:
        """The constructor arguments of that network, or None where the model has none."""
        arguments: dict[str, Any] | None = getattr(self, role)
        return arguments


@dataclass(frozen=True)
class StoredModel:
    """A model in a folder.

    Attributes:
        folder: Where it is.
        config: Its ``config.json``.
        files: The weight file of each role that it has.
    """

    folder: Path
    config: ModelConfig
    files: Mapping[Role, Path]

    def state(self, role: Role) -> dict[str, Tensor]:
        """The memory-mapped weights of that network.

        Raises:
            CheckpointError: the model has no such network.
            CorruptFileError: the file is damaged.
        """
        if role not in self.files:
            raise CheckpointError(f"The model in {self.folder} has no {role}.", hint=f"It has: {', '.join(self.files)}.")
        return read_safetensors(self.files[role])[0]


def model_config(
    architecture: str,
    plugin: str,
    arguments: Mapping[Role, Mapping[str, Any]],
    *,
    distribution: str = "ganzoo-hub",
    class_names: Sequence[str] = (),
    source: Mapping[str, Any] | None = None,
) -> ModelConfig:
    """A `ModelConfig` of this version of ganzoo; ``arguments`` holds the constructor arguments by role."""
    return ModelConfig(
        library_name="ganzoo",
        ganzoo_version=ganzoo.__version__,
        architecture=architecture,
        plugin=plugin,
        distribution=distribution,
        class_names=tuple(class_names),
        source=dict(source) if source else None,
        **{role: dict(given) for role, given in arguments.items()},
    )


def weights_file(role: Role) -> str:
    """The file name of a network's weights."""
    return f"{role}.safetensors"


def read_config(path: Path) -> ModelConfig:
    """A ``config.json`` of ours.

    Raises:
        CheckpointError: it is missing, unreadable, or not ganzoo's; the message names the field.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_CONFIG + 1)
        if len(content) > MAX_CONFIG:
            raise CheckpointError(f"{path} is no configuration of a ganzoo model: it has more than {MAX_CONFIG} bytes.")
        return msgspec.json.decode(content, type=ModelConfig)
    except OSError as e:
        raise CheckpointError(
            f"{path} cannot be read: {e.strerror or e}.", hint="A model of ganzoo is a folder with it."
        ) from e
    except (msgspec.DecodeError, ValueError, RecursionError) as e:  # ValueError: bytes that are no UTF-8
        raise CheckpointError(f"{path} is no configuration of a ganzoo model: {printable(e, 300)}.") from e


def read_model(folder: str | Path) -> StoredModel:
    """The model in ``folder``; weights are read when asked for.

    Raises:
        CheckpointError: no ``config.json`` of ours, or a weight file that it promises is missing.
    """
    folder = Path(folder)
    config = read_config(folder / CONFIG)
    files = {role: folder / weights_file(role) for role in ROLES if config.arguments(role) is not None}
    if not files:
        raise CheckpointError(f"{folder / CONFIG} describes no network.", hint="It needs at least a generator.")
    for role, path in files.items():
        if not path.is_file():
            raise CheckpointError(
                f"{folder / CONFIG} promises a {role}, but there is no {path.name} beside it.",
                hint="Download or convert the model again.",
            )
    return StoredModel(folder, config, files)


def write_model(
    folder: str | Path, config: ModelConfig, states: Mapping[Role, Mapping[str, Tensor]], *, overwrite: bool = False
) -> StoredModel:
    """Writes a model. A new folder appears whole or not at all; in an existing one each file is replaced atomically.

    Args:
        folder: Where to; its parent must exist.
        config: Has arguments for exactly the roles in ``states``.
        states: State dict by role. Tied weights are stored once.
        overwrite: Replace a model that is there.

    Raises:
        OutputError: a model is there already, the parent is missing or not writable, or the disk is full.
    """
    folder = Path(folder)
    described = {role for role in ROLES if config.arguments(role) is not None}
    if described != set(states):
        raise OutputError(f"The configuration describes {sorted(described)}, but there are weights of {sorted(states)}.")
    taken = [name for name in (CONFIG, *map(weights_file, ROLES)) if (folder / name).exists()]
    if taken and not overwrite:
        raise OutputError(f"{folder} holds {', '.join(taken)} already.", hint="Choose another folder, or say to overwrite it.")
    try:
        _place(folder, config, states)
    except OSError as e:
        if isinstance(e, OutputError):
            raise
        raise OutputError(f"{folder} could not be written: {e.strerror or e}.") from e
    return read_model(folder)


def _place(folder: Path, config: ModelConfig, states: Mapping[Role, Mapping[str, Tensor]]) -> None:
    if folder.exists():
        _write_files(folder, config, states)
        return
    check_parent(folder)
    temporary = temporary_path(folder)
    temporary.mkdir()
    try:
        _write_files(temporary, config, states)
        _rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _rename(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError as e:
        if e.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise OutputError(f"{folder} was written by somebody else meanwhile.", hint="Look at it, then try again.") from e
        raise


def _write_files(folder: Path, config: ModelConfig, states: Mapping[Role, Mapping[str, Tensor]]) -> None:
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder.")
    for role, state in states.items():
        write_safetensors(folder / weights_file(role), state)
    with atomic_path(folder / CONFIG) as path:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")
    for role in ROLES:
        if role not in states:
            (folder / weights_file(role)).unlink(missing_ok=True)
