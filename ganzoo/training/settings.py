"""Recipes changed by TOML and by ``--set key=value``, validated before anything starts."""

import copy
import json
import math
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ganzoo.errors import ConfigError
from ganzoo.spec import AnyRecipe, Optimizer, Phase, Recipe, Regularizer, Schedule, Scheduled
from ganzoo.training.invalid import reason, whole
from ganzoo.training.methods import method_of
from ganzoo.training.names import unknown
from ganzoo.training.parts import find, table
from ganzoo.training.schedules import extremes

_OPEN = {  # dictionaries whose keys are names: what a name stands for when nothing is said about it
    "regularizers": msgspec.to_builtins(Regularizer()),
    "augment.pipeline": 1.0,
    "phases": msgspec.to_builtins(Phase()),
}
_FREE = "options"  # a dictionary that only the part itself can judge, and everything in it
_TAG = "kind"
R = TypeVar("R", bound=AnyRecipe)


def apply_settings(recipe: R, settings: Iterable[str] = (), table: Mapping[str, Any] | None = None) -> R:
    """``recipe`` with the fields of ``table`` and then ``settings`` put over its own.

    Settings are such as ``"batch_size=32"``, ``"generator.lr=1e-4"``, ``"regularizers.r1.weight=1"``, ``"regularizers=r1,r2"``
    or ``"augment.pipeline=translation,cutout"``; ``null`` takes a regulariser, an augmentation, a phase or an option out again.

    Args:
        recipe: What to begin with.
        settings: ``key=value`` each.
        table: Nested, as TOML gives it.

    Raises:
        ConfigError: not ``key=value``; an unknown key or name (with the closest ones); a value of the wrong type or out of
            range.
        UnknownNameError: a loss, regulariser, augmentation or constraint that does not exist.
    """
    kind = type(recipe)
    fields: dict[str, Any] = msgspec.to_builtins(recipe)
    del fields[_TAG]  # no setting turns a recipe into one of another kind
    if table:
        _merge(fields, whole(table), "")
        _convert(fields, kind, "The recipe in the file")
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not key.strip():
            raise ConfigError(f"'{setting}' is not of the form key=value.", hint="For example: --set generator.lr=1e-4")
        _replace(fields, key.strip(), text.strip())
        _convert(fields, kind, setting)  # one by one, so that the message names the setting that is wrong
    changed = _convert(fields, kind, "The recipe")
    check_recipe(changed)
    return changed


