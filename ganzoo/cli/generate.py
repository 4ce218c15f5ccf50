"""``ganzoo generate``."""

from pathlib import Path
from typing import Any

import click

from ganzoo.cli.options import as_json, complete_model, device_option, dtype_option, seed_option
from ganzoo.cli.output import echo_json
from ganzoo.cli.progress import progress_bar


@click.command(
    "generate",
    epilog="""\b
Examples:
  ganzoo generate dcgan-mnist -n 64 --seed 0 -o grid.png
  ganzoo generate dcgan-mnist -n 100 -o digits/        (single files)
  ganzoo generate downloads/netG.pth -n 16 -o grid.jpg""",
)
@click.argument("model", shell_complete=complete_model)
@click.option("-n", "--number", type=click.IntRange(min=1), default=1, show_default=True, help="How many samples.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A file for all samples, or a folder for single files.",
)
@seed_option
@click.option("--class", "condition", type=click.IntRange(min=0), help="The class to generate (c), of a conditional model.")
@click.option("--truncation", type=click.FloatRange(min=0, min_open=True), help="Quality against variety; off when left out.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Samples at once.")
@device_option
@dtype_option
@as_json
def command(
    model: str,
    number: int,
    output: Path,
    seed: int | None,
    condition: int | None,
    truncation: float | None,
    batch_size: int | None,
    device: str,
    dtype: str | None,
    as_json: bool,
) -> None:
    """Generate samples and write them to files.

    MODEL is a name of the catalogue, hf:organisation/repository, or a checkpoint on disk.
    """
    from ganzoo.errors import InvalidValueError
    from ganzoo.loading import load
    from ganzoo.paths import check_parent

    check_parent(output)  # before minutes of work, not after
    options: dict[str, Any] = {} if condition is None else {"c": condition}
    generator = load(model, role="generator", device=device, dtype=dtype)
    if condition is not None and not generator.num_classes:  # networks that may be conditional take a class and ignore it
        raise InvalidValueError(f"'{model}' is unconditional; it cannot make class {condition}.", hint="Leave --class away.")
    with progress_bar("Generating", number) as advance:
        samples = generator.sample(number, seed=seed, truncation=truncation, batch_size=batch_size, progress=advance, **options)
    written = samples.save(output)
    if as_json:
        echo_json({"files": [str(p) for p in written], "seeds": samples.seeds})
    elif len(written) == 1:
        click.echo(f"{written[0]} (first seed {samples.seeds[0]})")
    else:
        click.echo(f"{len(written)} files in {output} (first seed {samples.seeds[0]})")
