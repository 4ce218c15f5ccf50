"""Any fast tokenizer of transformers: its ``tokenizer.json``, which is data, and the roles of its special tokens.

Needs the package ``tokenizers`` (extra ``text``). Nothing of a folder or repository is ever executed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

from ganzoo.errors import CorruptFileError, DataError, InvalidValueError, MissingExtraError, RemoteFileNotFoundError
from ganzoo.hub import fetch_file
from ganzoo.tokenizers.base import Tokenizer, quoted
from ganzoo.tokenizers.roles import SETTINGS, Roles

EXTRA = "text"
FILE = "tokenizer.json"
SETTING_FILES = ("special_tokens_map.json", "tokenizer_config.json")  # the later one wins
LARGEST = 64 * 2**20  # bytes; a vocabulary of 250,000 tokens takes 35 MB
_HOLES = 10_000  # ids without a token that a vocabulary may have


class HuggingFaceTokenizer(Tokenizer):
    """A tokenizer of the library ``tokenizers``. It cuts nothing and adds nothing by itself: `batch` does.

    Args:
        definition: The text of its ``tokenizer.json``.
        roles: Which of its tokens pad, start, end and stand for unknown text; what ``settings`` say unless given.
        settings: See `Roles.of`; where they say nothing, usual names count.
        name: Where it comes from, for errors.

    Raises:
        MissingExtraError: ``tokenizers`` is not installed.
        CorruptFileError: ``definition`` is none.
        InvalidValueError: it has no token that could start or end a sentence, or one of ``roles`` is not in its vocabulary.
    """

    kind: ClassVar[str] = "hugging-face"

    def __init__(
        self, definition: str, roles: Roles | None = None, *, settings: Mapping[str, Any] | None = None, name: str = FILE
    ) -> None:
        self._engine = _engine(definition, name)
        ids = _vocabulary(self._engine, name)
        self._roles = Roles.of(settings or {}, ids) if roles is None else roles
        given = {role: _id(ids, role, token, name) for role, token in self._roles.items()}
        if "start" not in given or "end" not in given:
            raise InvalidValueError(
                f"{name} has no token that could start and end a sentence.", hint="Use the tokenizer of another model."
            )
        self.start, self.end, self.unknown = given["start"], given["end"], given.get("unknown")
        self.pad = given.get("pad", self.end)
        by_id = {i: token for token, i in ids.items()}
        self.vocabulary = tuple(by_id.get(i, f"<unused {i}>") for i in range(max(by_id) + 1))

    @classmethod
    def of(cls, tokenizer: Any) -> Self:
        """From a ``tokenizers.Tokenizer`` or a fast tokenizer of transformers.

        Raises:
            InvalidValueError: something else.
        """
        engine = getattr(tokenizer, "backend_tokenizer", tokenizer)
        if not callable(getattr(engine, "to_str", None)):
            raise InvalidValueError(f"A {type(tokenizer).__name__} is no fast tokenizer: it has no {FILE}.")
        name = type(tokenizer).__name__
        _vocabulary(engine, name)  # first: writing an absurd one takes minutes
        settings = {key: getattr(tokenizer, key, None) for keys in SETTINGS.values() for key in keys}
        return cls(engine.to_str(), settings=settings, name=name)

    @classmethod
    def load(cls, source: str) -> Self:
        """From a folder, or from the Hub.

        Args:
            source: A path, where it exists or begins with ``.``, ``/`` or ``~``; else ``organisation/name[@revision]``.

        Raises:
            CorruptFileError: no such folder, no ``tokenizer.json`` in it, or a damaged one.
            HubError: it could not be had from the Hub.
        """
        path = Path(source).expanduser()
        if source.startswith((".", "/", "~")) or path.exists():
            return cls._read(source, {file: path / file for file in (FILE, *SETTING_FILES)})
        repository, _, revision = source.partition("@")
        definition = fetch_file(repository, FILE, revision=revision or None)
        files = {FILE: definition.path}
        for file in SETTING_FILES:
            try:
                files[file] = fetch_file(repository, file, revision=definition.revision).path
            except RemoteFileNotFoundError:
                continue  # newer repositories have one of them, some have none
        return cls._read(source, files)

    @classmethod
    def _read(cls, source: str, files: dict[str, Path]) -> Self:
        definition = _text(files[FILE])
        settings: dict[str, Any] = {}
        for file in SETTING_FILES:
            if file in files and files[file].exists():
                settings |= {key: value for key, value in _object(files[file]).items() if value is not None}
        return cls(definition, settings=settings, name=source)

    def encode(self, text: str) -> list[int]:
        """The tokens of ``text``, without start, end and padding. What looks like a special token is text like any other.

        Raises:
            DataError: the vocabulary reads a part of ``text`` as its start, end or padding all the same.
        """
        ids: list[int] = self._engine.encode(text, add_special_tokens=False).ids
        special = self._hidden() - {self.unknown}
        found = next((i for i in ids if i in special), None)
        if found is not None:
            raise DataError(
                f"{self.vocabulary[found]!r} is a special token of this tokenizer, and stands in a text: {quoted(text)}.",
                hint="Take it out of the text: it would end or begin a sentence there.",
            )
        return ids

    def join(self, ids: list[int]) -> str:
        """Text as the tokenizer's own decoder puts it together."""
        text: str = self._engine.decode(ids, skip_special_tokens=False)
        return text

    def to_json(self) -> dict[str, Any]:
        """``{"kind": "hugging-face", "definition": the text of tokenizer.json, "roles": {…}}``."""
        return {"kind": self.kind, "definition": self._engine.to_str(), "roles": asdict(self._roles)}

    def _hidden(self) -> frozenset[int]:
        return super()._hidden() | {self.start}


def _engine(definition: str, name: str) -> Any:
    try:
        import tokenizers
    except ImportError as e:
        raise MissingExtraError(f"The tokenizer {name}", "tokenizers", EXTRA) from e
    try:
        engine = tokenizers.Tokenizer.from_str(definition)
    except Exception as e:  # the library has no class of its own for what it cannot read
        raise CorruptFileError(f"{name} has no readable {FILE}: {str(e) or type(e).__name__}.") from e
    engine.no_truncation()
    engine.no_padding()
    engine.encode_special_tokens = True  # nothing in a text is special; not written into the definition
    return engine


def _vocabulary(engine: Any, name: str) -> dict[str, int]:
    ids: dict[str, int] = engine.get_vocab(with_added_tokens=True)
    if not ids or max(ids.values()) > len(ids) + _HOLES:
        raise CorruptFileError(f"{name} numbers its {len(ids)} tokens in a way that no vocabulary does.")
    return ids


def _id(ids: dict[str, int], role: str, token: str, name: str) -> int:
    if token not in ids:
        raise InvalidValueError(f"{name} has no token {token!r}, which was to be its '{role}'.")
    return ids[token]


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise CorruptFileError(f"{file} has more than {LARGEST} bytes; no tokenizer needs that.")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as e:
        hint = "Only fast tokenizers have one: load it with transformers and call save_pretrained."
        raise CorruptFileError(f"There is no {file}.", hint=hint) from e
    except (OSError, UnicodeDecodeError) as e:
        raise CorruptFileError(f"{file} cannot be read: {e}.") from e


def _object(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(_text(file))
    except (ValueError, RecursionError) as e:
        raise CorruptFileError(f"{file} is no JSON: {e}.") from e
    return value if isinstance(value, dict) else {}
