"""Card files: TOML to typed, frozen, validated model cards. Every error names the file, the model and the field.

Everything outside the tables ``[model.<name>]`` is shared by all models of the file; a model's own field replaces a shared one.
"""

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ganzoo.catalog.index import Problem, printable_path
from ganzoo.spec import ModelCard

LARGEST = 1_000_000  # bytes of a card file; a thousand models fit


def read_cards(file: Path) -> Iterator[ModelCard | Problem]:
    """The cards of one file; what is wrong with one of them does not touch the others."""
    name = printable_path(str(file))
    try:
        content = tomllib.loads(_text(file))
    except (OSError, ValueError, RecursionError) as e:  # broken TOML and bad UTF-8 are ValueErrors
        yield Problem(name, None, f"the file cannot be read: {e}")
        return
    models = content.pop("model", None)
    if not isinstance(models, dict) or not models:
        yield Problem(name, None, "the file has no [model.<name>] table")
        return
    for model, fields in models.items():
        yield _decode(name, model, content, fields)


def _text(file: Path) -> str:
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
        raise ValueError("it is no regular file")
    if status.st_size > LARGEST:
        raise ValueError(f"it has {status.st_size:,} bytes; a card file has at most {LARGEST:,}")
    return file.read_text(encoding="utf-8")


def _decode(file: str, name: str, shared: dict[str, Any], fields: object) -> ModelCard | Problem:
    if not isinstance(fields, dict):
        return Problem(file, name, f"[model.{name}] must be a table")
    if "name" in fields:
        return Problem(file, name, "field `name`: the table's name is the model's name; leave the field out")
    try:
        card = msgspec.convert({**shared, **fields, "name": name}, ModelCard)
    except (msgspec.ValidationError, RecursionError) as e:
        return Problem(file, name, str(e))
    problem = _licence_problem(card) or _json_problem(card)
    return card if problem is None else Problem(file, name, problem)


def _json_problem(card: ModelCard) -> str | None:
    """What TOML can say and JSON cannot: the card must be the same when it comes back from the cache."""
    try:
        same = msgspec.json.decode(msgspec.json.encode(card), type=ModelCard) == card
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        same = False
    return None if same else "a value is no JSON value: NaN, infinity, a date or a number beyond 64 bits"


def _licence_problem(card: ModelCard) -> str | None:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    for field in ("weights", "code"):
        identifier = getattr(card.licence, field)
        try:
            canonical = canonicalize_license_expression(identifier)
        except InvalidLicenseExpression as e:
            return f"{e} - at `$.licence.{field}`; use an SPDX identifier or LicenseRef-<name>"
        if canonical != identifier:
            return f"write '{canonical}', not '{identifier}' - at `$.licence.{field}`"
    return None
