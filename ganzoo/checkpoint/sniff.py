"""Tells what a file is from its bytes. A suffix is never believed."""

import stat
import string
from pathlib import Path
from typing import Literal

from ganzoo.errors import CheckpointError, CorruptFileError

Format = Literal["safetensors", "torch-zip", "pickle"]
HEAD = 512

_OTHER_FILES = (
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"\x89HDF", "an HDF5 file, as Keras writes them", None),
    (b"\x93NUMPY", "a NumPy array", None),
    (b"GGUF", "a GGUF file", None),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it first."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it first."),
    (b"BZh", "a bzip2 archive", "Unpack it first."),
    (b"Rar!", "a rar archive", "Unpack it first."),
    (b"\x89PNG", "a PNG picture", None),
    (b"\xff\xd8\xff", "a JPEG picture", None),
    (b"%PDF", "a PDF document", None),
)
_TAR_HINT = "If a checkpoint is in it, unpack it first. If torch.save made it (before 2017), load it there and save it again."
_PRINTABLE = frozenset(string.printable.encode())


def sniff(path: Path) -> Format:
    """The container of a checkpoint file.

    ``pickle`` covers what begins like a pickle: the legacy format of ``torch.save`` and any other pickle.

    Raises:
        CheckpointError: the path is missing, a folder, or not readable.
        CorruptFileError: the file is empty or something else than a checkpoint; the message says what.
    """
    head = _head(path)
    if not head:
        raise CorruptFileError(f"{path} is empty.", hint="Download it again.")
    _refuse_known(path, head)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "torch-zip"
    if head[8:9] == b"{":
        return "safetensors"
    if head[0] == 0x80 or head[:1] in b"(]}cdl":  # from protocol 2 on, and the openings of protocols 0 and 1
        return "pickle"
    raise CorruptFileError(
        f"{path} is {describe(head)}, not a checkpoint.", hint="Use a safetensors file or one of torch.save."
    )


def describe(head: bytes) -> str:
    """What bytes of no known format look like, in words."""
    if all(byte == 0 for byte in head):
        return "full of zeros (a download that never finished?)"
    return "a text file" if _is_text(head) else "of an unknown format or damaged at its beginning"


def _is_text(head: bytes) -> bool:
    return sum(byte in _PRINTABLE for byte in head) >= 0.9 * len(head) and 0 not in head


def _head(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CheckpointError(f"{path} is a folder, not a checkpoint file.", hint="Name the file inside it.")
        if not stat.S_ISREG(mode):  # a pipe or a device could block for ever
            raise CheckpointError(f"{path} is not a regular file.")
        with path.open("rb") as stream:
            return stream.read(HEAD)
    except (FileNotFoundError, NotADirectoryError) as e:
        raise CheckpointError(f"There is no file {path}.") from e
    except OSError as e:
        raise CheckpointError(f"{path} cannot be read: {e.strerror or e}.") from e


def _refuse_known(path: Path, head: bytes) -> None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"version https://git-lfs"):
        raise CorruptFileError(
            f"{path} is a Git LFS pointer, a note of 130 bytes that stands for the real file.",
            hint="Fetch the file itself: git lfs pull, or download it from the Hub.",
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise CorruptFileError(
            f"{path} is a web page, not a checkpoint.", hint="The link led to a page; use its download link, or log in first."
        )
    if text.startswith((b'{"', b"{\n", b"{}", b"[{")) and _is_text(head):
        raise CorruptFileError(f"{path} is JSON text, not a checkpoint.")
    if head[257:262] == b"ustar":
        raise CorruptFileError(f"{path} is a tar archive, not a checkpoint.", hint=_TAR_HINT)
    for magic, what, hint in _OTHER_FILES:
        if head.startswith(magic):
            raise CorruptFileError(f"{path} is {what}, not a checkpoint.", hint=hint)
