"""Data sets, feature spaces and architectures by the names that people type."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from ganzoo.building import network_class
from ganzoo.catalog import catalog
from ganzoo.data import Dataset, ImageFolder
from ganzoo.errors import ConfigError, DataError, PluginError, UnknownNameError
from ganzoo.metrics import FEATURES, Features
from ganzoo.models import Network
from ganzoo.naming import closest
from ganzoo.plugin_host import Plugin, host, resolve_target
from ganzoo.spec import Architecture, Part, Role


def open_dataset(text: str, *, split: str = "train") -> Dataset:
    """The data that ``text`` names: a folder of pictures, or a data set ``<name>[:<split>]`` of a plugin.

    What starts with ``.``, ``/`` or ``~`` or exists on disk is a folder.

    Raises:
        DataError: no such folder, or one without usable pictures.
        UnknownNameError: no such data set; carries the closest names.
        MissingExtraError: the data set needs an extra that is not installed.
    """
    if text.startswith((".", "/", "~")) or os.path.lexists(text):
        return ImageFolder(Path(text).expanduser())
    name, _, given = text.partition(":")
    part = _find_dataset(name)
    made = resolve_target(part)(split=given or split)
    if not isinstance(made, Dataset):
        raise PluginError(f"The data set '{name}' is a {type(made).__name__}, not a ganzoo.data.Dataset.")
    if not len(made):
        raise DataError(f"The data set '{text}' is empty.")
    return made


def _find_dataset(name: str) -> Part:
    try:
        return host().parts("ganzoo_datasets", "data set").find(name)
    except UnknownNameError as e:
        near = f" {e.hint}" if e.hint else ""
        raise UnknownNameError("data set", name, e.close, hint=f"There is no folder of that name either.{near}") from e


def data_source(text: str) -> str:
    """``text`` as a run directory records it: a folder by its full path, so that the run can be resumed from anywhere."""
    if text.startswith((".", "/", "~")) or os.path.lexists(text):
        return str(Path(text).expanduser().resolve())
    return text


def open_features(name: str) -> Features:
    """The feature space of that name.

    Raises:
        UnknownNameError: no such feature space; carries the closest names.
        MissingExtraError: it needs an extra that is not installed.
    """
    features: Features = resolve_target(host().parts("ganzoo_features", "feature space", FEATURES).find(name))()
    return features


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


def network_classes(architecture: Architecture) -> dict[Role, type[Network]]:
    """The classes of its networks by role, imported.

    Raises:
        MissingExtraError: one of them needs an extra that is not installed.
        PluginError: one of them cannot be imported.
    """
    return {role: network_class(architecture, role) for role in architecture.networks}


def network_arguments(architecture: Architecture, settings: Iterable[str]) -> dict[Role, dict[str, Any]]:
    """Constructor arguments by role from settings such as ``"image_size=32"``; the values are JSON, or else text.

    Raises:
        ConfigError: not ``key=value``, or an argument that the architecture does not have (with the closest).
    """
    fields = {field.name: field for field in architecture.config}
    arguments: dict[Role, dict[str, Any]] = {role: {} for role in architecture.networks}
    for name, value in parse_settings(settings, "--config").items():
        if name not in fields:
            near = closest(name, list(fields)) or list(fields)
            raise ConfigError(f"'{architecture.id}' has no argument '{name}'.", hint=f"It has: {', '.join(near)}.")
        for role in fields[name].roles:
            if role in arguments:
                arguments[role][name] = value
    return arguments


def parse_settings(settings: Iterable[str], option: str) -> dict[str, Any]:
    """``["key=value", …]`` as given to ``option``; a value is JSON, or else text.

    Raises:
        ConfigError: not ``key=value``.
    """
    parsed = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator or not name:
            raise ConfigError(f"'{setting}' is not of the form key=value.", hint=f"For example: {option} image_size=32")
        parsed[name] = _json_or_text(text)
    return parsed


def _json_or_text(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
