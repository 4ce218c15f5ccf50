"""Files of ``torch.save``, zip or legacy, read as data. Neither PyTorch's reader nor Python's ever sees them."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from ganzoo.checkpoint.audit import RESAVE, check_names
from ganzoo.checkpoint.pickle_machine import Limits, Pickle, PickleError, run_pickle
from ganzoo.checkpoint.pickle_state import Record
from ganzoo.checkpoint.rebuilding import Rebuilder
from ganzoo.checkpoint.storages import FileStorages, Region, read_claim
from ganzoo.checkpoint.wording import printable
from ganzoo.checkpoint.zip_file import read_records
from ganzoo.errors import CheckpointError, CorruptFileError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001


def read_torch_zip(path: Path) -> Any:
    """The object in a zip file of ``torch.save``, its tensors memory-mapped (private, copy on write).

    Raises:
        HostileFileError: its pickle asks for code.
        CorruptFileError: a truncated or damaged archive, or no checkpoint at all.
        CheckpointError: a kind of archive that holds code (TorchScript), or tensors without plain data.
    """
    records = read_records(path)
    content = _pickle(path, records.pickle, 0)
    _check_byteorder(path, records.byteorder)
    return Rebuilder(path, FileStorages(path, records.storages)).rebuild(content.value)


def read_pickle(path: Path) -> Any:
    """The object in a legacy file of ``torch.save``. Any other pickle is refused with the names that it asks for.

    Raises:
        HostileFileError: it asks for code.
        CorruptFileError: a truncated or damaged file.
        CheckpointError: a pickle that is no file of ``torch.save``, or tensors without plain data.
    """
    with path.open("rb") as stream:
        data = stream.read(Limits().size + 1)  # all five pickles; the bytes of the tensors follow them
        magic = _pickle(path, data, 0)
        if magic.value != LEGACY_MAGIC:
            raise CheckpointError(f"{path} is a pickle, but none that torch.save made.", hint=RESAVE)
        protocol = _pickle(path, data, magic.end)
        machine = _pickle(path, data, protocol.end)
        if protocol.value != LEGACY_PROTOCOL or not isinstance(machine.value, dict):
            raise CorruptFileError(f"{path} is damaged, or of a version of torch.save that never was.")
        content = _pickle(path, data, machine.end)
        keys = _pickle(path, data, content.end)
        _check_byteorder(path, "little" if machine.value.get("little_endian", True) else "big")
        regions = _legacy_regions(path, stream, keys, content.persistent)
    return Rebuilder(path, FileStorages(path, regions)).rebuild(content.value)


def _pickle(path: Path, data: bytes, start: int) -> Pickle:
    """Refuses a pickle that asks for anything outside the list."""
    try:
        found = run_pickle(data, start)
    except PickleError as e:
        check_names(path, e.names)
        raise CorruptFileError(f"{path} is a truncated or damaged pickle: {e}.", hint="Download it again.") from e
    check_names(path, found.names)
    return found


def _check_byteorder(path: Path, byteorder: str) -> None:
    if byteorder not in ("little", "big"):
        raise CorruptFileError(f"{path} is damaged: it names the byte order '{printable(byteorder)}'.")
    if byteorder != sys.byteorder:
        raise CheckpointError(
            f"{path} was written on a {byteorder}-endian machine and this one is {sys.byteorder}-endian.",
            hint="Load it with torch.load and save its state dict on a machine like this one.",
        )


def _legacy_regions(path: Path, stream: IO[bytes], keys: Pickle, persistent: Iterable[Record]) -> dict[str, Region]:
    """Where each storage lies: one after the other, each behind the count of its elements."""
    claims = {claim.key: claim for claim in (read_claim(path, (record.args or (None,))[0]) for record in persistent)}
    names = keys.value
    if not isinstance(names, list) or not all(isinstance(name, str) and name in claims for name in names):
        raise CorruptFileError(f"{path} is damaged: its list of storages does not fit its tensors.")
    size, position = path.stat().st_size, keys.end
    regions: dict[str, Region] = {}
    for name in names:
        stream.seek(position)
        count = int.from_bytes(stream.read(8), "little", signed=True)
        length = count * claims[name].dtype.itemsize
        position += 8
        if name in regions or count != claims[name].elements or position + length > size:
            raise CorruptFileError(
                f"{path} is truncated or damaged: the storage '{printable(name)}' should have {claims[name].elements} "
                f"elements, but the file says {count} and has {max(0, size - position)} bytes left.",
                hint="Download it again.",
            )
        regions[name] = Region(position, length)
        position += length
    return regions
