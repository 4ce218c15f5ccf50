"""Files of ``torch.save``, zip (memory-mapped) or legacy: audited first, then read by torch's own restricted reader."""

import contextlib
import pickle
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo.checkpoint.audit import NUMPY_GLOBALS, Audit, PickleError, audit_pickle, is_dangerous
from ganzoo.errors import CheckpointError, CorruptFileError, HostileFileError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
MAX_PICKLE = 256 * 2**20  # bytes of `data.pkl`; it holds names and shapes only, the weights lie beside it
RESAVE = "In the program that made it, save the weights alone: torch.save(model.state_dict(), path)."
HARMLESS = "It may be harmless (a whole model or an options object), but building it means running somebody's code. "


class InertRecord:
    """Stands in for a NumPy scalar or dtype in a checkpoint: it keeps nothing and does nothing."""

    __slots__ = ()

    def __new__(cls, *_: object) -> "InertRecord":
        """Takes any arguments and ignores them."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Takes any state and ignores it."""


def read_torch_zip(path: Path) -> Any:
    """The object in a zip file of ``torch.save``, its tensors memory-mapped (private, copy on write).

    Raises:
        HostileFileError: its pickle asks for code.
        CorruptFileError: a truncated or damaged archive, or no checkpoint at all.
        CheckpointError: a kind of archive that holds code (TorchScript), or that the safe reader cannot read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            records = _checked_records(path, archive)
            with archive.open(next(name for name in records if _is_pickle(name))) as stream:
                audit = _audit(path, stream)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, ValueError, OSError) as e:
        raise CorruptFileError(f"{path} is a truncated or damaged zip archive: {e}.", hint="Download it again.") from e
    content = _load(path, [audit], mmap=True)
    _check_storages(path, content, records)
    return content


def read_pickle(path: Path) -> Any:
    """The object in a legacy file of ``torch.save``. Any other pickle is refused with the names that it asks for.

    This is where a reader of inert records for other pickles has its place.

    Raises:
        HostileFileError: it asks for code.
        CorruptFileError: a truncated or damaged file.
        CheckpointError: a pickle that is no file of ``torch.save``.
    """
    with path.open("rb") as stream:
        first = _audit(path, stream)
        if first.first_value != LEGACY_MAGIC:
            raise CheckpointError(f"{path} is a pickle, but none that torch.save made.", hint=RESAVE)
        audits = [first, *(_audit(path, stream) for _ in range(4))]  # protocol, machine, content, names of the storages
    return _load(path, audits, mmap=False)


def _audit(path: Path, stream: Any) -> Audit:
    """Refuses a pickle that asks for anything outside the list."""
    try:
        audit = audit_pickle(stream)
    except PickleError as e:
        _refuse(path, e.audit)
        raise CorruptFileError(f"{path} is a truncated or damaged pickle.", hint="Download it again.") from e
    _refuse(path, audit)
    return audit


def _refuse(path: Path, audit: Audit) -> None:
    forbidden = audit.forbidden
    if forbidden:
        shown = [_printable(name) for name in forbidden[:12]]
        more = [f"{len(forbidden) - 12} more"] if len(forbidden) > 12 else []
        raise HostileFileError(
            str(path), shown + more, hint=None if any(is_dangerous(name) for name in forbidden) else f"{HARMLESS}{RESAVE}"
        )


def _printable(name: str) -> str:
    return ascii(name[:100])[1:-1]


def _is_pickle(name: str) -> bool:
    return name.endswith("/data.pkl") and name.count("/") == 1


def _checked_records(path: Path, archive: zipfile.ZipFile) -> dict[str, int]:
    """Names and sizes of the archive's records, after checks that cost no reading."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if any(name.endswith("/constants.pkl") for name in names):
        raise CheckpointError(f"{path} is a TorchScript program, which is code and not data.", hint=RESAVE)
    if not any(_is_pickle(name) for name in names):
        some = ", ".join(_printable(name) for name in names[:5]) or "nothing"
        raise CorruptFileError(
            f"{path} is a zip archive but no checkpoint; it holds {some}.", hint="Unpack it if one is inside."
        )
    if len(set(names)) < len(names) or sum(map(_is_pickle, names)) > 1:
        raise CorruptFileError(f"{path} is damaged: its archive has two records of one name.")
    size = path.stat().st_size
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise CorruptFileError(
                f"{path}: the record '{_printable(entry.filename)}' is compressed: {entry.compress_size} bytes that claim to "
                f"become {entry.file_size}. torch.save never compresses.",
                hint="If you packed it yourself, unpack it and pack it again without compression (zip -0).",
            )
    if sum(entry.file_size for entry in entries) > size:
        raise CorruptFileError(f"{path} is damaged: its records claim more bytes than the file's {size}.")
    if any(entry.file_size > MAX_PICKLE for entry in entries if _is_pickle(entry.filename)):
        raise CorruptFileError(f"{path} is no checkpoint: its description of the tensors alone is over {MAX_PICKLE} bytes.")
    return {entry.filename: entry.file_size for entry in entries}


def _load(path: Path, audits: Iterable[Audit], *, mmap: bool) -> Any:
    protocol = max(audit.protocol for audit in audits)
    try:
        with warnings.catch_warnings(), _inert_numpy(audits):
            warnings.simplefilter("ignore")
            if not path.name.endswith(".safetensors"):
                return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
            with path.open("rb") as stream:  # torch would believe that suffix; a stream has none, but cannot be mapped
                return torch.load(stream, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as e:
        why = f"it uses pickle protocol {protocol}" if protocol > 2 else _first_line(e)
        raise CheckpointError(f"{path} cannot be read safely: {why}.", hint=RESAVE) from e
    except Exception as e:  # torch raises nearly anything on bad bytes; all of it means the same to a person
        raise CorruptFileError(f"{path} is truncated or damaged: {_first_line(e)}.", hint="Download it again.") from e


@contextlib.contextmanager
def _inert_numpy(audits: Iterable[Audit]) -> Iterator[None]:
    wanted = [(InertRecord, name) for audit in audits for name in audit.names if name in NUMPY_GLOBALS]
    with torch.serialization.safe_globals(wanted):  # type: ignore[arg-type]  # pairs are accepted and documented
        yield


def _first_line(e: Exception) -> str:
    return (str(e).strip().splitlines() or [type(e).__name__])[0].rstrip(".")[:200]


def _check_storages(path: Path, content: Any, records: Mapping[str, int]) -> None:
    """A memory-mapped storage takes its size from the pickle: one that no record has would read its neighbours' bytes."""
    sizes = {size for name, size in records.items() if "/data/" in name} | {0}
    for tensor in _tensors(content, set()):
        if tensor.device.type != "cpu" or tensor.layout is not torch.strided:
            raise CheckpointError(f"{path} holds a tensor without plain data ({tensor.device.type}, {tensor.layout}).")
        if tensor.untyped_storage().nbytes() not in sizes:
            raise CorruptFileError(
                f"{path} is damaged: a tensor of shape {list(tensor.shape)} claims bytes outside its record."
            )


def _tensors(value: Any, seen: set[int]) -> Iterator[Tensor]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Tensor):
            yield item
        elif isinstance(item, Mapping | list | tuple | set) and id(item) not in seen:
            seen.add(id(item))
            pending.extend(item.values() if isinstance(item, Mapping) else item)
