"""The command line in the test's own process, without seconds of imports for each call; and files for it to work on."""

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.cli import main
from ganzoo.exchange import convert_file
from tests.support.networks import discriminator, generator, safetensors_bytes

GOLDEN = Path(__file__).parents[1] / "golden"
BAD_FILES = [
    ("./nothing.pth", "nothing.pth"),
    ("empty.pth", "is empty"),
    ("cut.safetensors", "truncated"),
    ("cut.pth", "cut.pth"),
    ("flipped.safetensors", "damaged"),
    ("page.pth", "web page"),
    ("hostile.pkl", "asks to build posix.system, "),
    ("other.pth", "fits no architecture"),
    ("./folder", "folder"),
]


@dataclass(frozen=True)
class Told:
    """What a command came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Told]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``ganzoo`` with these arguments. Whatever happens, no traceback is shown, and a failure says something."""

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["ganzoo", *map(str, arguments)])
        monkeypatch.setenv("HF_XET_CLIENT_RETRY_MAX_ATTEMPTS", "3")  # `main` sets it: restored afterwards
        capsys.readouterr()
        with warnings.catch_warnings(), pytest.raises(SystemExit) as stopped:
            warnings.simplefilter("default")
            main()
        out, err = capsys.readouterr()
        told = Told(stopped.value.code, out, err)  # type: ignore[arg-type]  # `main` exits with a number
        assert told.code in (0, 1, 2, 130)
        assert (told.code in (0, 130)) or "Error: " in told.err, told
        assert "Traceback" not in told.err
        return told

    return run


@pytest.fixture
def here(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; its name has none of the words that a test looks for."""
    folder = tmp_path_factory.mktemp("x")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def model(here: Path) -> Path:
    """A tiny generator in ganzoo's layout; relative, as people type it."""
    torch.save(generator().state_dict(), here / "g.pth")
    convert_file(here / "g.pth", here / "tiny")
    return Path("./tiny")


@pytest.fixture
def photos(here: Path) -> Path:
    """A dozen pictures of mixed sizes and modes."""
    folder = here / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i, mode in enumerate(["RGB", "L", "RGBA", "P", "1", "I;16", "CMYK", "LA", "RGB", "L", "RGB", "RGB"]):
        pixels = rng.integers(0, 255, (9 + i, 14 - i % 3, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).convert("L" if mode == "I;16" else mode)
        suffix = ".jpg" if mode == "CMYK" else ".png"
        picture.convert(mode).save(folder / f"{i:02}{suffix}")
    return Path("photos")


@pytest.fixture
def bad_files(here: Path) -> Path:
    """One file of each bad kind."""
    good = safetensors_bytes(generator().state_dict())
    torch.save(generator().state_dict(), here / "good.pth")
    torch.save(discriminator().state_dict(), here / "netD.pth")
    torch.save({"weight": torch.ones(3)}, here / "other.pth")
    (here / "empty.pth").touch()
    (here / "cut.safetensors").write_bytes(good[: len(good) // 2])
    (here / "cut.pth").write_bytes((here / "good.pth").read_bytes()[:1500])
    (here / "flipped.safetensors").write_bytes(good[:20] + bytes([good[20] ^ 0x80]) + good[21:])
    (here / "page.pth").write_text("<!DOCTYPE html><html><body>Log in</body></html>")
    (here / "hostile.pkl").write_bytes((GOLDEN / "malicious.pkl").read_bytes())
    (here / "folder").mkdir()
    return here


def listing(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}
