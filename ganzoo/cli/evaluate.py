"""``ganzoo evaluate``."""

import math
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.options import SEED_LIMIT, as_json, complete_model, device_option
from ganzoo.cli.output import echo_json, echo_table
from ganzoo.cli.progress import progress_bar

if TYPE_CHECKING:
    from ganzoo.data import Dataset
    from ganzoo.metrics import Evaluation, Features, Metric, Table

_MODEL_FILE = "config.json"
_STEPS = 7
_MOST_STEPS = 100


def _temperatures(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[float, ...]:
    """``low:high[:steps]`` as temperatures, both ends among them."""
    if text is None:
        return ()
    parts = text.split(":")
    try:
        low, high = float(parts[0]), float(parts[1])
        steps = int(parts[2]) if len(parts) == 3 else _STEPS
    except (ValueError, IndexError) as e:
        raise click.BadParameter(f"'{text}' is not of the form LOW:HIGH or LOW:HIGH:STEPS.") from e
    if len(parts) > 3 or not 0 < low < high < math.inf or not 2 <= steps <= _MOST_STEPS:
        raise click.BadParameter(f"'{text}' does not go up, above 0, in 2 to {_MOST_STEPS} steps.")
    return tuple(round(low + (high - low) * i / (steps - 1), 4) for i in range(steps))


@click.command(
    "evaluate",
    epilog="""\b
Examples:
  ganzoo evaluate dcgan-mnist --data mnist-5k --held-out mnist-5k:test --features digits
  ganzoo evaluate runs/first --data ./photos --features timm:resnet50.a1_in1k --metrics fid,kid,pr,dc
  ganzoo evaluate runs/first/model/evaluation.json runs/second/model/evaluation.json
  ganzoo evaluate runs/seqgan --data wordnet-glosses --metrics bleu,self-bleu,reverse-lm --sweep 0.7:1.3""",
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=complete_model)
@click.option("--data", help="The real reference: a folder of pictures, a file of texts or a data set's name.")
@click.option("--held-out", help="Real data that the model was not trained on, measured beside it; split test unless given.")
@click.option("--features", help="The feature space, e.g. digits, timm:<name>, minilm; metrics of texts need none.")
@click.option(
    "--metrics",
    help="With commas: fid, kid, is, pr, dc, ppl, modes, c2st, mauve, or a plugin's, and of texts bleu, self-bleu, distinct, "
    "overlap, lm, reverse-lm, nll. fid,pr unless given; of texts bleu,self-bleu,distinct,overlap.",
)
@click.option("--samples", type=click.IntRange(min=2), default=5000, show_default=True, help="How many to generate.")
@click.option("--seed", type=click.IntRange(0, SEED_LIMIT), default=0, show_default=True, help="Of the samples.")
@click.option("--truncation", type=click.FloatRange(min=0, min_open=True), help="Quality against variety; off when left out.")
@click.option("--class", "condition", help="Only this class, by name or number; else classes are drawn as in the reference.")
@click.option(
    "--temperature", type=click.FloatRange(min=0, min_open=True), help="Of a text model's draws; its own when left out."
)
@click.option("--top-k", type=click.IntRange(min=1), help="Draw from so many of the likeliest tokens only.")
@click.option(
    "--top-p", type=click.FloatRange(0, 1, min_open=True), help="Draw from the likeliest tokens of this probability only."
)
@click.option(
    "--sweep", metavar="LOW:HIGH[:STEPS]", callback=_temperatures, help="Measure at several temperatures; 7 steps unless given."
)
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Draw the figures over the temperatures of --sweep into a picture."
)
@click.option("--controls/--no-controls", default=True, help="Also measure the same network at random initialisation.")
@click.option("--card", is_flag=True, help="Print the lines for a model card instead of a table.")
@device_option
@as_json
def command(
    models: tuple[str, ...],
    data: str | None,
    held_out: str | None,
    features: str | None,
    metrics: str | None,
    samples: int,
    seed: int,
    truncation: float | None,
    condition: str | None,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
    sweep: tuple[float, ...],
    plot: Path | None,
    controls: bool,
    card: bool,
    device: str,
    as_json: bool,
) -> None:
    """Measure the samples of models against real data.

    MODEL is a name of the catalogue, hf:organisation/repository, a checkpoint, a model folder or a run; or an evaluation.json
    that was written before. Prints the figures of each model beside those of its controls, and the protocol that is needed to
    repeat them. What was measured in different ways stands in different tables.

    The evaluation of a folder or a run is kept in its evaluation.json. Figures of unlike sample counts are biased differently:
    compare lines of the same count. With --sweep, the controls are measured at the first temperature only.
    """
    from ganzoo.metrics import Decoding, make_tables, read_record
    from ganzoo.metrics.plotting import check_picture

    if sweep and temperature is not None:
        raise click.UsageError("Either one --temperature or a --sweep over several.")
    if plot is not None:
        if not sweep:
            raise click.UsageError("--plot draws the curves of a --sweep.")
        check_picture(plot)  # before minutes of work, not after
    measure: Callable[[str], Sequence[Evaluation]] | None = None
    if not all(_is_record(model) for model in models):
        if data is None:
            raise click.UsageError("Measuring a model needs --data and --features; texts can be measured without features.")
        from ganzoo import resources

        reference = resources.open_dataset(data)
        space, chosen = _choose(reference, features, metrics)
        unseen = None if held_out is None else resources.open_dataset(held_out, split="test")
        measure = partial(
            _measure,
            device=device,
            reference=reference,
            space=space,
            held_out=unseen,
            metrics=chosen,
            samples=samples,
            seed=seed,
            truncation=truncation,
            condition=condition,
            decodings=[Decoding(each, top_k, top_p) for each in sweep or (temperature,)],
            controls=controls,
        )
    found: list[Evaluation] = []
    measured: list[Evaluation] = []
    for model in models:
        if measure is None or _is_record(model):
            found.extend(read_record(model))
        else:
            made = measure(model)
            measured.extend(made)
            found.extend(made)
    if plot is not None:
        from ganzoo.metrics import plot_curves

        click.echo(f"{plot_curves(found, plot)}", err=True)
    if as_json:
        echo_json([each.to_json() for each in found])
    elif card:
        _echo_cards(found, measured)
    else:
        _echo_tables(make_tables(found))


