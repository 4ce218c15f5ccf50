"""``ganzoo cache``: what ganzoo itself keeps; downloads from the Hub are in the Hub's own cache."""

import os
import shutil
from pathlib import Path

import click

from ganzoo.cli.options import as_json
from ganzoo.cli.output import echo_fields, echo_json, size

KINDS = {
    "index": "the catalogue of this machine",
    "verified": "which files have been hashed",
    "https": "downloads from servers other than the Hub",
    "converted": "checkpoints of other projects as safetensors",
    "pictures": "decoded pictures of data sets",
    "features": "features of data sets, for evaluation",
}
ATTEMPTS = 3


@click.group("cache", invoke_without_command=True, epilog="\b\nExamples:\n  ganzoo cache\n  ganzoo cache clear converted")
@as_json
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show or empty ganzoo's own cache.

    Downloads from the Hub are in the Hub's cache, which `hf cache` manages.
    """
    if ctx.invoked_subcommand is None:
        _show(as_json)


@command.command("clear", short_help="Delete what ganzoo can make again.")
@click.argument("kinds", nargs=-1, type=click.Choice(list(KINDS)))
def clear(kinds: tuple[str, ...]) -> None:
    """Delete what ganzoo can make again: all of it, or the KINDS named."""
    from ganzoo.paths import cache_home

    for kind in kinds or KINDS:
        folder = cache_home() / kind
        count = _usage(folder)
        _delete(folder)
        click.echo(f"{kind}: {size(count)} deleted")


def _show(as_json: bool) -> None:
    from huggingface_hub import constants

    from ganzoo.paths import cache_home

    usage = {kind: _usage(cache_home() / kind) for kind in KINDS}
    if as_json:
        echo_json({"folder": str(cache_home()), "bytes": usage, "hub_cache": constants.HF_HUB_CACHE})
        return
    lines = [(kind, f"{size(usage[kind]):>9}  {meaning}") for kind, meaning in KINDS.items()]
    echo_fields([("folder", str(cache_home())), *lines, ("Hub cache", f"{constants.HF_HUB_CACHE}  (see `hf cache ls`)")])


def _usage(folder: Path) -> int:
    """Bytes of the files in it. Locks are no content; a file that another process removes meanwhile does not count."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if not name.endswith(".lock"):
                total += _bytes(Path(parent, name))
    return total


def _bytes(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # gone since the folder was listed
        return 0


def _delete(folder: Path) -> None:
    """Removes the folder; other processes may be writing to it or removing it at the same time."""
    from ganzoo.errors import OutputError

    problem: OSError | None = None
    for _ in range(ATTEMPTS):
        try:
            if folder.is_dir():
                shutil.rmtree(folder)
            return
        except OSError as e:
            problem = e
    raise OutputError(
        f"{folder} cannot be deleted: {problem}.", hint="Look whether another process uses it, and who may write there."
    ) from problem