def read_settings(file: Path, allowed: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The tables of a TOML file.

    Args:
        file: The file.
        allowed: Names of the tables that it may have.

    Raises:
        ConfigError: it cannot be read, is no TOML, or has something else in it.
    """
    known = list(allowed)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigError(f"{file} cannot be read: {e.strerror or e}.") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{file} is not valid TOML: {e}.") from e
    for name, value in content.items():
        if name not in known:
            raise unknown(f"table in {file}", name, known)
        if not isinstance(value, dict):
            raise ConfigError(f"'{name}' in {file} is not a table.", hint=f"Write [{name}] and its fields below it.")
    return content


def check_recipe(recipe: AnyRecipe) -> None:
    """Refuses names that nobody knows, values out of range and settings that contradict each other.

    Raises:
        ConfigError: with what is wrong or what contradicts what.
        UnknownNameError: with the closest names.
    """
    method_of(recipe).check(recipe)


def check_adversarial(recipe: Recipe) -> None:
    """As `check_recipe`, of adversarial recipes."""
    loss = find("loss", recipe.loss)
    for name, regularizer in recipe.regularizers.items():
        find("regulariser", name).from_options(name, regularizer.options).check(recipe)
    for name in recipe.augment.pipeline:
        table("augmentation").find(name)
    for name in recipe.constraints:
        table("constraint").find(name)
    if recipe.label_smoothing and not loss.smoothing:
        raise ConfigError(
            f"The loss '{loss.name}' has no labels that could be smoothed.",
            hint="Set label_smoothing=0 or choose another loss.",
        )
    if recipe.augment.target is not None and not loss.zero_centred:
        raise ConfigError(
            f"The sign of a score means nothing with the loss '{loss.name}', so augment.target cannot be followed.",
            hint="Set augment.p to a number or a schedule, or choose another loss.",
        )
    if recipe.augment.target is not None and not recipe.augment.pipeline:
        raise ConfigError("augment.target needs an augmentation.", hint="For example: --set augment.pipeline=ada-bgc")
    if loss.compares and extremes(recipe.top_k)[0] < 1:
        raise ConfigError(f"top_k cannot be used with the loss '{loss.name}', which compares pairs.", hint="Set top_k=1.")
    _check_ranges(recipe)


def check_optimizers(recipe: AnyRecipe) -> None:
    """Refuses rates and decays out of range.

    Raises:
        ConfigError: with the field.
    """
    check_optimizer("generator", recipe.generator)
    check_optimizer("discriminator", recipe.discriminator)
    check_range("ema_images", recipe.ema_images, 0, math.inf, "at least 0")


def check_optimizer(field: str, options: Optimizer) -> None:
    """Refuses a rate or a decay out of range; ``field`` is named in the error.

    Raises:
        ConfigError: it is.
    """
    fixed = not isinstance(options.lr, Schedule)  # one that ends at 0 is usual
    check_range(f"{field}.lr", options.lr, 0, math.inf, "above 0" if fixed else "at least 0", open_below=fixed)
    for i, beta in enumerate(options.betas):
        check_range(f"{field}.betas[{i}]", beta, 0, 0.9999999, "in [0, 1)")


def _check_ranges(recipe: Recipe) -> None:
    check_optimizers(recipe)
    for name, regularizer in recipe.regularizers.items():
        if regularizer.weight is not None:
            check_range(f"regularizers.{name}.weight", regularizer.weight, 0, math.inf, "at least 0")
    if recipe.augment.p is not None:
        check_range("augment.p", recipe.augment.p, 0, 1, "in [0, 1]")
    check_range("instance_noise", recipe.instance_noise, 0, math.inf, "at least 0")
    check_range("top_k", recipe.top_k, 0, 1, "in (0, 1]", open_below=True)


def check_range(key: str, value: Scheduled, low: float, high: float, words: str, *, open_below: bool = False) -> None:
    """Refuses a number, or a schedule that ever is, outside of ``low`` to ``high``; ``words`` say so.

    Raises:
        ConfigError: it is.
    """
    smallest, largest = extremes(value)
    below = smallest <= low if open_below else smallest < low
    if below or largest > high or not (math.isfinite(smallest) and math.isfinite(largest)):
        raise ConfigError(f"{key} must be {words}, not {(smallest if below else largest):g}.")


def _replace(fields: dict[str, Any], key: str, text: str) -> None:
    """Sets the field at the dotted ``key`` to what ``text`` says."""
    *outer, last = key.split(".")
    inner = fields
    path = ""
    for part in outer:
        path = f"{path}.{part}" if path else part
        inner = _enter(inner, part, path, fields)
    path = f"{path}.{last}" if path else last
    inside = path.rpartition(".")[0]
    if last not in inner and inside not in _OPEN and not _is_free(inside):
        raise unknown("recipe field", key, _dotted(fields))
    before = inner.get(last)
    value = _value(text)
    if path in _OPEN:
        inner[last] = _named(path, text)
    elif value is None and (inside in _OPEN or _is_free(inside)):
        inner.pop(last, None)
    elif not isinstance(value, dict) and _has_fields(before if last in inner else _OPEN.get(inside)):
        raise ConfigError(f"'{path}' has fields of its own.", hint=f"For example: --set {_example(path)}")
    else:
        inner[last] = _several(text) if isinstance(before, list | tuple) else value


def _enter(inner: dict[str, Any], part: str, path: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The dictionary ``part`` of ``inner``; made where it is the name of something not yet used."""
    inside = path.rpartition(".")[0]
    if part not in inner and (inside in _OPEN or _is_free(inside)):
        inner[part] = copy.deepcopy(_OPEN.get(inside, {}))
    found = inner.get(part)
    if isinstance(found, int | float):
        raise ConfigError(
            f"'{path}' is a number and has no fields.",
            hint=f'A schedule is written whole: --set \'{path}={{"start": 1e-3, "end": 1e-4}}\'',
        )
    if not isinstance(found, dict):
        raise unknown("recipe field", path, _dotted(fields))
    return found


def _merge(fields: dict[str, Any], changes: Mapping[str, Any], prefix: str) -> None:
    """Puts nested ``changes`` over ``fields``; the names of regularisers and augmentations replace those that were there."""
    for name, value in changes.items():
        path = f"{prefix}{name}"
        inside = prefix.removesuffix(".")
        if path in _OPEN:
            fields[name] = {}
            for each, inner in _names(path, value).items():
                fields[name][each] = _put_over(_OPEN[path], inner, f"{path}.{each}.")
        elif name not in fields and inside not in _OPEN and not _is_free(inside):
            raise unknown("recipe field", path, _dotted(fields, prefix))
        else:
            fields[name] = _put_over(fields.get(name), value, f"{path}.")


def _put_over(before: Any, value: Any, prefix: str) -> Any:
    """``value``; where both are tables, the table ``before`` with what ``value`` has put over it."""
    if not isinstance(value, Mapping) or not _has_fields(before):
        return value
    merged = copy.deepcopy(before)
    _merge(merged, value, prefix)
    return merged


def _names(path: str, value: Any) -> Mapping[str, Any]:
    """The names at ``path`` in a file: a table, a list, or text with commas."""
    if isinstance(value, Mapping):
        return value
    return _named(path, ",".join(map(str, value)) if isinstance(value, list) else str(value))


def _is_free(path: str) -> bool:
    return _FREE in path.split(".")


def _is_schedule(value: dict[str, Any]) -> bool:
    return {"start", "end"} <= value.keys()


def _has_fields(value: Any) -> bool:
    return isinstance(value, dict) and not _is_schedule(value)


def _example(path: str) -> str:
    return {
        "augment": "augment.p=0.5",
        "regularizers": "regularizers=r1",
        "augment.pipeline": "augment.pipeline=translation,cutout",
    }.get(path, f"{path}.weight=1" if path.startswith("regularizers.") else f"{path}.lr=1e-4")


def _named(path: str, text: str) -> dict[str, Any]:
    """``r1,r2`` or JSON as the dictionary of names at ``path``."""
    value = _value(text)
    if isinstance(value, dict):
        return value
    names = [part.strip() for part in text.split(",") if part.strip() and part.strip() != "null"]
    return {name: copy.deepcopy(_OPEN[path]) for name in names}


def _dotted(fields: Mapping[str, Any], prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, value in fields.items():
        inner = isinstance(value, dict) and bool(value) and not _is_schedule(value)
        names += _dotted(value, f"{prefix}{name}.") if inner else [prefix + name]
    return names


def _value(text: str) -> Any:
    """JSON where it is JSON, else the text itself; whole numbers may be written as ``1e6``."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    if isinstance(value, float) and not math.isfinite(value):
        return text  # no number that a recipe could use: refused for its type
    return whole(value)


def _several(text: str) -> list[Any]:
    """A JSON list, or values between commas; nothing is the empty list."""
    value = _value(text)
    if isinstance(value, list):
        return value
    return [_value(part.strip()) for part in text.split(",") if part.strip()]


def _convert(fields: dict[str, Any], kind: type[R], setting: str) -> R:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as e:
        raise ConfigError(f"{setting} cannot be used: {reason(e, kind)}.") from e
