"""A short film of a training: its sample grids one after the other."""

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ganzoo.errors import OutputError
from ganzoo.paths import atomic_path
from ganzoo.training.reporting import Silent

FILM = "film.webp"
SIDE = 512  # pixels at most; a film is for looking, the grids themselves stay
MILLISECONDS = 200  # a frame
LAST = 2000  # the last frame stays longer


class Film(Silent):
    """Makes ``film.webp`` of the grids in ``samples/`` when the run ends or stops.

    Args:
        run: The run directory.
    """

    def __init__(self, run: Path) -> None:
        self._run = run

    def finished(self) -> None:
        """Writes the film, where there are grids that are pictures.

        Raises:
            OutputError: it cannot be written, or a grid cannot be read.
        """
        grids = sorted(p for p in (self._run / "samples").glob("*.png") if p.stem.isdecimal())  # none that is half-written
        if grids:
            write_film(grids, self._run / FILM)


def write_film(grids: list[Path], file: Path) -> None:
    """Writes ``grids`` as an animated WebP that repeats for ever; a grid of another size is scaled to the last one's.

    Raises:
        OutputError: it cannot be written, or a grid cannot be read.
    """
    try:
        size = _size(grids[-1])
        frames = [_frame(grid, size) for grid in grids]
        times = [MILLISECONDS] * (len(frames) - 1) + [LAST]
        with atomic_path(file) as temporary:
            frames[0].save(temporary, "WEBP", save_all=True, append_images=frames[1:], duration=times, loop=0, quality=90)
    except UnidentifiedImageError as e:
        raise OutputError(f"The film {file} cannot be made: {e}.", hint="Remove the broken grid and resume the run.") from e
    except OSError as e:
        raise OutputError(f"The film {file} cannot be written: {e.strerror or e}.") from e


def _size(grid: Path) -> tuple[int, int]:
    with Image.open(grid) as picture:
        width, height = picture.size
    scale = min(1.0, SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _frame(grid: Path, size: tuple[int, int]) -> Image.Image:
    with Image.open(grid) as picture:
        return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
