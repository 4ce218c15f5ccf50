"""``ganzoo generate``."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.evaluate import model_folder
from ganzoo.cli.options import as_json, complete_model, device_option, dtype_option, seed_option
from ganzoo.cli.output import echo_json, printable
from ganzoo.cli.progress import progress_bar

if TYPE_CHECKING:
    from ganzoo.models import Samples

TEXT_ONLY = ("prompt", "temperature", "top_k", "top_p")


@click.command(
    "generate",
    epilog="""\b
Examples:
  ganzoo generate dcgan-mnist -n 64 --seed 0 -o grid.png
  ganzoo generate dcgan-mnist -n 100 -o digits/        (single files)
  ganzoo generate downloads/netG.pth -n 16 -o grid.jpg
  ganzoo generate runs/pets -n 4 --class cat -o cats.png
  ganzoo generate runs/first -n 5 --prompt "the man"    (text, printed)""",
)
@click.argument("model", shell_complete=complete_model)
@click.option("-n", "--number", type=click.IntRange(min=1), default=1, show_default=True, help="How many samples.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file for all samples, or a folder for single files. Text is printed when left out.",
)
@seed_option
@click.option("--class", "condition", help="The class to generate (c), of a conditional model: its name or number.")
@click.option("--truncation", type=float, help="Quality against variety; off when left out.")
@click.option("--prompt", help="Text: how every sentence begins.")
@click.option("--temperature", type=float, help="Text: below 1 likelier words, above 1 unlikelier ones; 1 when left out.")
@click.option("--top-k", type=int, help="Text: each word is one of the K likeliest.")
@click.option("--top-p", type=float, help="Text: each word is one of the likeliest that hold this probability together.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Samples at once.")
@device_option
@dtype_option
@as_json
def command(
    model: str,
    number: int,
    output: Path | None,
    seed: int | None,
    condition: str | None,
    truncation: float | None,
    batch_size: int | None,
    device: str,
    dtype: str | None,
    as_json: bool,
    **text_options: Any,
) -> None:
    """Generate samples and write them to files.

    Text is printed unless a file is given. MODEL is a name of the catalogue, hf:organisation/repository, or a checkpoint, model
    folder or run on disk.
    """
    from ganzoo.errors import InvalidValueError
    from ganzoo.paths import check_parent

    options = {name: value for name, value in text_options.items() if value is not None}
    if output is not None:
        check_parent(output)  # before minutes of work, not after
    _check_usage(model, _modality(model), output, options)  # likewise
    from ganzoo.cli.memory import keep_freed_memory
    from ganzoo.loading import load  # seconds, which wrong usage need not wait for

    keep_freed_memory()
    generator = load(model_folder(model) or model, role="generator", device=device, dtype=dtype)
    _check_usage(model, generator.modality, output, options)
    if condition is not None:
        if not generator.num_classes:  # networks that may be conditional take a class and ignore it
            raise InvalidValueError(
                f"'{model}' is unconditional; it cannot make class '{condition}'.", hint="Leave --class away."
            )
        options["c"] = condition
    with progress_bar("Generating", number) as advance:
        samples = generator.sample(number, seed=seed, truncation=truncation, batch_size=batch_size, progress=advance, **options)
    _tell(samples, output, as_json)


def _modality(model: str) -> str | None:
    """What the catalogue says of ``model``; None where it has no model of that name."""
    from ganzoo.catalog import model_card
    from ganzoo.errors import GanzooError

    with contextlib.suppress(GanzooError):  # `load` says what is wrong with a name
        return model_card(model).modality
    return None


def _check_usage(model: str, modality: str | None, output: Path | None, options: dict[str, Any]) -> None:
    """Makes sure that only what makes text gets options of text, and goes without a file."""
    if modality in (None, "text"):
        return
    given = [f"--{name.replace('_', '-')}" for name in TEXT_ONLY if name in options]
    if given:
        raise click.UsageError(
            f"{' and '.join(given)} can only be given to models of text; '{model}' is a model of {modality}."
        )
    if output is None:
        raise click.UsageError(f"Missing option '-o' / '--output': where the {modality} samples of '{model}' are written.")


def _tell(samples: "Samples", output: Path | None, as_json: bool) -> None:
    from ganzoo.models import TextSamples

    written = [] if output is None else samples.save(output)
    text = samples.text if isinstance(samples, TextSamples) else None
    if as_json:
        told = {"files": [str(p) for p in written], "seeds": samples.seeds}
        echo_json(told if text is None else {**told, "text": text})
    elif output is None:
        click.echo("".join(f"{printable(sentence)}\n" for sentence in text or ()), nl=False)
    elif len(written) == 1:
        click.echo(f"{written[0]} (first seed {samples.seeds[0]})")
    else:
        click.echo(f"{len(written)} files in {output} (first seed {samples.seeds[0]})")
