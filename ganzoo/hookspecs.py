"""The hooks that a plugin may implement. They return plain data; nothing heavy is imported to answer them.

A plugin is a module named by an entry point in the group ``ganzoo``. It marks its functions with `hookimpl`. Every hook may be
left out. Model cards are no hook: ``cards/*.toml`` beside the plugin's package are found without importing it.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from ganzoo.spec import Architecture, Part

PROJECT = "ganzoo"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ganzoo_architectures() -> "Iterable[Architecture]":  # type: ignore[empty-body]
    """The architectures that this plugin brings."""


@hookspec
def ganzoo_datasets() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Data sets by name. A target is a callable ``(*, split="train") -> ganzoo.data.Dataset``."""


@hookspec
def ganzoo_metrics() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Metrics by name. A target is a callable ``(generated, reference) -> Mapping[str, float]`` on features ``[N, D]``."""


@hookspec
def ganzoo_features() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Feature spaces for metrics. A target is a callable without arguments that makes a `ganzoo.metrics.Features`."""


@hookspec
def ganzoo_commands() -> "Iterable[click.Command]":  # type: ignore[empty-body]
    """Commands for the command line; asked for only when somebody types a command that ganzoo does not have."""


@hookspec
def ganzoo_doctor() -> "Mapping[str, str]":  # type: ignore[empty-body]
    """What ``ganzoo doctor`` should say about this plugin on this machine, e.g. ``{"ffmpeg": "7.1"}``."""
