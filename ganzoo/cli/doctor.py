"""``ganzoo doctor``: what this machine has, what is reachable, what is broken."""

import importlib.metadata
import os
import platform
import tempfile
from typing import Any

import click

from ganzoo.cli.options import as_json
from ganzoo.cli.output import echo_fields, echo_json

PACKAGES = ("torch", "huggingface_hub", "hf_xet", "safetensors", "numpy", "pillow", "transformers", "timm", "mlxtend")


@click.command("doctor", epilog="\b\nExamples:\n  ganzoo doctor\n  ganzoo doctor --offline --json")
@click.option("--offline", is_flag=True, help="Do not ask whether the Hub can be reached.")
@as_json
@click.pass_context
def command(ctx: click.Context, offline: bool, as_json: bool) -> None:
    """Check this machine: versions, devices, cache, network, plugins.

    Exits with 1 if something is broken; an unreachable Hub is reported but is no defect of this machine.
    """
    report = {
        "versions": _versions(),
        "devices": _devices(),
        "cache": _cache(),
        "hub": _hub(offline),
        "plugins": _plugins(),
        "cards": _cards(),
    }
    broken = [name for name, lines in report.items() if any(line.startswith("BROKEN") for line in lines.values())]
    if as_json:
        echo_json({"ok": not broken, **report})
    else:
        for section, lines in report.items():
            click.echo(click.style(section, bold=True))
            echo_fields(list(lines.items()), indent="  ")
    if broken:
        click.echo(f"Error: Something is broken: {', '.join(broken)}.", err=True)
        ctx.exit(1)


def _versions() -> dict[str, str]:
    import ganzoo

    found = {"ganzoo": ganzoo.__version__, "python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _devices() -> dict[str, str]:
    import torch

    from ganzoo.models.devices import accelerators

    found = {"cpu": f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"}
    for name in accelerators():
        found[name] = torch.cuda.get_device_name(name) if name.startswith("cuda") else "available"
    return found


def _cache() -> dict[str, str]:
    from huggingface_hub import constants

    from ganzoo.paths import cache_home

    return {"ganzoo": _writable(str(cache_home())), "hub": _writable(constants.HF_HUB_CACHE)}


def _writable(folder: str) -> str:
    from pathlib import Path

    existing = next((p for p in (Path(folder), *Path(folder).parents) if os.path.lexists(p)), Path(folder))
    try:
        with tempfile.TemporaryFile(dir=existing):
            return folder
    except OSError as e:
        return f"BROKEN: {folder} cannot be written: {e.strerror}"


def _hub(offline: bool) -> dict[str, str]:
    from ganzoo.hub.endpoint import endpoint, reach

    if offline:
        return {"endpoint": f"{endpoint()}, not asked"}
    problem = reach()
    return {"endpoint": endpoint(), "reachable": "yes" if problem is None else f"no: {problem}"}


def _plugins() -> dict[str, str]:
    from ganzoo.cli.plugins import plugin_states
    from ganzoo.plugin_host import host

    states: dict[str, Any] = {}
    for state in plugin_states():
        where = f"{state['distribution']} {state['version']}"
        states[state["name"]] = (
            f"BROKEN ({where}): {state['error']}" if state["state"] == "broken" else f"{state['state']} ({where})"
        )
    for name, answers in host().doctor().items():
        states |= {f"{name}: {key}": value for key, value in answers.items()}
    return states


def _cards() -> dict[str, str]:
    import warnings

    from ganzoo.catalog import catalog

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the report says it
        found = catalog()
    problems = {f"{p.file} {p.model or ''}".strip(): f"BROKEN: {p.problem}" for p in found.problems}
    return {"models": str(len(found)), **problems}
