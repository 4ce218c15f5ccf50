"""A click group that imports a command when it runs, not when its name is listed."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from ganzoo.cli.output import columns

WIDEST = 110  # longer lines of help are hard to read


class LazyGroup(click.Group):
    """Commands by ``"module:attribute"`` and their one-line help; an unknown command is looked for among the plugins.

    Args:
        commands_by_name: Name to target and one-line help. The help stands here too, so that listing the commands imports none;
            a test compares it with the command's own.
    """

    def __init__(self, *args: Any, commands_by_name: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._targets = dict(commands_by_name)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click does, for the terminal's width up to `WIDEST`."""
        extra.setdefault("terminal_width", min(columns(), WIDEST))
        return super().make_context(info_name, args, parent, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The built-in commands in their order of use."""
        return list(self._targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported; plugins are asked only for a name that is not built in."""
        if cmd_name not in self._targets:
            from ganzoo.plugin_host import host

            return next((c for c in host().commands() if c.name == cmd_name), None)
        module, _, attribute = self._targets[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the closest names on a miss."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as e:
            from ganzoo.naming import closest

            near = closest(args[0], self.list_commands(ctx))
            advice = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{advice}", ctx) from e

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, from the one-line helps alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self._targets.items()])
