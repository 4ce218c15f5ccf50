"""The records of a zip file of ``torch.save``: where each one's bytes lie, after every claim was compared with the file."""

import contextlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ganzoo.checkpoint.audit import RESAVE
from ganzoo.checkpoint.pickle_machine import Limits
from ganzoo.checkpoint.storages import Region
from ganzoo.checkpoint.wording import printable
from ganzoo.errors import CheckpointError, CorruptFileError

_LOCAL = struct.Struct("<4s5H3I2H")
_SCRAMBLED = 0x1 | 0x20 | 0x40 | 0x2000  # flags: encrypted, a patch, strongly encrypted, masked
_CHUNK = 2**20
_MAX_INDEX = 16 * 2**20  # bytes; an entry takes about 100, and zipfile builds an object of 1 kB for each
_AGAIN = "Download it again."


@dataclass(frozen=True)
class ZipRecords:
    """What a checked archive holds.

    Attributes:
        pickle: The description of the tensors.
        byteorder: ``little`` or ``big``, as written; old files have none and are little.
        storages: Where the bytes of each storage are.
    """

    pickle: bytes
    byteorder: str
    storages: dict[str, Region]


def read_records(path: Path) -> ZipRecords:
    """The records of the archive. The sum of the pickle is checked, those of the storages are not: see `check_sums`.

    Raises:
        CorruptFileError: a truncated or damaged archive, or no checkpoint at all.
        CheckpointError: a kind of archive that holds code (TorchScript).
    """
    with _opened(path) as (archive, stream):
        entries = {entry.filename: entry for entry in _checked(path, archive)}
        main = next(name for name in entries if _is_pickle(name))
        prefix = main.removesuffix("data.pkl")
        pickle = b"".join(_chunks(stream, _region(path, stream, entries[main])))
        if not _sum_fits(pickle, entries[main]):
            raise CorruptFileError(f"{path} is damaged: its description of the tensors has a wrong checksum.", hint=_AGAIN)
        order = entries.get(f"{prefix}byteorder")
        byteorder = "little" if order is None else _word(stream, _region(path, stream, order))
        data = f"{prefix}data/"
        storages = {name[len(data) :]: _region(path, stream, entry) for name, entry in entries.items() if name.startswith(data)}
        return ZipRecords(pickle, byteorder, storages)


def check_sums(path: Path) -> None:
    """Reads the whole archive once and compares every record with its checksum.

    Raises:
        CorruptFileError: one differs.
    """
    with _opened(path) as (archive, stream):
        for entry in _checked(path, archive):
            total = 0
            for chunk in _chunks(stream, _region(path, stream, entry)):
                total = zlib.crc32(chunk, total)
            if entry.CRC not in (0, total):
                raise CorruptFileError(
                    f"{path} is damaged: the record '{printable(entry.filename)}' has a wrong checksum.", hint=_AGAIN
                )


class _BoundedFile(io.FileIO):
    """A file of which no large part is read at once: the index, that is, for records are read in pieces."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _MAX_INDEX if size is None or size < 0 else size
        if wanted > _MAX_INDEX:
            raise zipfile.BadZipFile("its index is absurdly long")
        return super().read(wanted) or b""


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, io.FileIO]]:
    try:
        with _BoundedFile(path) as stream, zipfile.ZipFile(stream) as archive:
            yield archive, stream
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, ValueError, struct.error) as e:
        raise CorruptFileError(f"{path} is a truncated or damaged zip archive: {printable(e, 200)}.", hint=_AGAIN) from e
    except OSError as e:
        raise CorruptFileError(f"{path} cannot be read as a zip archive: {e.strerror or e}.", hint=_AGAIN) from e


def _is_pickle(name: str) -> bool:
    return name.endswith("/data.pkl") and name.count("/") == 1


def _checked(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The archive's entries, after checks that cost no reading."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if any(name.endswith("/constants.pkl") for name in names):
        raise CheckpointError(f"{path} is a TorchScript program, which is code and not data.", hint=RESAVE)
    if not any(_is_pickle(name) for name in names):
        some = ", ".join(map(printable, names[:5])) or "nothing"
        raise CorruptFileError(
            f"{path} is a zip archive but no checkpoint; it holds {some}.", hint="Unpack it if one is inside."
        )
    if len(set(names)) < len(names) or sum(map(_is_pickle, names)) > 1:
        raise CorruptFileError(f"{path} is damaged: its archive has two records of one name.")
    for entry in entries:
        _check_entry(path, entry)
    size = path.stat().st_size
    if sum(entry.file_size for entry in entries) > size:
        raise CorruptFileError(f"{path} is damaged: its records claim more bytes than the file's {size}.")
    return entries


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    what = f"the record '{printable(entry.filename)}'"
    if entry.flag_bits & _SCRAMBLED:
        raise CorruptFileError(f"{path}: {what} is encrypted. torch.save never encrypts.", hint="Unpack it first.")
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise CorruptFileError(
            f"{path}: {what} is compressed: {entry.compress_size} bytes that claim to become {entry.file_size}. torch.save "
            "never compresses.",
            hint="If you packed it yourself, unpack it and pack it again without compression (zip -0).",
        )
    limit = Limits().size
    if _is_pickle(entry.filename) and entry.file_size > limit:
        raise CorruptFileError(f"{path} is no checkpoint: its description of the tensors alone is over {limit} bytes.")


def _region(path: Path, stream: io.FileIO, entry: zipfile.ZipInfo) -> Region:
    """Where the record's bytes are: behind its own header, whose length only that header tells."""
    stream.seek(entry.header_offset)
    signature, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack(stream.read(_LOCAL.size))
    name = stream.read(name_length)
    start = entry.header_offset + _LOCAL.size + name_length + extra_length
    agrees = signature == b"PK\x03\x04" and not flags & _SCRAMBLED and method == zipfile.ZIP_STORED
    same = name == entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437", "replace")
    if not agrees or not same or start + entry.file_size > path.stat().st_size:
        raise CorruptFileError(f"{path} is damaged: the record '{printable(entry.filename)}' is not where its index says.")
    return Region(start, entry.file_size)


def _chunks(stream: io.FileIO, region: Region) -> Iterator[bytes]:
    stream.seek(region.offset)
    left = region.size
    while left > 0:
        chunk = stream.read(min(_CHUNK, left))
        if not chunk:
            raise EOFError("it ends early")
        left -= len(chunk)
        yield chunk


def _sum_fits(data: bytes, entry: zipfile.ZipInfo) -> bool:
    """Whether the checksum is right; PyTorch can be told to write none, and writes 0 then."""
    return entry.CRC in (0, zlib.crc32(data))


def _word(stream: io.FileIO, region: Region) -> str:
    return b"".join(_chunks(stream, Region(region.offset, min(region.size, 16)))).decode("ascii", "replace")
