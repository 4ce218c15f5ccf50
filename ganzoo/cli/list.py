"""``ganzoo list``: on its path nothing heavy may be imported."""

import click

from ganzoo.cli.options import as_json
from ganzoo.cli.output import echo_json, echo_table, size


@click.command(
    "list",
    epilog="""\b
Examples:
  ganzoo list
  ganzoo list "stylegan*" --licence "Apache-2.0"
  ganzoo list --modality text --json""",
)
@click.argument("pattern", default="*")
@click.option("--modality", help="image, text, audio, video or vector.")
@click.option("--task", help="e.g. unconditional-generation.")
@click.option("--architecture", help="e.g. dcgan.")
@click.option("--licence", help="SPDX identifier of the weights' licence.")
@click.option("--tag", help="One of the model's tags.")
@click.option("--plugin", help="The plugin that brings the model.")
@as_json
def command(as_json: bool, **filters: str | None) -> None:
    """List the models of the catalogue.

    PATTERN and the filters are globs, e.g. "stylegan*". Aliases are searched too.
    """
    from ganzoo.catalog import list_models

    cards = list_models(filters.pop("pattern") or "*", **filters)
    if as_json:
        echo_json(cards)
    elif cards:
        rows = [(c.name, c.modality, c.architecture, size(c.size), c.licence.weights, c.summary) for c in cards]
        echo_table(("NAME", "MODALITY", "ARCHITECTURE", "SIZE", "LICENCE", "SUMMARY"), rows)
    else:
        click.echo("No model matches. `ganzoo list` without filters shows all.", err=True)
