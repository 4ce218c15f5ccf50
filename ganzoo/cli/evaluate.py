"""``ganzoo evaluate``."""

from typing import TYPE_CHECKING

import click

from ganzoo.cli.options import SEED_LIMIT, as_json, complete_model, device_option
from ganzoo.cli.output import echo_json, echo_table
from ganzoo.cli.progress import progress_bar

if TYPE_CHECKING:
    from ganzoo.metrics import Evaluation


@click.command(
    "evaluate",
    epilog="""\b
Examples:
  ganzoo evaluate dcgan-mnist --data mnist-5k --held-out mnist-5k:test --features digits""",
)
@click.argument("model", shell_complete=complete_model)
@click.option("--data", required=True, help="The real reference: a folder of pictures or a data set's name.")
@click.option("--held-out", help="Real pictures that the model was not trained on, measured beside it.")
@click.option("--features", required=True, help="The feature space, e.g. digits; `ganzoo plugins` lists them.")
@click.option("--samples", type=click.IntRange(min=2), default=5000, show_default=True, help="How many to generate.")
@click.option("--seed", type=click.IntRange(0, SEED_LIMIT), default=0, show_default=True, help="Of the samples.")
@click.option("--controls/--no-controls", default=True, help="Also measure the same network at random initialisation.")
@device_option
@as_json
def command(
    model: str,
    data: str,
    held_out: str | None,
    features: str,
    samples: int,
    seed: int,
    controls: bool,
    device: str,
    as_json: bool,
) -> None:
    """Measure a model's samples against real data.

    Prints the figures of the model beside those of its controls, and the protocol that is needed to repeat them. Figures of
    unlike sample counts are biased differently: compare lines of the same count.
    """
    from ganzoo import resources
    from ganzoo.loading import load
    from ganzoo.metrics import evaluate_generator

    space = resources.open_features(features)
    reference = resources.open_dataset(data)
    unseen = None if held_out is None else resources.open_dataset(held_out, split="test")
    generator = load(model, role="generator", device=device)
    total = len(reference) + samples * (1 + controls) + (0 if unseen is None else len(unseen))
    with progress_bar("Measuring", total) as advance:
        found = evaluate_generator(
            generator, reference, space, held_out=unseen, samples=samples, seed=seed, controls=controls, progress=advance
        )
    if as_json:
        echo_json(found.to_json())
    else:
        _tell(found)


def _tell(found: "Evaluation") -> None:
    names = list(found.model.figures)
    rows = [(m.of, str(m.samples), *(f"{m.figures[name]:.3f}" for name in names)) for m in found.measurements]
    echo_table(("MEASURED", "SAMPLES", *(name.upper() for name in names)), rows)
    if found.model.votes:
        click.echo("\nvotes  " + "  ".join(f"{name} {share:.1%}" for name, share in found.model.votes.items()))
    click.echo(f"\n{found.protocol}")
