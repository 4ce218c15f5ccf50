from pathlib import Path

import pytest
import torch
from PIL import Image

from ganzoo.errors import OutputError
from ganzoo.models import ImageSamples
from ganzoo.training import Options, train
from ganzoo.training.film import LAST, MILLISECONDS, SIDE, Film, write_film
from tests.training.toy import EVERY, NETWORKS, TOY, toy_data


def frames(file: Path) -> list[tuple[tuple[int, int, int], float]]:
    """The colour in the middle of each frame, and how long it is shown."""
    with Image.open(file) as film:
        found = []
        for index in range(getattr(film, "n_frames", 1)):
            film.seek(index)
            film.load()
            middle = film.convert("RGB").getpixel((film.width // 2, film.height // 2))
            found.append((middle, film.info["duration"]))
        return found


def grid(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def test_the_grids_come_one_after_the_other_and_the_last_stays(tmp_path: Path) -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    grids = [grid(tmp_path / f"{i}.png", colour) for i, colour in enumerate(colours)]
    write_film(grids, tmp_path / "film.webp")
    shown = frames(tmp_path / "film.webp")
    assert [time for _, time in shown] == [MILLISECONDS, MILLISECONDS, LAST]
    for (colour, _), wanted in zip(shown, colours, strict=True):
        assert max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 16  # lossy


def test_large_grids_are_made_smaller(tmp_path: Path) -> None:
    write_film([grid(tmp_path / "a.png", (9, 9, 9), (2048, 1024))], tmp_path / "film.webp")
    with Image.open(tmp_path / "film.webp") as film:
        assert film.size == (SIDE, SIDE // 2)


def test_a_run_makes_a_film_of_its_grids(tmp_path: Path) -> None:
    options = Options(intervals={**EVERY, "samples": 16}, film=True)
    run = train(TOY, NETWORKS, toy_data(), tmp_path / "run", options=options, plugin="toy")
    assert [time for _, time in frames(run.path / "film.webp")] == [MILLISECONDS, MILLISECONDS, LAST]


def test_half_written_grids_are_not_shown(tmp_path: Path) -> None:
    grid(tmp_path / "samples" / "000000008.png", (255, 255, 255))
    (tmp_path / "samples" / ".000000016.png.0123456789ab.png").write_bytes(b"half")
    Film(tmp_path).finished()
    assert len(frames(tmp_path / "film.webp")) == 1


def test_without_grids_there_is_no_film(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    Film(tmp_path).finished()
    assert not (tmp_path / "film.webp").exists()


def test_a_broken_grid_is_named(tmp_path: Path) -> None:
    broken = grid(tmp_path / "samples" / "000000008.png", (0, 0, 0))
    broken.write_bytes(b"no picture")
    with pytest.raises(OutputError, match=r"film\.webp cannot be made: .*000000008\.png"):
        Film(tmp_path).finished()


def test_grids_are_as_samples_are_saved(tmp_path: Path) -> None:
    """Grey pictures too: a film has colours."""
    (tmp_path / "samples").mkdir()
    ImageSamples(torch.ones(1, 1, 8, 8), [0]).save(tmp_path / "samples" / "000000008.png")
    Film(tmp_path).finished()
    assert frames(tmp_path / "film.webp")[0][0] == (255, 255, 255)
