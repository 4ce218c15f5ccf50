"""``ganzoo train``."""

from pathlib import Path

import click

from ganzoo.cli.options import SEED_LIMIT, as_json, device_option
from ganzoo.cli.output import echo_fields, echo_json


@click.command(
    "train",
    epilog="""\b
Examples:
  ganzoo train dcgan --data ./photos --out runs/first
  ganzoo train dcgan --data mnist-5k --out runs/digits --config image_size=32 --config channels=1
  ganzoo train dcgan --data ./photos --out runs/slow --set generator.lr=1e-4 --images 200000 --dry-run""",
)
@click.argument("architecture")
@click.option("--data", required=True, help="A folder of pictures, or a data set's name, e.g. mnist-5k or mnist-5k:test.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The run directory; new or empty.")
@click.option("--seed", type=click.IntRange(0, SEED_LIMIT), default=0, show_default=True, help="Of everything random.")
@click.option("--images", type=click.IntRange(min=1), help="Real images to show; the recipe's number when left out.")
@click.option("--config", "arguments", multiple=True, metavar="KEY=VALUE", help="A network argument, e.g. image_size=32.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A recipe field, e.g. generator.lr=1e-4.")
@click.option("--dry-run", is_flag=True, help="Validate, print what would happen, and stop.")
@device_option
@as_json
def command(
    architecture: str,
    data: str,
    out: Path,
    seed: int,
    images: int | None,
    arguments: tuple[str, ...],
    settings: tuple[str, ...],
    dry_run: bool,
    device: str,
    as_json: bool,
) -> None:
    """Train an architecture on your own data.

    Writes checkpoints, metrics, sample grids and at last the model into the run directory. Ctrl-C writes a checkpoint;
    `ganzoo resume DIR` goes on. `ganzoo show ARCHITECTURE` lists its arguments.
    """
    from ganzoo import resources, training
    from ganzoo.errors import ConfigError

    plugin, found = resources.find_architecture(architecture)
    if found.recipe is None:
        raise ConfigError(f"The architecture '{found.id}' has no recipe; it can be used but not trained.")
    overrides = [*settings, *([f"images={images}"] if images is not None else [])]
    recipe = training.apply_overrides(found.recipe, overrides)
    config = resources.network_arguments(found, arguments)
    classes = resources.network_classes(found)
    dataset = resources.open_dataset(data)
    if dry_run:
        _tell_plan(training.describe(found, classes, dataset, out, recipe=recipe, config=config, seed=seed), as_json)
        return
    with training.terminal_reporter() as reporter:
        run = training.train(
            found,
            classes,
            dataset,
            out,
            recipe=recipe,
            config=config,
            seed=seed,
            device=device,
            source=resources.data_source(data),
            plugin=plugin.name,
            distribution=plugin.installed.distribution,
            reporter=reporter,
        )
    tell_run(run.path, run.images, run.model, as_json)


def tell_run(path: Path, images: int, model: Path | None, as_json: bool) -> None:
    """Says what a run came to; an interrupted one exits as an interrupted command does."""
    if as_json:
        echo_json({"run": str(path), "images": images, "model": None if model is None else str(model)})
    elif model is not None:
        click.echo(f"{model}\nTry it: ganzoo generate {model} -n 64 -o grid.png")
    if model is None:
        raise click.Abort


def _tell_plan(plan: dict[str, object], as_json: bool) -> None:
    if as_json:
        echo_json(plan)
        return
    import msgspec

    recipe = msgspec.to_builtins(plan.pop("recipe"))
    echo_fields([(name.replace("_", " "), str(value)) for name, value in plan.items()])
    click.echo("recipe")
    echo_fields([(name, str(value)) for name, value in recipe.items()], indent="  ")
