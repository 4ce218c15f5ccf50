"""``ganzoo bench``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import SEED_LIMIT, as_json, device_option

if TYPE_CHECKING:
    from ganzoo.data import TextDataset
    from ganzoo.text.bench import Contest

SHORT = {"small": "text-oracle-small"}
FILES = (".pkl", ".safetensors")  # of oracles


@click.group("bench", epilog="\b\nExamples:\n  ganzoo bench text-oracle --model seqgan --oracle small --out runs/small")
def command() -> None:
    """Run a benchmark of the literature, with the controls that it needs."""


@command.command(
    "text-oracle",
    epilog="""\b
Examples:
  ganzoo bench text-oracle --model seqgan --oracle small --out runs/small
  ganzoo bench text-oracle --model seqgan --oracle target_params.pkl --out runs/seqgan --recipe paper
  ganzoo bench text-oracle --model seqgan --out runs/try --set phases.mle.steps=500 --samples 2000""",
)
@click.option("--model", required=True, help="An architecture that makes text, e.g. seqgan.")
@click.option("--oracle", default="text-oracle", show_default=True, help="text-oracle, small, or your own target_params.pkl.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Where runs and report go; started again it goes on."
)
@click.option("--seed", type=click.IntRange(0, SEED_LIMIT), default=0, show_default=True, help="Of training and samples.")
@click.option("--samples", type=click.IntRange(min=2), default=10_000, show_default=True, help="Sentences drawn of each.")
@click.option("--recipe", metavar="NAME", help="Another recipe of the architecture, e.g. paper.")
@click.option("--config", "arguments", multiple=True, metavar="KEY=VALUE", help="A network argument, e.g. hidden_size=64.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A recipe field, e.g. phases.mle.steps=500.")
@device_option
@as_json
def text_oracle(out: Path, samples: int, as_json: bool, **asked: Any) -> None:
    """Measure a text GAN where the true distribution is known.

    Trains the model, maximum likelihood, and a control whose reward is constant, and prints one table: likelihood both ways,
    entropy, divergences and variety of all of them and of maximum likelihood at lower temperatures. A picture shows quality
    against diversity. SeqGAN's published oracle is not shipped: give your own file, which is read without executing it.
    """
    from ganzoo import training
    from ganzoo.cli.output import echo_json
    from ganzoo.text.bench import Interrupted, hold, report_json, report_text, write_report

    contest = _contest(out, **asked)
    try:
        with training.terminal_reporter() as reporter:
            report = hold(contest, samples=samples, reporter=reporter, progress=lambda name: click.echo(name, err=True))
    except Interrupted as e:
        raise click.Abort from e
    written = write_report(report, out)
    if as_json:
        echo_json(report_json(report))
        return
    click.echo(report_text(report))
    click.echo("\n".join(map(str, written)))


def _contest(
    out: Path,
    model: str,
    oracle: str,
    seed: int,
    recipe: str | None,
    arguments: tuple[str, ...],
    settings: tuple[str, ...],
    device: str,
) -> "Contest":
    """Resolves every name; nothing is written."""
    from ganzoo import resources
    from ganzoo.errors import ConfigError
    from ganzoo.spec import TextRecipe
    from ganzoo.text.bench import Contest
    from ganzoo.training import apply_settings

    plugin, architecture = resources.find_architecture(model)
    chosen = resources.recipe_of(architecture, recipe)
    if not isinstance(chosen, TextRecipe):
        raise ConfigError(f"'{model}' makes {architecture.modality}, and this is a benchmark of text.")
    oracle = SHORT.get(oracle, oracle)
    train, test = _data(oracle)
    return Contest(
        architecture=architecture,
        networks=resources.network_classes(architecture),
        recipe=apply_settings(chosen, settings),
        train=train,
        test=test,
        out=out,
        plugin=plugin.name,
        distribution=plugin.installed.distribution,
        config=resources.network_arguments(architecture, arguments),
        seed=seed,
        device=device,
        source=resources.data_source(oracle),
    )


def _data(oracle: str) -> "tuple[TextDataset, TextDataset]":
    """Sentences to train on and held-out ones, of a named data set or of an oracle's file."""
    from ganzoo import resources
    from ganzoo.data import TextDataset
    from ganzoo.errors import DataError
    from ganzoo.text.oracle import LSTMOracle, oracle_dataset

    if _is_file(oracle):
        known = LSTMOracle.from_file(oracle)
        return oracle_dataset(known, licence=None), oracle_dataset(known, split="test", licence=None)
    train, test = resources.open_dataset(f"{oracle}:train"), resources.open_dataset(f"{oracle}:test")
    if not isinstance(train, TextDataset) or not isinstance(test, TextDataset):
        raise DataError(f"'{oracle}' is no text.", hint="Use text-oracle, small, or the file of an oracle.")
    return train, test


def _is_file(oracle: str) -> bool:
    """Whether a file is meant, be it there or not."""
    return Path(oracle).is_file() or oracle.startswith((".", "/", "~")) or oracle.lower().endswith(FILES)
