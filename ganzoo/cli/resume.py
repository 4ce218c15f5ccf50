"""``ganzoo resume``."""

from pathlib import Path

import click

from ganzoo.cli.options import as_json
from ganzoo.cli.train import tell_run


@click.command("resume", epilog="\b\nExamples:\n  ganzoo resume runs/first\n  ganzoo resume runs/first --device cuda")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", help="Where the data is now; as the run was started when left out.")
@click.option("--device", help="Another device than before.")
@as_json
def command(run: Path, data: str | None, device: str | None, as_json: bool) -> None:
    """Go on with a training run that was interrupted.

    Takes the latest intact checkpoint. On the CPU and with the same versions the result is that of a run that never stopped.
    """
    import msgspec

    from ganzoo import resources, training
    from ganzoo.cli.planning import open_evaluator
    from ganzoo.plugin_host import host

    config = training.RunDirectory(run).config()
    architecture = host().architecture(config.architecture, plugin=config.plugin, distribution=config.distribution)
    dataset = resources.open_dataset(data or config.data.source)
    networks = resources.network_classes(architecture)
    evaluation = config.evaluation
    if data and evaluation is not None and evaluation.data == config.data.source:  # the data moved, and it is the reference too
        evaluation = msgspec.structs.replace(evaluation, data=data)
    evaluator = None if evaluation is None else open_evaluator(evaluation)
    with training.terminal_reporter() as reporter:
        done = training.resume(run, networks, dataset, device=device, evaluator=evaluator, reporter=reporter)
    tell_run(done, as_json)
