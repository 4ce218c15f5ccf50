"""``--set key=value``: a recipe with some of its fields replaced, validated before anything starts."""

import json
import math
from collections.abc import Iterable
from typing import Any

import msgspec

from ganzoo.errors import ConfigError
from ganzoo.spec import Recipe
from ganzoo.training.augment import augmentations
from ganzoo.training.losses import find_loss
from ganzoo.training.names import unknown


def apply_overrides(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """``recipe`` with ``settings`` such as ``"batch_size=32"``, ``"generator.lr=1e-4"`` or ``"augment=translation,cutout"``.

    Raises:
        ConfigError: not ``key=value``; an unknown key or name (with the closest ones); a value of the wrong type or out of
            range.
    """
    fields: dict[str, Any] = msgspec.to_builtins(recipe)
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not key.strip():
            raise ConfigError(f"'{setting}' is not of the form key=value.", hint="For example: --set generator.lr=1e-4")
        _replace(fields, key.strip(), text.strip())
        _convert(fields, setting)  # one by one, so that the message names the setting that is wrong
    changed = _convert(fields, "the recipe")
    check_recipe(changed)
    return changed


def check_recipe(recipe: Recipe) -> None:
    """Refuses names that nobody knows and settings that contradict each other.

    Raises:
        ConfigError: with the closest names, or with what contradicts what.
    """
    loss = find_loss(recipe.loss)
    augmentations(recipe.augment)
    if recipe.label_smoothing and not loss.smoothing:
        raise ConfigError(
            f"The loss '{loss.name}' has no labels that could be smoothed.",
            hint="Set label_smoothing=0 or choose another loss.",
        )


def _replace(fields: dict[str, Any], key: str, text: str) -> None:
    """Sets the field at the dotted ``key`` to what ``text`` says."""
    *outer, last = key.split(".")
    known = _dotted(fields)
    inner: Any = fields
    for part in outer:
        inner = inner.get(part) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or last not in inner:
        raise unknown("recipe field", key, known)
    if isinstance(inner[last], dict):
        raise ConfigError(
            f"'{key}' has fields of its own.", hint=f"Set one of {', '.join(k for k in known if k.startswith(key))}."
        )
    inner[last] = _several(text) if isinstance(inner[last], list | tuple) else _value(text)


def _dotted(fields: dict[str, Any], prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, value in fields.items():
        names += _dotted(value, f"{prefix}{name}.") if isinstance(value, dict) else [prefix + name]
    return names


def _value(text: str) -> Any:
    """JSON where it is JSON, else the text itself; whole numbers may be written as ``1e6``."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    if isinstance(value, float) and not math.isfinite(value):
        return text  # no number that a recipe could use: refused for its type
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _several(text: str) -> list[Any]:
    """A JSON list, or values between commas; nothing is the empty list."""
    value = _value(text)
    if isinstance(value, list):
        return value
    return [_value(part.strip()) for part in text.split(",") if part.strip()]


def _convert(fields: dict[str, Any], setting: str) -> Recipe:
    try:
        return msgspec.convert(fields, Recipe)
    except msgspec.ValidationError as e:
        raise ConfigError(f"{setting} cannot be used: {e}.") from e
