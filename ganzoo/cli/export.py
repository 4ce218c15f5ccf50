"""``ganzoo export``."""

from pathlib import Path
from typing import cast

import click

from ganzoo.cli.options import as_json, complete_model
from ganzoo.cli.output import echo_json
from ganzoo.spec import ROLES, Role


@click.command(
    "export",
    epilog="""\b
Examples:
  ganzoo export runs/faces/model -o G.pth --layout stylegan2
  ganzoo export dcgan-mnist -o netG.pth""",
)
@click.argument("model", shell_complete=complete_model)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The file: .safetensors, .pth, .pt or .bin."
)
@click.option("--layout", help="Whose keys; needed where the architecture has several layouts.")
@click.option("--role", type=click.Choice(ROLES), help="Which network; the generator when left out.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@as_json
def command(model: str, output: Path, layout: str | None, role: str | None, overwrite: bool, as_json: bool) -> None:
    """Write weights under the keys of another program.

    MODEL is a name of the catalogue, hf:organisation/repository, a checkpoint, a model folder or a run. The file holds one flat
    state dict; `ganzoo show ARCHITECTURE` lists the layouts.
    """
    from ganzoo.cli.evaluate import model_folder
    from ganzoo.exchange import export_file

    source, wanted = model_folder(model) or model, cast(Role | None, role)
    written = export_file(source, output, layout=layout, role=wanted, overwrite=overwrite)
    if as_json:
        echo_json({"file": str(output), "layout": written.id, "role": written.role})
        return
    click.echo(f"{output}: {written.role}, layout {written.id} ({written.summary})")
