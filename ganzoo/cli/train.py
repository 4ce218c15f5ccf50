"""``ganzoo train``."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ganzoo.cli.options import SEED_LIMIT, as_json, device_option
from ganzoo.cli.output import echo_fields, echo_json

if TYPE_CHECKING:
    from ganzoo.training import Run


@click.command(
    "train",
    epilog="""\b
Examples:
  ganzoo train dcgan --data ./photos --out runs/first
  ganzoo train dcgan --data mnist-5k --out runs/digits --config image_size=32 --config channels=1
  ganzoo train dcgan --data ./photos --out runs/slow --set generator.lr=1e-4 --images 200000 --dry-run
  ganzoo train r3gan --data ./photos --out runs/third --settings r3gan.toml --film
  ganzoo train dcgan --data ./photos --out runs/transfer --from dcgan-mnist --set freeze_layers=2""",
)
@click.argument("architecture")
@click.option(
    "--data", required=True, help="Pictures (folder, zip), sentences (.txt, .jsonl), or a data set's name, e.g. mnist-5k:test."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The run directory; new or empty.")
@click.option("--seed", type=click.IntRange(0, SEED_LIMIT), default=0, show_default=True, help="Of everything random.")
@click.option("--images", type=click.IntRange(min=1), help="Real images to show; the recipe's number when left out.")
@click.option("--recipe", metavar="NAME", help="Another recipe of the architecture than its own, e.g. paper.")
@click.option("--settings", "file", type=click.Path(path_type=Path), help="TOML with tables recipe, config, intervals.")
@click.option("--config", "arguments", multiple=True, metavar="KEY=VALUE", help="A network argument, e.g. image_size=32.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A recipe field, e.g. generator.lr=1e-4.")
@click.option("--every", multiple=True, metavar="WHAT=IMAGES", help="How often: log, samples, checkpoint, evaluate.")
@click.option(
    "--from", "start", metavar="MODEL", help="Begin with the weights of a model or a finished run instead of random ones."
)
@click.option("--evaluate", "features", metavar="FEATURES", help="Measure in this feature space meanwhile; keep the best.")
@click.option("--metrics", default="fid", show_default=True, help="What --evaluate measures, between commas.")
@click.option("--best", default="frechet-distance", show_default=True, help="The figure that decides; precision:max …")
@click.option("--samples", type=click.IntRange(min=2), default=2000, show_default=True, help="How many --evaluate generates.")
@click.option("--film", is_flag=True, help="Make a short film of the sample grids.")
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard events (extra: tensorboard).")
@click.option("--dry-run", is_flag=True, help="Validate, print what would happen, and stop.")
@device_option
@as_json
@click.pass_context
def command(context: click.Context, /, architecture: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Train an architecture on your own data.

    Writes checkpoints, metrics, sample grids and at last the model into the run directory. Ctrl-C writes a checkpoint;
    `ganzoo resume DIR` goes on. `ganzoo show ARCHITECTURE` lists its arguments. Started by `accelerate launch` or
    `torchrun`, the same command trains on several processes.
    """
    from ganzoo import training
    from ganzoo.cli.planning import plan_evaluation, plan_training

    asked = {name: given.pop(name) for name in ("metrics", "samples", "best")}
    features = given.pop("features")
    if features is None:
        _refuse_without_evaluation(context, asked)
    evaluation = None if features is None else plan_evaluation(features, given["data"], **asked)
    plan = plan_training(architecture, evaluation=evaluation, **given)
    parts = plan.architecture, plan.networks, plan.data, plan.out
    how: dict[str, Any] = {"recipe": plan.recipe, "config": plan.config, "options": plan.options}
    if dry_run:
        _tell_plan(training.describe(*parts, **how), as_json)
        return
    with training.terminal_reporter() as reporter:
        run = training.train(*parts, **how, plugin=plan.plugin, distribution=plan.distribution, reporter=reporter)
    tell_run(run, as_json)


def tell_run(run: "Run", as_json: bool) -> None:
    """Says what a run came to; an interrupted one exits as an interrupted command does."""
    if not run.main:
        pass  # another process says it
    elif as_json:
        echo_json({"run": str(run.path), "images": run.images, "model": None if run.model is None else str(run.model)})
    elif run.model is not None:
        how = "-n 5" if run.modality == "text" else f"-n 64{' --class 0' if run.classes else ''} -o grid.png"
        click.echo(f"{run.model}\nTry it: ganzoo generate {run.model} {how}")
    if run.model is None:
        raise click.Abort


def _tell_plan(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        echo_json(plan)
        return
    tables = {name: plan.pop(name) for name in ("evaluation", "intervals", "recipe")}
    echo_fields([(name.replace("_", " "), _words(value)) for name, value in plan.items() if value not in (None, [], False)])
    for name, table in tables.items():
        if table:
            click.echo(name)
            echo_fields([(key, _words(value)) for key, value in _flat(table)], indent="  ")


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The fields as ``--set`` names them. A schedule is one value."""
    for name, value in table.items():
        if isinstance(value, dict) and value and not {"start", "end"} <= value.keys():
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _words(value: Any) -> str:
    if value is None or value in ({}, [], ()):
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items() if inner is not None)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _refuse_without_evaluation(context: click.Context, asked: Iterable[str]) -> None:
    for name in asked:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} means nothing without --evaluate.", context)
