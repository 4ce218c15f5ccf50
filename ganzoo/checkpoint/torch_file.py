"""Files of ``torch.save``, zip or legacy, and plain pickles (those of NVIDIA's programs among them), read as data.

Neither PyTorch's reader nor Python's ever sees them.
"""

import functools
import mmap
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganzoo.checkpoint.allowance import Allowance
from ganzoo.checkpoint.audit import NESTED, check_names
from ganzoo.checkpoint.pickle_machine import Limits, Pickle, PickleError, run_pickle
from ganzoo.checkpoint.pickle_state import PERSISTENT, Blob, Data, Record
from ganzoo.checkpoint.rebuilding import Rebuilder
from ganzoo.checkpoint.states import is_optimiser
from ganzoo.checkpoint.storages import FileStorages, Region, Storage, read_claim
from ganzoo.checkpoint.tf_networks import named_networks
from ganzoo.checkpoint.wording import printable
from ganzoo.checkpoint.zip_file import read_records
from ganzoo.errors import CheckpointError, CorruptFileError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
LIMITS = Limits()
NESTED_LIMITS = Limits(size=4096, opcodes=1000)  # of each pickle of a storage; about 250 bytes are usual


def read_torch_zip(path: Path, classes: Collection[str] = ()) -> Any:
    """The object in a zip file of ``torch.save``, its tensors memory-mapped (private, copy on write).

    Args:
        path: The file.
        classes: Names of modules' classes that it may hold; each module is read as its state dict.

    Raises:
        HostileFileError: its pickle asks for code.
        CorruptFileError: a truncated or damaged archive, or no checkpoint at all.
        CheckpointError: a kind of archive that holds code (TorchScript), or tensors without plain data.
    """
    records = read_records(path)
    limits = replace(LIMITS, memory=Allowance.of(path.stat().st_size).memory)
    content = _pickle(path, records.pickle, 0, limits, also=classes)
    _check_byteorder(path, records.byteorder)
    return Rebuilder(path, records.pickle, FileStorages(path, records.storages), classes).rebuild(content.value)


def read_pickle(path: Path, classes: Collection[str] = ()) -> Any:
    """The object in a legacy file of ``torch.save``, or in a plain pickle. Arguments as for `read_torch_zip`.

    In a plain pickle each storage is a legacy file of its own. The state of optimisers, most of such a file, is left out.

    Raises:
        HostileFileError: it asks for code, also inside a storage.
        CorruptFileError: a truncated or damaged file.
        CheckpointError: tensors without plain data.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        first = _pickle(path, data, 0, also={NESTED, *classes})
        if first.value == LEGACY_MAGIC:
            legacy = _legacy(path, data, 0, len(data), LIMITS)
            return Rebuilder(path, data, FileStorages(path, legacy.regions)).rebuild(legacy.value)
        storages = FileStorages(path, {})

        @functools.cache  # one storage may be asked for by many tensors
        def nested(inside: Blob | bytes) -> Storage:
            return _nested(path, data, inside, storages)

        return named_networks(Rebuilder(path, data, storages, classes, nested).rebuild(_without_optimisers(first.value)))


@dataclass(frozen=True)
class _Legacy:
    """The object in a legacy file of ``torch.save``, and where its storages are."""

    value: Any
    regions: dict[str, Region]


def _legacy(path: Path, data: Data, start: int, end: int, limits: Limits) -> _Legacy:
    """The legacy file that lies between two positions: five pickles, then the bytes of the tensors."""

    def part(position: int) -> Pickle:
        return _pickle(path, data, position, replace(limits, size=min(limits.size, end - position)))

    magic = part(start)
    protocol = part(magic.end)
    machine = part(protocol.end)
    if (magic.value, protocol.value) != (LEGACY_MAGIC, LEGACY_PROTOCOL) or not isinstance(machine.value, dict):
        raise CorruptFileError(f"{path} is damaged, or of a version of torch.save that never was.")
    content = part(machine.end)
    keys = part(content.end)
    _check_byteorder(path, "little" if machine.value.get("little_endian", True) else "big")
    return _Legacy(content.value, _legacy_regions(path, data, keys, end, content.persistent))


def _nested(path: Path, data: mmap.mmap, inside: Blob | bytes, storages: FileStorages) -> Storage:
    """The one storage in the legacy file that is inside a plain pickle."""
    if isinstance(inside, Blob) and not inside.text:
        legacy = _legacy(path, data, inside.start, inside.start + inside.size, NESTED_LIMITS)
    else:  # protocol 2 writes bytes as a text of as many characters
        content = _latin_bytes(path, data, inside) if isinstance(inside, Blob) else inside
        legacy = _legacy(path, content, 0, len(content), NESTED_LIMITS)
        storages = FileStorages(path, legacy.regions, content)
    record = legacy.value
    if not isinstance(record, Record) or record.name != PERSISTENT:
        raise CorruptFileError(f"{path} is damaged: one of its storages holds something else.")
    claim = read_claim(path, (record.args or (None,))[0])
    return storages.at(claim, legacy.regions.get(claim.key))


def _latin_bytes(path: Path, data: Data, text: Blob) -> bytes:
    """The bytes that a text stands for, a character for each.

    Raises:
        CorruptFileError: it has other characters.
    """
    try:
        return data[text.start : text.start + text.size].decode().encode("latin-1")
    except UnicodeError as e:
        raise CorruptFileError(f"{path} is damaged: one of its storages is no bytes.") from e


def _without_optimisers(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if not is_optimiser(item)}


def _pickle(path: Path, data: Data, start: int, limits: Limits = LIMITS, *, also: Collection[str] = ()) -> Pickle:
    """Refuses a pickle that asks for anything outside the list, and outside ``also``."""
    try:
        found = run_pickle(data, start, limits)
    except PickleError as e:
        check_names(path, e.names, also)
        raise CorruptFileError(f"{path} is a truncated or damaged pickle: {e}.", hint="Download it again.") from e
    check_names(path, found.names, also)
    return found


def _check_byteorder(path: Path, byteorder: str) -> None:
    if byteorder not in ("little", "big"):
        raise CorruptFileError(f"{path} is damaged: it names the byte order '{printable(byteorder)}'.")
    if byteorder != sys.byteorder:
        raise CheckpointError(
            f"{path} was written on a {byteorder}-endian machine and this one is {sys.byteorder}-endian.",
            hint="Load it with torch.load and save its state dict on a machine like this one.",
        )


def _legacy_regions(path: Path, data: Data, keys: Pickle, end: int, persistent: Iterable[Record]) -> dict[str, Region]:
    """Where each storage lies: one after the other, each behind the count of its elements."""
    claims = {claim.key: claim for claim in (read_claim(path, (record.args or (None,))[0]) for record in persistent)}
    names = keys.value
    if not isinstance(names, list) or not all(isinstance(name, str) and name in claims for name in names):
        raise CorruptFileError(f"{path} is damaged: its list of storages does not fit its tensors.")
    position = keys.end
    regions: dict[str, Region] = {}
    for name in names:
        count = int.from_bytes(data[position : position + 8], "little", signed=True)
        length = count * claims[name].dtype.itemsize
        position += 8
        if name in regions or count != claims[name].elements or position + length > end:
            raise CorruptFileError(
                f"{path} is truncated or damaged: the storage '{printable(name)}' should have {claims[name].elements} "
                f"elements, but the file says {count} and has {max(0, end - position)} bytes left.",
                hint="Download it again.",
            )
        regions[name] = Region(position, length)
        position += length
    return regions
