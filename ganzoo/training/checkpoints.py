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

FORMAT = 2
KEPT = 2
_STATE, _TENSORS = "state.json", "state.safetensors"
PARTIAL = ".partial-"
_INNER = "/"  # between the names on the way to a tensor; names of parts may have dots, but never this


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: a state dict by network, and the state of the engine; and where it was read."""

    path: Path
    networks: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def write_checkpoint(folder: Path, networks: Mapping[str, nn.Module], state: Mapping[str, Any]) -> Path:
    """Writes a checkpoint below ``folder``, then removes all but it and the one before.

    Later ones go too: a run writes an earlier checkpoint than there is only after it went back because they are damaged.

    Returns:
        The new checkpoint's folder.

    Raises:
        OutputError: the disk is full or the folder cannot be written; older checkpoints are as they were.
    """
    target = folder / checkpoint_name(state["images"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{PARTIAL}*"):  # of a run that was killed while it wrote
            shutil.rmtree(left, ignore_errors=True)
        partial = folder / f"{PARTIAL}{os.getpid()}"
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
    _prune(folder, target)
    return target


def _prune(folder: Path, newest: Path) -> None:
    present = list_checkpoints(folder)
    kept = [path for path in present if _images(path) <= _images(newest)][-KEPT:]
    for path in present:
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)


def checkpoint_name(images: int) -> str:
    """The folder of the checkpoint after that many images."""
    return f"{images:09}"


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in ``folder``, oldest first."""
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if p.is_dir() and p.name.isdecimal()), key=_images)


def _images(path: Path) -> int:
    return int(path.name)


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint and verifies every file against the hash in ``state.json``.

    Raises:
        CorruptFileError: a file is missing or damaged; the message names it.
        CheckpointError: written by another version of ganzoo.
    """
    try:
        record = json.loads((path / _STATE).read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise CheckpointError(
                f"The checkpoint {path} has the format {record['format']}; this version of ganzoo reads {FORMAT}.",
                hint="Go on with the version of ganzoo that wrote it: `versions` in the config.json of the run.",
            )
        tensors = {name: load(_verified(path / name, sha256)) for name, sha256 in record["files"].items()}
        state = _join(record["state"], tensors.pop(_TENSORS))
    except (OSError, KeyError, ValueError, TypeError, SafetensorError) as e:
        raise CorruptFileError(f"The checkpoint {path} is damaged: {e}.") from e
    return Checkpoint(path, {name.removesuffix(".safetensors"): value for name, value in tensors.items()}, state)


def _write_all(folder: Path, networks: Mapping[str, nn.Module], state: Mapping[str, Any]) -> None:
    plain, tensors = _split(state)
    hashes: dict[str, str] = {}
    for name, network in networks.items():  # one after the other: only one of them is in memory twice
        hashes[f"{name}.safetensors"] = _write(folder / f"{name}.safetensors", save(_contiguous(network.state_dict())))
    hashes[_TENSORS] = _write(folder / _TENSORS, save(_contiguous(tensors)))
    _write(folder / _STATE, json.dumps({"format": FORMAT, "state": plain, "files": hashes}, indent=1).encode())
    _sync(folder)


def _write(file: Path, content: bytes) -> str:
    """Writes and gives the sha256."""
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return hashlib.sha256(content).hexdigest()


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
    """Nested ``state`` as JSON values, and its tensors by path; a tensor's place is marked by None."""
    plain: dict[str, Any] = {}
    tensors: dict[str, Tensor] = {}
    for key, value in state.items():
        if isinstance(value, Tensor):
            plain[key], tensors[prefix + key] = None, value
        elif isinstance(value, Mapping):
            plain[key], inner = _split(value, f"{prefix}{key}{_INNER}")
            tensors |= inner
        else:
            plain[key] = value
    return plain, tensors


def _join(plain: dict[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    for path, tensor in tensors.items():
        *outer, last = path.split(_INNER)
        inner = plain
        for part in outer:
            inner = inner[part]
        inner[last] = tensor
    return plain
