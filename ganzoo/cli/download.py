"""``ganzoo download``."""

import click

from ganzoo.cli.options import as_json, complete_model
from ganzoo.cli.output import echo_json
from ganzoo.spec import ROLES, Role


@click.command("download", epilog="\b\nExamples:\n  ganzoo download dcgan-mnist\n  ganzoo download hf:someone/their-gan --json")
@click.argument("models", nargs=-1, required=True, shell_complete=complete_model)
@click.option("--role", type=click.Choice(ROLES), help="Only this network's file; all files when left out.")
@click.option("--force", is_flag=True, help="Download again even if the file is in the cache.")
@as_json
def command(models: tuple[str, ...], role: Role | None, force: bool, as_json: bool) -> None:
    """Download and verify the weights of models.

    Prints where each file is. What is already in the cache is verified and not downloaded again.
    """
    from ganzoo.loading import download

    reports = []
    for model in models:
        for name, fetched in download(model, role=role, force=force).items():
            reports.append({"model": model, "file": name, "path": str(fetched.path), "sha256": fetched.sha256})
            if not as_json:
                click.echo(str(fetched.path))
    if as_json:
        echo_json(reports)
