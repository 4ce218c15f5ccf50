"""Imports what plugins name as ``"module:name"``: networks, layout readers, parts. Only an installed plugin gets here."""

import importlib
from collections.abc import Callable
from typing import Any

from ganzoo.errors import MissingExtraError, PluginError


def import_target(target: str, what: str, extra: str | None = None) -> Any:
    """The object named ``"module:name"`` by an installed plugin.

    Args:
        target: The name.
        what: Who names it, to begin an error with, e.g. ``"The architecture 'dcgan'"``.
        extra: The extra of ``ganzoo-hub`` that brings the packages which the module needs, if any.

    Raises:
        MissingExtraError: a package that the extra brings is missing.
        PluginError: the module cannot be imported, whatever goes wrong in it, or has no such name.
    """
    module, _, name = target.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as e:
        if extra is not None and e.name is not None and _top(e.name) != _top(module):
            raise MissingExtraError(what, e.name, extra) from e
        raise _broken(target, what, e) from e
    except (Exception, SystemExit) as e:  # a plugin's module: anything may happen in it
        raise _broken(target, what, e) from e
    try:
        return getattr(found, name)
    except AttributeError as e:
        raise PluginError(f"{what} names '{target}', but {module} has no '{name}'.") from e


def import_callable(target: str, what: str, extra: str | None = None) -> Callable[..., Any]:
    """As `import_target`, of something that can be called.

    Raises:
        MissingExtraError: a package that the extra brings is missing.
        PluginError: the module cannot be imported, or has no such name, or what it names cannot be called.
    """
    found = import_target(target, what, extra)
    if not callable(found):
        raise PluginError(f"{what} names '{target}', which is of the type {type(found).__name__} and cannot be called.")
    called: Callable[..., Any] = found
    return called


def _top(module: str) -> str:
    return module.partition(".")[0]


def _broken(target: str, what: str, e: BaseException) -> PluginError:
    reason = f"{e}" if isinstance(e, ImportError) else f"{type(e).__name__}: {e}"
    return PluginError(f"{what} names '{target}', which cannot be imported: {reason}.")
