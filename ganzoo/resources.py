"""Data sets, feature spaces and architectures by the names that people type."""

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ganzoo.building import network_class
from ganzoo.catalog import catalog
from ganzoo.data import TEXT_SUFFIXES, Dataset, TextDataset, open_pictures
from ganzoo.data.dataset import check_captions, check_labels
from ganzoo.data.files import PICTURE_SUFFIXES
from ganzoo.data.hugging_face import PREFIX, HuggingFacePictures, full_name
from ganzoo.errors import ConfigError, DataError, InvalidValueError, PluginError, UnknownNameError
from ganzoo.metrics import FEATURES, METRICS, Features, Metric, evaluator
from ganzoo.metrics.parts import open_metric
from ganzoo.models import Generator, Network
from ganzoo.naming import NameTable, closest
from ganzoo.plugin_host import Plugin, host
from ganzoo.spec import AnyRecipe, Architecture, Part, Role
from ganzoo.targets import import_callable

_OPTIONS = {"variant": "variant (after ':')", "weights": "file of weights (after '@')", "revision": "revision (after '@')"}


def open_dataset(text: str, *, split: str = "train") -> Dataset:
    """The data that ``text`` names: pictures, text, or a data set ``<name>[:<split>]`` of a plugin.

    What starts with ``.``, ``/`` or ``~`` or exists on disk is a folder or zip file of pictures, or a ``.txt`` or ``.jsonl``
    file of sentences. ``hf-datasets:`` before the name of a repository or a path means the library ``datasets``, see
    `ganzoo.data.hugging_face`.

    Raises:
        DataError: no such folder or file, or one without usable pictures or sentences.
        UnknownNameError: no such data set; carries the closest names.
        MissingExtraError: the data set needs an extra that is not installed.
        PluginError: the plugin that brings it does not give a `Dataset` with a name.
    """
    if _is_path(text):
        return _open_path(Path(text).expanduser())
    if text.startswith(PREFIX):
        return HuggingFacePictures(text.removeprefix(PREFIX), split=split)
    name, _, given = text.partition(":")
    part = _find_dataset(name)
    make = import_callable(part.target, f"The data set '{name}'", part.extra)
    if not _takes(make, "split"):
        raise PluginError(f"The data set '{name}' names '{part.target}', which takes no keyword argument 'split'.")
    made = make(split=given or split)
    if not isinstance(made, Dataset):
        raise PluginError(f"The data set '{name}' is a {type(made).__name__}, not a ganzoo.data.Dataset.")
    if not len(made):
        raise DataError(f"The data set '{text}' is empty.")
    _check_text(f"The data set '{name}'", made, "name")
    check_labels(made.name, len(made), made.labels, made.class_names)
    check_captions(made.name, len(made), made.captions)
    return made


def _takes(make: Callable[..., Any], option: str) -> bool:
    try:
        parameters = inspect.signature(make).parameters
    except ValueError:  # something built in, which does not tell
        return True
    return option in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _check_text(what: str, made: object, *attributes: str) -> None:
    for attribute in attributes:
        if not isinstance(getattr(made, attribute, None), str):
            raise PluginError(f"{what} has no attribute '{attribute}', or one that is no text: figures could not cite it.")


def _find_dataset(name: str) -> Part:
    try:
        return host().parts("ganzoo_datasets", "data set").find(name)
    except UnknownNameError as e:
        near = f" {e.hint}" if e.hint else ""
        raise UnknownNameError("data set", name, e.close, hint=f"There is no file or folder of that name either.{near}") from e


def data_source(text: str) -> str:
    """``text`` as a run directory records it: a folder or file by its full path, so that a run can be resumed from anywhere."""
    if _is_path(text):
        return str(Path(text).expanduser().resolve())
    if text.startswith(PREFIX):
        return PREFIX + full_name(text.removeprefix(PREFIX))
    return text


def open_features(text: str) -> Features:
    """The feature space that ``text`` names: ``<name>[:<variant>][@<revision or file of weights>]``.

    E.g. ``digits``, ``pixels:8``, ``timm:resnet50.a1_in1k``, ``inception@./weights.pth``. What follows ``@`` is a file where it
    starts with ``.``, ``/`` or ``~`` or exists on disk.

    Raises:
        UnknownNameError: no such feature space; carries the closest names.
        InvalidValueError: the feature space takes no variant, no file or no revision.
        MissingExtraError: it needs an extra that is not installed.
        PluginError: the plugin that brings it does not give `Features` with a name and a hash.
    """
    whole, _, weights = text.partition("@")
    name, _, variant = whole.partition(":")
    part = host().parts("ganzoo_features", "feature space", FEATURES).find(name)
    made = import_callable(part.target, f"The feature space '{name}'", part.extra)
    given: dict[str, str | Path] = {"variant": variant} if variant else {}
    if weights:
        given |= {"weights": Path(weights).expanduser()} if _is_path(weights) else {"revision": weights}
    for option in (option for option in given if not _takes(made, option)):
        raise InvalidValueError(
            f"The feature space '{name}' takes no {_OPTIONS[option]}; '{text}' gives one.", hint=f"Write: {name}"
        )
    features = made(**given)
    if not isinstance(features, Features):
        raise PluginError(f"The feature space '{name}' is a {type(features).__name__}, not a ganzoo.metrics.Features.")
    _check_text(f"The feature space '{name}'", features, "name", "sha256")
    return features


