"""Arguments and options that several commands share."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")

SEED_LIMIT = 2**32 - 1


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Names of the catalogue for the shell; nothing heavy is imported."""
    from click.shell_completion import CompletionItem

    from ganzoo.catalog import catalog

    return [CompletionItem(c.name, help=c.summary) for c in catalog() if c.name.startswith(incomplete)]


seed_option = click.option(
    "--seed", type=click.IntRange(0, SEED_LIMIT), help="Seed; the same seed gives the same samples. Drawn anew when left out."
)
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps, …")
dtype_option = click.option("--dtype", help="float32, float16, bfloat16, …; the model's own when left out.")
