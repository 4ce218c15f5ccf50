"""Loads plugins and asks their hooks. A plugin that fails is set aside with a warning; everything else goes on working."""

import contextlib
import importlib.metadata
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pluggy

from ganzoo import hookspecs
from ganzoo.discovery import GROUP, InstalledPlugin, installed_plugins
from ganzoo.environment import PLUGINS, admits, normalise
from ganzoo.errors import PluginError, PluginMissingError, PluginWarning
from ganzoo.naming import NameTable
from ganzoo.spec import Architecture, Declaration, Part
from ganzoo.targets import import_target

if TYPE_CHECKING:
    import click

D = TypeVar("D", bound=Declaration)
T = TypeVar("T")


class Plugin:
    """One installed plugin: imported when first asked, with a hook caller of its own.

    Every plugin is registered in a plugin manager of its own. So a call is answered by this plugin and no other, and a hook
    that raises does not keep the rest from being asked.

    Attributes:
        error: Why it was set aside, or None.
    """

    def __init__(self, installed: InstalledPlugin) -> None:
        self.installed = installed
        self.error: str | None = None
        self._manager: pluggy.PluginManager | None = None

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.installed.name

    def ask(self, hook: str, read: Callable[[Any], T]) -> T | None:
        """What the plugin's hook returns, as ``read`` understands it.

        Importing, answering and reading all run the plugin's own code (an answer may be a generator), so all of it is
        guarded: whatever goes wrong sets the plugin aside. None where it has no such hook or was set aside.
        """
        if self.error is not None:
            return None
        try:
            # A plugin that prints must not end up in the JSON of a command.
            with contextlib.redirect_stdout(sys.stderr):
                if self._manager is None:
                    self._manager = self._load()
                answers = getattr(self._manager.hook, hook)()
                return read(answers[0]) if answers else None
        except KeyboardInterrupt:
            raise
        except BaseException as e:  # noqa: BLE001  # also sys.exit() in a plugin's module must not end the user's command
            self.set_aside(f"{type(e).__name__}: {e}")
            return None

    def declarations(self, hook: str, kind: type[D]) -> list[D]:
        """What a hook that returns declarations gives, validated."""
        return self.ask(hook, lambda answer: [_validated(each, kind, hook) for each in answer]) or []

    def commands(self) -> "list[click.Command]":
        """The commands that it adds to the command line."""
        import click

        def read(answer: Any) -> list[click.Command]:
            commands = list(answer)
            wrong = [type(c).__name__ for c in commands if not isinstance(c, click.Command)]
            if wrong:
                raise TypeError(f"ganzoo_commands must return click commands, not {', '.join(wrong)}")
            return commands

        return self.ask("ganzoo_commands", read) or []

    def doctor(self) -> dict[str, str]:
        """What it tells about this machine."""
        return self.ask("ganzoo_doctor", lambda answer: {str(k): str(v) for k, v in dict(answer).items()}) or {}

    def set_aside(self, error: str) -> None:
        """Marks the plugin as broken and warns once, naming its distribution."""
        self.error = error
        installed = self.installed
        warnings.warn(
            f"The plugin '{installed.name}' of {installed.distribution} {installed.version} was set aside: {error}",
            PluginWarning,
            stacklevel=2,
        )

    def _load(self) -> pluggy.PluginManager:
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        point = importlib.metadata.EntryPoint(self.installed.name, self.installed.module, GROUP)
        if point.pattern.match(point.value) is None:
            raise ValueError(f"malformed entry point '{point.value}'")
        manager.register(point.load(), name=self.name)
        manager.check_pending()  # a misspelt hook is an error, not silence
        return manager


def _validated(value: object, kind: type[D], hook: str) -> D:
    if not isinstance(value, kind):
        raise TypeError(f"{hook} must return {kind.__name__} objects, not {type(value).__name__}")
    # Constructing a struct does not check the types of its fields; converting does.
    return msgspec.convert(msgspec.to_builtins(value), kind)