def open_metrics(names: Iterable[str]) -> tuple[Metric, ...]:
    """Metrics by name, of the core and of plugins.

    Raises:
        UnknownNameError: no such metric; carries the closest names.
        InvalidValueError: none is named, or one twice.
        MissingExtraError: one needs an extra that is not installed.
    """
    table = host().parts("ganzoo_metrics", "metric", METRICS)
    wanted = [name for name in names if name]
    if not wanted or len(set(wanted)) < len(wanted):
        raise InvalidValueError("Metrics are named once each, and at least one.", hint=f"There are: {', '.join(table)}.")
    return tuple(open_metric(_find_metric(table, name)) for name in wanted)


def open_evaluator(
    features: str, data: str, metrics: Iterable[str], samples: int
) -> Callable[[Generator[Any]], dict[str, float]]:
    """What measures a generator again and again while it is trained, from names.

    Args:
        features: The feature space, see `open_features`.
        data: The reference, see `open_dataset`.
        metrics: Names of metrics.
        samples: How many are generated for one measurement.

    Raises:
        UnknownNameError, InvalidValueError, MissingExtraError, DataError: a name, data or a combination that cannot be used.
    """
    return evaluator(open_features(features), open_dataset(data), open_metrics(metrics), samples)


def _find_metric(table: NameTable[Part], name: str) -> Part:
    try:
        return table.find(name)
    except UnknownNameError as e:
        if e.close:
            raise
        raise UnknownNameError("metric", name, list(table), hint=f"There are: {', '.join(table)}.") from e


def find_architecture(name: str) -> tuple[Plugin, Architecture]:
    """The architecture ``name`` or ``<plugin>/<name>`` and the plugin that brings it.

    Raises:
        UnknownNameError, AmbiguousNameError: see `ganzoo.naming.NameTable.find`.
    """
    try:
        return host().architectures().find(name)
    except UnknownNameError as e:
        card = next((c for c in catalog() if name in (c.name, *c.aliases)), None)
        if card is None:
            raise
        hint = f"'{name}' is a model; its architecture is '{card.architecture}'."
        raise UnknownNameError("architecture", name, [card.architecture], hint=hint) from e


def recipe_of(architecture: Architecture, name: str | None = None) -> AnyRecipe:
    """The architecture's own recipe, or the one that it calls ``name``.

    Raises:
        ConfigError: it has none, or none of that name.
    """
    if architecture.recipe is None:
        raise ConfigError(f"The architecture '{architecture.id}' has no recipe; it can be used but not trained.")
    if name is None:
        return architecture.recipe
    if name not in architecture.recipes:
        known = ", ".join(architecture.recipes)
        raise ConfigError(
            f"The architecture '{architecture.id}' has no recipe '{name}'.",
            hint=f"It has, besides its own: {known}." if known else "It has its own only: leave --recipe out.",
        )
    return architecture.recipes[name]


def network_classes(architecture: Architecture) -> dict[Role, type[Network]]:
    """The classes of its networks by role, imported.

    Raises:
        MissingExtraError: one of them needs an extra that is not installed.
        PluginError: one of them cannot be imported.
    """
    return {role: network_class(architecture, role) for role in architecture.networks}


def network_arguments(
    architecture: Architecture, settings: Iterable[str], table: Mapping[str, Any] | None = None
) -> dict[Role, dict[str, Any]]:
    """Constructor arguments by role from settings such as ``"image_size=32"``; the values are JSON, or else text.

    ``"discriminator.width=32"`` means one of the networks only.

    Args:
        architecture: Whose networks.
        settings: ``key=value`` each.
        table: Arguments that were given otherwise; ``settings`` are put over them.

    Raises:
        ConfigError: not ``key=value``, or an argument that the architecture does not have (with the closest).
    """
    takers: dict[str, list[Role]] = {}  # one name may stand twice, with another default for each network
    for declared in architecture.config:
        takers.setdefault(declared.name, []).extend(declared.roles)
    arguments: dict[Role, dict[str, Any]] = {role: {} for role in architecture.networks}
    given = {**(table or {}), **parse_settings(settings, "--config", "image_size=32")}
    for name, value in sorted(given.items(), key=lambda item: "." in item[0]):  # what names one network comes last and wins
        prefix, _, field = name.rpartition(".")
        if field not in takers or (prefix and prefix not in takers[field]):
            near = closest(name, list(takers)) or list(takers)
            raise ConfigError(f"'{architecture.id}' has no argument '{name}'.", hint=f"It has: {', '.join(near)}.")
        for role in takers[field]:
            if role in arguments and prefix in ("", role):
                arguments[role][field] = value
    return arguments


def parse_settings(settings: Iterable[str], option: str, example: str) -> dict[str, Any]:
    """``["key=value", …]`` as given to ``option``; a value is JSON, or else text.

    Raises:
        ConfigError: not ``key=value``.
    """
    parsed = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator or not name:
            raise ConfigError(f"'{setting}' is not of the form key=value.", hint=f"For example: {option} {example}")
        parsed[name] = _json_or_text(text)
    return parsed


def _json_or_text(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text


def _open_path(path: Path) -> Dataset:
    """The data in a file or folder, going by its suffix."""
    suffix = path.suffix.lower()
    if suffix in TEXT_SUFFIXES and not path.is_dir():
        return TextDataset.from_file(path)
    if path.is_file() and suffix not in (".zip", *PICTURE_SUFFIXES):
        raise DataError(
            f"{path} is neither pictures nor text.",
            hint="Pictures come in a folder or a .zip file, sentences in a .txt or .jsonl file, which must not be packed.",
        )
    return open_pictures(path)


def _is_path(text: str) -> bool:
    return text.startswith((".", "/", "~")) or os.path.lexists(text)
