"""Checkpoints of a run: one folder each, complete or not there at all, and no pickle in them.

``checkpoints/000064000/`` holds ``generator``, ``discriminator``, ``average`` and ``state.safetensors`` and, written last,
``state.json`` with everything that is no tensor and the sha256 of the other files. The folder gets its name when all of it is
on the disk.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ganzoo.errors import CheckpointError, CorruptFileError, OutputError

FORMAT = 1
KEPT = 2
_STATE, _TENSORS = "state.json", "state.safetensors"
_PARTIAL = ".partial-"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: a state dict by network, and the state of the engine."""

    networks: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def write_checkpoint(folder: Path, networks: Mapping[str, nn.Module], state: Mapping[str, Any]) -> Path:
    """Writes a checkpoint below ``folder``, then removes all but the latest two.

    Returns:
        The new checkpoint's folder.

    Raises:
        OutputError: the disk is full or the folder cannot be written; older checkpoints are as they were.
    """
    target = folder / f"{state['images']:09}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_PARTIAL}*"):  # of a run that was killed while it wrote
            shutil.rmtree(left, ignore_errors=True)
        partial = folder / f"{_PARTIAL}{os.getpid()}"
        partial.mkdir()
        try:
            _write_all(partial, networks, state)
            if target.exists():  # the same state written twice, e.g. interrupted right after a checkpoint
                shutil.rmtree(target)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        _sync(folder)
    except OSError as e:
        raise OutputError(f"The checkpoint {target} cannot be written: {e.strerror or e}.") from e
    for old in list_checkpoints(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in ``folder``, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and p.name.isdecimal())


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint and verifies every file against the hash in ``state.json``.

    Raises:
        CorruptFileError: a file is missing or damaged; the message names it.
        CheckpointError: written by a newer ganzoo.
    """
    try:
        record = json.loads((path / _STATE).read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise CheckpointError(f"{path} has the format {record['format']}; this version of ganzoo reads {FORMAT}.")
        tensors = {name: load(_verified(path / name, sha256)) for name, sha256 in record["files"].items()}
        state = _join(record["state"], tensors.pop(_TENSORS))
    except (OSError, KeyError, ValueError, TypeError, SafetensorError) as e:
        raise CorruptFileError(f"The checkpoint {path} is damaged: {e}.") from e
    return Checkpoint({name.removesuffix(".safetensors"): value for name, value in tensors.items()}, state)


def _write_all(folder: Path, networks: Mapping[str, nn.Module], state: Mapping[str, Any]) -> None:
    plain, tensors = _split(state)
    contents = {f"{name}.safetensors": save(_contiguous(network.state_dict())) for name, network in networks.items()}
    contents[_TENSORS] = save(_contiguous(tensors))
    for name, content in contents.items():
        _write(folder / name, content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    record = {"format": FORMAT, "state": plain, "files": hashes}
    _write(folder / _STATE, json.dumps(record, indent=1).encode())
    _sync(folder)


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    """Makes names in ``folder`` durable; not every system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _verified(file: Path, sha256: str) -> bytes:
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{file.name} has not the content that was written")
    return content


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies: safetensors refuses tensors that share memory, as tied weights do."""
    return {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}


def _split(state: Mapping[str, Any], prefix: str = "") -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Nested ``state`` as JSON values, and its tensors by dotted path; a tensor's place is marked by None."""
    plain: dict[str, Any] = {}
    tensors: dict[str, Tensor] = {}
    for key, value in state.items():
        if isinstance(value, Tensor):
            plain[key], tensors[prefix + key] = None, value
        elif isinstance(value, Mapping):
            plain[key], inner = _split(value, f"{prefix}{key}.")
            tensors |= inner
        else:
            plain[key] = value
    return plain, tensors


def _join(plain: dict[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    for path, tensor in tensors.items():
        *outer, last = path.split(".")
        inner = plain
        for part in outer:
            inner = inner[part]
        inner[last] = tensor
    return plain
