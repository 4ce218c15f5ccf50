"""``ganzoo convert``."""

from pathlib import Path
from typing import Any

import click

from ganzoo.cli.options import as_json
from ganzoo.cli.output import echo_fields, echo_json


@click.command(
    "convert",
    epilog="""\b
Examples:
  ganzoo convert netG.pth -o my-dcgan
  ganzoo convert checkpoint.pt -o my-dcgan --architecture dcgan""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option("--architecture", help="Use this architecture where several fit.")
@click.option("--config", "arguments", multiple=True, metavar="KEY=VALUE", help="A network argument that the file cannot tell.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is already in the folder.")
@click.option("--allow-nan", is_flag=True, help="Convert weights that are not all numbers, too.")
@as_json
def command(
    file: Path,
    output: Path,
    architecture: str | None,
    arguments: tuple[str, ...],
    overwrite: bool,
    allow_nan: bool,
    as_json: bool,
) -> None:
    """Convert a checkpoint of another project to safetensors.

    Reads safetensors, torch.save files (zip and legacy) and NVIDIA's pickles, recognises the layout by its keys and shapes,
    and writes config.json and a safetensors file for each network. Nothing in FILE is ever executed.
    """
    from ganzoo.exchange import convert_file
    from ganzoo.resources import parse_settings

    config = parse_settings(arguments, "--config", "image_size=32")
    matches = convert_file(file, output, architecture=architecture, config=config, overwrite=overwrite, allow_nan=allow_nan)
    report: list[dict[str, Any]] = [
        {"role": m.role, "architecture": m.architecture.id, "layout": m.layout, "plugin": m.plugin, "config": m.config}
        for m in matches
    ]
    if as_json:
        echo_json({"output": str(output), "networks": report})
        return
    click.echo(str(output))
    for entry in report:
        shown = ", ".join(f"{k}={v!r}" for k, v in entry["config"].items())
        echo_fields([(str(entry["role"]), f"{entry['architecture']} ({entry['layout']}): {shown}")], indent="  ")
