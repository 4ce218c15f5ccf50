"""Tokenizers as bytes in a tensor, so that they travel inside every checkpoint, and back: JSON, compressed, never code."""

import zlib
from typing import Any

import msgspec
import torch
from torch import Tensor

from ganzoo.errors import CorruptFileError, InvalidValueError
from ganzoo.tokenizers.base import Tokenizer
from ganzoo.tokenizers.characters import CharTokenizer
from ganzoo.tokenizers.hugging_face import HuggingFaceTokenizer
from ganzoo.tokenizers.ids import IdTokenizer
from ganzoo.tokenizers.roles import Roles
from ganzoo.tokenizers.words import WordTokenizer

LARGEST = 128 * 2**20  # bytes of JSON; the largest vocabularies in use take 35 MB
_LEVEL = 9
_ADVICE = "The checkpoint is damaged, or another program wrote it."


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    pass


class _Words(_Written, frozen=True, tag=WordTokenizer.kind):
    words: list[str]
    lower: bool

    def make(self) -> Tokenizer:
        return WordTokenizer(self.words, lower=self.lower)


class _Characters(_Written, frozen=True, tag=CharTokenizer.kind):
    characters: list[str]
    lower: bool

    def make(self) -> Tokenizer:
        return CharTokenizer(self.characters, lower=self.lower)


class _Ids(_Written, frozen=True, tag=IdTokenizer.kind):
    size: int

    def make(self) -> Tokenizer:
        return IdTokenizer(self.size)


class _HuggingFace(_Written, frozen=True, tag=HuggingFaceTokenizer.kind):
    definition: str
    roles: Roles

    def make(self) -> Tokenizer:
        return HuggingFaceTokenizer(self.definition, self.roles, name="the checkpoint's tokenizer")


_Any = _Words | _Characters | _Ids | _HuggingFace


def tokenizer_of(value: Any) -> Tokenizer:
    """The tokenizer whose `Tokenizer.to_json` is ``value``.

    Raises:
        CorruptFileError: it is none.
        MissingExtraError: it needs a package that is not installed.
    """
    try:
        written: _Any = msgspec.convert(value, type=_Any)
        return written.make()
    except (msgspec.ValidationError, InvalidValueError) as e:
        raise CorruptFileError(f"This is no tokenizer: {e}", hint=_ADVICE) from e


def encode_tokenizer(tokenizer: Tokenizer) -> Tensor:
    """``tokenizer`` as uint8 ``[n]``: its JSON in UTF-8, compressed by zlib.

    Raises:
        InvalidValueError: one that is too large to be read again.
    """
    written = tokenizer.to_bytes()
    if len(written) > LARGEST:
        raise InvalidValueError(f"{tokenizer!r} takes {len(written)} bytes, more than the {LARGEST} that are read again.")
    return torch.frombuffer(bytearray(zlib.compress(written, _LEVEL)), dtype=torch.uint8)


def decode_tokenizer(table: Tensor) -> Tokenizer:
    """The tokenizer in ``table``, uint8 ``[n]``.

    Raises:
        CorruptFileError: it holds none, or one that unpacks to more than 128 MiB.
        MissingExtraError: it needs a package that is not installed.
    """
    if table.dtype != torch.uint8 or table.dim() != 1:
        raise CorruptFileError(f"A tokenizer is saved as uint8 [n], not as {table.dtype} {list(table.shape)}.", hint=_ADVICE)
    return read_tokenizer(table.cpu().contiguous().numpy().tobytes())


def read_tokenizer(compressed: bytes) -> Tokenizer:
    """The tokenizer in ``compressed``, as `decode_tokenizer`."""
    unpacker = zlib.decompressobj()
    try:
        written = unpacker.decompress(compressed, LARGEST)
        if not unpacker.eof:
            more = "it unpacks to more than a tokenizer can have" if len(written) == LARGEST else "it is cut off"
            raise CorruptFileError(f"The saved tokenizer cannot be used: {more}.", hint=_ADVICE)
        if unpacker.unused_data:
            raise CorruptFileError("The saved tokenizer cannot be used: something follows it.", hint=_ADVICE)
        return tokenizer_of(msgspec.json.decode(written))
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise CorruptFileError(f"The saved tokenizer cannot be read: {e}.", hint=_ADVICE) from e
