"""The parts of the game by name: those of ganzoo and those that plugins bring."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

from ganzoo.naming import NameTable
from ganzoo.plugin_host import host, resolve_target
from ganzoo.spec import Part
from ganzoo.training.augment.parts import AUGMENTATIONS
from ganzoo.training.builtin import CONSTRAINTS, LOSSES, REGULARIZERS

Kind = Literal["loss", "regulariser", "augmentation", "constraint"]

_BUILTIN: dict[Kind, tuple[Part, ...]] = {
    "loss": LOSSES,
    "regulariser": REGULARIZERS,
    "augmentation": AUGMENTATIONS,
    "constraint": CONSTRAINTS,
}
_HOOKS: dict[Kind, str] = {
    "loss": "ganzoo_losses",
    "regulariser": "ganzoo_regularizers",
    "augmentation": "ganzoo_augmentations",
}


def table(kind: Kind) -> NameTable[Part]:
    """All parts of that kind as declarations; nothing of them is imported."""
    if kind in _HOOKS:
        return host().parts(_HOOKS[kind], kind, _BUILTIN[kind])
    return _own(kind, _BUILTIN[kind])


def find(kind: Kind, name: str) -> Any:
    """What the part ``name`` stands for, imported.

    Raises:
        UnknownNameError: there is none; carries the closest names.
        AmbiguousNameError: several plugins claim the name.
        MissingExtraError: it needs an extra that is not installed.
        PluginError: it cannot be imported.
    """
    return _resolved(table(kind).find(name))


@cache
def _resolved(part: Part) -> Any:
    return resolve_target(part)


def _own(kind: str, parts: Iterable[Part]) -> NameTable[Part]:
    names: NameTable[Part] = NameTable(kind)
    for part in parts:
        names.add("ganzoo", part.id, part)
    return names
