"""``ganzoo plugins``: what is installed, what it brings, what is broken."""

import warnings
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import as_json
from ganzoo.cli.output import echo_json, echo_table

if TYPE_CHECKING:
    from ganzoo.plugin_host import Plugin

HOOKS = {  # what the table calls each kind of part
    "dataset": "ganzoo_datasets",
    "metric": "ganzoo_metrics",
    "feature": "ganzoo_features",
    "loss": "ganzoo_losses",
    "regularizer": "ganzoo_regularizers",
    "augmentation": "ganzoo_augmentations",
}


@click.command("plugins", epilog="\b\nExamples:\n  ganzoo plugins\n  GANZOO_PLUGINS=dcgan ganzoo plugins --json")
@as_json
def command(as_json: bool) -> None:
    """List the installed plugins and their state.

    Imports every plugin that GANZOO_PLUGINS admits. A broken one is listed with its error.
    """
    states = plugin_states()
    if as_json:
        echo_json(states)
        return
    rows = [
        (s["name"], f"{s['distribution']} {s['version']}", s["state"], ", ".join(s["brings"]) or s["error"] or "")
        for s in states
    ]
    echo_table(("PLUGIN", "DISTRIBUTION", "STATE", "BRINGS"), rows)


def plugin_states() -> list[dict[str, Any]]:
    """Every installed plugin with its state: ``ok``, ``broken`` or ``switched off``."""
    from ganzoo.environment import PLUGINS
    from ganzoo.plugin_host import host

    loaded = {(p.name, p.installed.distribution): p for p in host().plugins}
    states = []
    for installed in host().installed:
        plugin = loaded.get((installed.name, installed.distribution))
        brings = _brings(plugin) if plugin is not None else []
        error = plugin.error if plugin is not None else f"{PLUGINS} keeps it from loading"
        state = "switched off" if plugin is None else "broken" if error else "ok"
        states.append(
            {
                "name": installed.name,
                "distribution": installed.distribution,
                "version": installed.version,
                "module": installed.module,
                "state": state,
                "error": error,
                "brings": brings,
            }
        )
    return states


def _brings(plugin: "Plugin") -> list[str]:
    from ganzoo.spec import Architecture, Part

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the table says it
        brought = [f"architecture {a.id}" for a in plugin.declarations("ganzoo_architectures", Architecture)]
        for kind, hook in HOOKS.items():
            brought += [f"{kind} {p.id}" for p in plugin.declarations(hook, Part)]
        brought += [f"command {c.name}" for c in plugin.commands()]
    return [] if plugin.error else brought
