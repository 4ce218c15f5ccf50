"""Card files: TOML to typed, frozen, validated model cards. Every error names the file, the model and the field.

Everything outside the tables ``[model.<name>]`` is shared by all models of the file; a model's own field replaces a shared one.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ganzoo.catalog.index import Problem
from ganzoo.spec import ModelCard


def read_cards(file: Path) -> Iterator[ModelCard | Problem]:
    """The cards of one file; what is wrong with one of them does not touch the others."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        yield Problem(str(file), None, f"the file cannot be read: {e}")
        return
    models = content.pop("model", None)
    if not isinstance(models, dict) or not models:
        yield Problem(str(file), None, "the file has no [model.<name>] table")
        return
    for name, fields in models.items():
        yield _decode(file, name, content, fields)


def _decode(file: Path, name: str, shared: dict[str, Any], fields: object) -> ModelCard | Problem:
    if not isinstance(fields, dict):
        return Problem(str(file), name, f"[model.{name}] must be a table")
    if "name" in fields:
        return Problem(str(file), name, "field `name`: the table's name is the model's name; leave the field out")
    try:
        card = msgspec.convert({**shared, **fields, "name": name}, ModelCard)
    except msgspec.ValidationError as e:
        return Problem(str(file), name, str(e))
    problem = _licence_problem(card)
    return card if problem is None else Problem(str(file), name, problem)


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
