"""``ganzoo dataset``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo.cli.options import as_json
from ganzoo.cli.output import echo_fields, echo_json, printable
from ganzoo.cli.progress import progress_bar

if TYPE_CHECKING:
    from ganzoo.data.preparing import Prepared

_LARGEST = 16_384
_SHOWN = 20  # skipped files that are listed one by one


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """``64`` or ``128x96`` as width and height in pixels."""
    if value is None:
        return None
    width, _, height = value.partition("x")
    try:
        size = int(width), int(height or width)
    except ValueError as e:
        raise click.BadParameter(f"{value!r} is not a size such as 64 or 128x96.") from e
    if not all(1 <= side <= _LARGEST for side in size):
        raise click.BadParameter(f"{value!r} is not between 1 and {_LARGEST} pixels.")
    return size


@click.command(
    "dataset",
    epilog="""\b
Examples:
  ganzoo dataset ./photos ./photos-64 --size 64
  ganzoo dataset ./photos.zip faces.zip --size 128x96 --crop pad
  ganzoo dataset ./scans scans.zip --size 32 --grey""",
)
@click.argument("source")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--size", callback=_size, metavar="N|WxH", help="Pixels; each picture keeps its size when left out.")
@click.option(
    "--crop",
    type=click.Choice(["center", "pad", "none"]),
    default="center",
    show_default=True,
    help="Fill the shape and cut off the rest; fit into it and add white; or squeeze.",
)
@click.option("--grey", is_flag=True, help="Write grey pictures; else RGB.")
@as_json
def command(source: str, dest: Path, size: tuple[int, int] | None, crop: str, grey: bool, as_json: bool) -> None:
    """Crop and resize pictures for training, and check them.

    SOURCE is a folder or zip file of pictures; DEST a new folder, or a zip file if its name ends in .zip. Classes (folders or
    dataset.json) and captions are kept. Scaling is antialiased (bicubic), on the stored sRGB values. Nothing is overwritten.
    """
    from ganzoo.data import PictureDataset
    from ganzoo.data.preparing import CROPS, Wanted, prepare_pictures
    from ganzoo.errors import DataError
    from ganzoo.resources import open_dataset

    data = open_dataset(source)
    if not isinstance(data, PictureDataset):
        raise DataError(
            f"'{source}' is not made of picture files; it can be used as it is.", hint=f"For example: --data {source}"
        )
    chosen = next(name for name in CROPS if name == crop)
    wanted = Wanted(size=size, crop=chosen, mode="L" if grey else "RGB")
    with progress_bar(f"Preparing {data.name}", len(data)) as progress:
        prepared = prepare_pictures(data, dest, wanted, progress=progress)
    if as_json:
        echo_json(_report(prepared, data.class_names))
    else:
        _tell(prepared, data.class_names)


def _report(prepared: "Prepared", class_names: tuple[str, ...]) -> dict[str, object]:
    return {
        "output": str(prepared.path),
        "pictures": prepared.pictures,
        "classes": list(class_names),
        "skipped": [{"path": str(s.path), "reason": s.reason} for s in prepared.skipped],
        "notes": prepared.notes,
    }


def _tell(prepared: "Prepared", class_names: tuple[str, ...]) -> None:
    click.echo(str(prepared.path))
    fields = [("pictures", str(prepared.pictures)), *((text, str(count)) for text, count in prepared.notes.items())]
    if class_names:
        fields.insert(
            1, ("classes", f"{len(class_names)}: {', '.join(class_names[:8])}{', …' if len(class_names) > 8 else ''}")
        )
    echo_fields([*fields, ("skipped", str(len(prepared.skipped)))])
    for skipped in prepared.skipped[:_SHOWN]:
        click.echo(printable(f"  {skipped.path}: {skipped.reason}"))
    if len(prepared.skipped) > _SHOWN:
        click.echo(f"  and {len(prepared.skipped) - _SHOWN} more; --json lists all")