class PluginHost:
    """The plugins of this machine, as `GANZOO_PLUGINS` admits them.

    Args:
        installed: The installed plugins; found on this machine when None.
    """

    def __init__(self, installed: Iterable[InstalledPlugin] | None = None) -> None:
        self.installed = installed_plugins() if installed is None else tuple(installed)
        self.plugins = [Plugin(p) for p in self.installed if admits(p.name, p.distribution)]

    def architectures(self) -> NameTable[tuple[Plugin, Architecture]]:
        """Every architecture by name, with the plugin that brings it. Imports all plugins."""
        table: NameTable[tuple[Plugin, Architecture]] = NameTable("architecture")
        for plugin in self.plugins:
            for architecture in plugin.declarations("ganzoo_architectures", Architecture):
                table.add(plugin.name, architecture.id, (plugin, architecture))
        return table

    def architecture(self, name: str, *, plugin: str, distribution: str) -> Architecture:
        """The architecture that a model needs from the plugin that must bring it; no other plugin is imported.

        Raises:
            PluginMissingError: not installed; the hint is the pip command.
            PluginError: installed, but broken, switched off, or without that architecture.
        """
        owner = self._owner(plugin, distribution)
        found = {a.id: a for a in owner.declarations("ganzoo_architectures", Architecture)}
        if owner.error is not None:
            raise PluginError(
                f"The plugin '{plugin}' of {owner.installed.distribution} is broken: {owner.error}",
                hint="`ganzoo plugins` shows the state of all plugins.",
            )
        if name not in found:
            raise PluginError(
                f"The plugin '{plugin}' {owner.installed.version} brings no architecture '{name}'; "
                f"it brings: {', '.join(found) or 'none'}.",
                hint=f'A newer version may: pip install --upgrade "{distribution}"',
            )
        return found[name]

    def parts(self, hook: str, kind: str, builtin: Iterable[Part] = ()) -> NameTable[Part]:
        """The named parts that a hook returns, and those that ganzoo itself brings."""
        table: NameTable[Part] = NameTable(kind)
        for part in builtin:
            table.add("ganzoo", part.id, part)
        for plugin in self.plugins:
            for part in plugin.declarations(hook, Part):
                table.add(plugin.name, part.id, part)
        return table

    def commands(self) -> "Iterator[click.Command]":
        """The plugins' commands. Imports all plugins."""
        for plugin in self.plugins:
            yield from plugin.commands()

    def doctor(self) -> dict[str, dict[str, str]]:
        """What each plugin tells about this machine."""
        answers = {p.name: p.doctor() for p in self.plugins}
        return {name: answer for name, answer in answers.items() if answer}

    def _owner(self, name: str, requirement: str) -> Plugin:
        """The plugin ``name`` of the distribution in ``requirement``, or of another one where only that has it."""
        wanted = normalise(re.split(r"[\[<>=!~ ]", requirement, maxsplit=1)[0])
        claimants = [p for p in self.plugins if p.name == name]
        exact = [p for p in claimants if normalise(p.installed.distribution) == wanted]
        if len(exact or claimants) == 1:
            return (exact or claimants)[0]
        if claimants:
            who = " and ".join(p.installed.distribution for p in claimants)
            raise PluginError(
                f"The plugin name '{name}' is claimed by {who}.", hint=f"Uninstall one of them, or set {PLUGINS} to the other."
            )
        if any(p.name == name for p in self.installed):
            raise PluginError(
                f"The plugin '{name}' is installed, but {PLUGINS} keeps it from loading.",
                hint=f"Add it to {PLUGINS}, or unset the variable.",
            )
        installed = any(normalise(p.distribution) == wanted for p in self.installed)
        raise PluginMissingError(
            f"This needs the plugin '{name}', which is not installed.",
            hint=f'Install it: pip install {"--upgrade " if installed else ""}"{requirement}"',
        )


def resolve_target(part: Part) -> Any:
    """The callable that a part names.

    Raises:
        MissingExtraError: a package of its extra is missing.
        PluginError: the module or the name in it does not exist.
    """
    return import_target(part.target, f"The part '{part.id}'", part.extra)


@cache
def host() -> PluginHost:
    """The plugin host of this process."""
    return PluginHost()
