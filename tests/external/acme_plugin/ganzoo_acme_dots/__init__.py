"""A plugin of a third party: an architecture, a layout, data, parts of the game, a command. Nothing heavy is imported here."""

import click

from ganzoo import hookimpl
from ganzoo.spec import Architecture, ConfigField, Layout, Part


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """One architecture."""
    return [
        Architecture(
            id="dots",
            summary="One bright dot in a dark image",
            modality="image",
            task="unconditional-generation",
            networks={"generator": "ganzoo_acme_dots.networks:DotGenerator"},
            config=(ConfigField(name="size", default=8, doc="pixels a side", roles=("generator",)),),
            layouts=(Layout(id="acme", role="generator", reader="ganzoo_acme_dots.layouts:AcmeLayout"),),
        )
    ]


@hookimpl
def ganzoo_datasets() -> list[Part]:
    """One data set."""
    return [Part(id="acme-dots", summary="64 images of dots", target="ganzoo_acme_dots.data:dots")]


@hookimpl
def ganzoo_losses() -> list[Part]:
    """One adversarial loss."""
    return [Part(id="acme-exponential", summary="AdaBoost's loss", target="ganzoo_acme_dots.game:EXPONENTIAL")]


@hookimpl
def ganzoo_regularizers() -> list[Part]:
    """One regulariser."""
    return [Part(id="acme-drift", summary="keeps scores near 0", target="ganzoo_acme_dots.game:Drift")]


@hookimpl
def ganzoo_augmentations() -> list[Part]:
    """One augmentation."""
    return [Part(id="acme-negative", summary="dark for bright", target="ganzoo_acme_dots.game:negative")]


@hookimpl
def ganzoo_commands() -> list[click.Command]:
    """One command."""

    @click.command("count-dots", help="Count the dots.")
    def count() -> None:
        click.echo("one")

    return [count]


@hookimpl
def ganzoo_doctor() -> dict[str, str]:
    """One line for ``ganzoo doctor``."""
    return {"dots": "sharp"}