def _choose(reference: "Dataset", features: str | None, metrics: str | None) -> "tuple[Features, tuple[Metric, ...]]":
    """The feature space and the metrics by their names, where they fit the reference."""
    from ganzoo import resources
    from ganzoo.metrics import NoFeatures, choose_metrics

    chosen = None if metrics is None else resources.open_metrics(name.strip() for name in metrics.split(","))
    if features is None and reference.modality != "text":
        raise click.UsageError("Measuring a model needs --data and --features; only texts can be measured without features.")
    space = NoFeatures() if features is None else resources.open_features(features)
    return space, choose_metrics(reference.modality, space, chosen)


def _measure(model: str, device: str, reference: "Dataset", space: "Features", **options: Any) -> "tuple[Evaluation, ...]":
    """Measures one model; ``options`` are those of `ganzoo.metrics.evaluate_decodings`."""
    from ganzoo.loading import load
    from ganzoo.metrics import add_to_record, evaluate_decodings
    from ganzoo.models.devices import resolve_device

    folder = model_folder(model)
    generator = load(folder or model, role="generator", device=device)
    space.to(resolve_device(device))
    made = options["samples"] * (len(options["decodings"]) + options["controls"])
    with progress_bar("Measuring", len(reference) + made + len(options["held_out"] or ())) as advance:
        found = evaluate_decodings(generator, reference, space, name=model, progress=advance, **options)
    if folder is not None:
        kept = [add_to_record(folder, each) for each in found]
        click.echo(f"kept in {kept[-1]}", err=True)
    return found


def _is_record(text: str) -> bool:
    return text.endswith(".json")


def model_folder(text: str) -> Path | None:
    """The folder of the model that ``text`` names, if it is one on this machine or the run that made it.

    Raises:
        ConfigError: it is a run that has made no model yet.
    """
    from ganzoo.errors import ConfigError

    path = Path(text).expanduser()
    if not (text.startswith((".", "/", "~")) or os.path.lexists(text)) or not path.is_dir():
        return None
    if (path / "model" / _MODEL_FILE).is_file():
        return path / "model"
    if (path / "checkpoints").is_dir():
        raise ConfigError(f"The run in {path} has made no model yet.", hint=f"Let it finish first: ganzoo resume {path}")
    return path


def _echo_cards(found: "Sequence[Evaluation]", measured: "Sequence[Evaluation]") -> None:
    """The command belongs to what it has measured, and not to what it has read in a record."""
    from ganzoo.metrics import card_metrics

    command = shlex.join(["ganzoo", *(word for word in sys.argv[1:] if word != "--card")])
    for each in found:
        if len(found) > 1:
            click.echo(f"# {each.name}")
        click.echo(card_metrics(each, command if any(each is one for one in measured) else ""))


def _echo_tables(tables: "Sequence[Table]") -> None:
    for number, table in enumerate(tables):
        if number:
            click.echo("\nNot to be compared with the first table:")
            for reason in table.apart:
                click.echo(f"  {reason}")
            click.echo()
        alone = len(tables) == len({(each.name, each.weights_sha256) for each in table.evaluations}) == 1
        # then its name stands in the command
        echo_table(table.headers[alone:], [row[alone:] for row in table.rows])
        for each in table.evaluations:
            if each.model.votes:
                of = "" if alone else f" of {each.name}"
                click.echo(f"\nvotes{of}  " + "  ".join(f"{name} {share:.1%}" for name, share in each.model.votes.items()))
        click.echo(f"\n{table.protocol}\n{table.evaluations[0].protocol.versions_text}")
        for remark in table.remarks:
            click.echo(f"but {remark}")
