"""``ganzoo generate``, and wrong model names for every command that takes one."""

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.building import build_random
from ganzoo.checkpoint import write_model
from ganzoo.checkpoint.folder import model_config
from ganzoo_dcgan.studiogan import StudioDCGANGenerator
from tests.cli.conftest import BAD_FILES, Run, listing
from tests.support.cli import ganzoo
from tests.support.distributions import card, make_distribution
from tests.support.networks import generator, safetensors_bytes

BUNDLED = 'source = {kind = "bundled", package = "zoo_acme"}'


def test_generate_a_grid(run: Run, here: Path, model: Path) -> None:
    told = run("generate", model, "-n", 4, "--seed", 7, "-o", "grid.png")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("grid.png (first seed ")
    with Image.open(here / "grid.png") as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", (22, 22), "L")


@pytest.mark.parametrize(("name", "kind"), [("grid.jpg", "JPEG"), ("grid.JPEG", "JPEG"), ("grid.webp", "WEBP")])
def test_generate_by_suffix(run: Run, here: Path, model: Path, name: str, kind: str) -> None:
    assert run("generate", model, "-o", name).code == 0
    with Image.open(here / name) as picture:
        assert picture.format == kind


def test_generate_single_files(run: Run, here: Path, model: Path) -> None:
    told = run("generate", model, "-n", 3, "--seed", 1, "-o", "digits/", "--json")
    report = json.loads(told.out)
    assert len(report["seeds"]) == 3
    assert report["files"] == [f"digits/{i:04}-seed{seed}.png" for i, seed in enumerate(report["seeds"])]
    assert all((here / file).is_file() for file in report["files"])
    assert run("generate", model, "-n", 3, "--seed", 1, "-o", "digits").out.startswith("3 files in digits (first seed ")


def test_the_same_seed_gives_the_same_bytes_and_no_seed_another_picture(run: Run, here: Path, model: Path) -> None:
    for name, more in (("a", ["--seed", 5]), ("b", ["--seed", 5]), ("c", ["--seed", 6]), ("d", []), ("e", [])):
        assert run("generate", model, "-n", 2, "-o", f"{name}.png", *more).code == 0
    a, b, c, d, e = ((here / f"{name}.png").read_bytes() for name in "abcde")
    assert a == b
    assert len({a, c, d, e}) == 4


def test_pictures_do_not_depend_on_the_batch_size(run: Run, here: Path, model: Path) -> None:
    for size in (1, 3, 16):
        assert run("generate", model, "-n", 7, "--seed", 5, "--batch-size", size, "-o", f"{size}.png").code == 0
    pixels = [np.asarray(Image.open(here / f"{size}.png"), dtype=int) for size in (1, 3, 16)]
    assert max(abs(pixels[0] - other).max() for other in pixels) <= 1  # of 255: rounding


def test_generate_with_every_option(run: Run, here: Path, model: Path) -> None:
    options = ["--truncation", "0.5", "--device", "cpu", "--dtype", "float64", "--batch-size", "2"]
    assert run("generate", model, "-n", 3, "-o", "grid.png", *options).code == 0
    assert (here / "grid.png").is_file()


def test_generate_from_a_checkpoint_file(run: Run, here: Path, model: Path) -> None:
    assert run("generate", "g.pth", "--seed", 1, "-o", "file.png").code == 0
    assert run("generate", model, "--seed", 1, "-o", "folder.png").code == 0
    assert (here / "file.png").read_bytes() == (here / "folder.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-n", "0"], "'-n' / '--number': 0 is not in the range x>=1"),
        (["-n", "-1"], "-1 is not in the range"),
        (["-n", "many"], "'many' is not a valid integer"),
        (["--seed", "dice"], "'dice' is not a valid integer"),
        (["--seed", "-1"], "-1 is not in the range"),
        (["--seed", str(2**32)], "is not in the range"),
        (["--truncation", "half"], "'half' is not a valid float"),
        (["--batch-size", "0"], "is not in the range"),
    ],
)
def test_generate_with_values_out_of_range_is_wrong_usage(run: Run, here: Path, arguments: list[str], words: str) -> None:
    told = run("generate", "./tiny", "-o", "grid.png", *arguments)
    assert told.code == 2
    assert words in told.err
    assert listing(here) == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device", "gpu"], "The device 'gpu' cannot be used on this machine.\nAvailable here: auto, cpu"),
        (["--dtype", "float31"], "'float31' is no floating-point dtype that ganzoo knows.\nUse float32"),
        (["--truncation", "1e-9"], "leaves too little of the latent space"),
        (["-o", "no/such/grid.png"], "the folder no/such does not exist.\nMake it first: mkdir -p no/such"),
        (["-o", "g.pth/grid.png"], "g.pth is not a folder"),
        (["-o", "g.pth"], "image samples cannot be written as '.pth'.\nUse .png, .jpg"),
        (["-o", "taken"], "taken cannot be written: File exists"),
        (["-o", "folder.png"], "folder.png cannot be written: Is a directory"),
    ],
)
def test_generate_with_what_cannot_be_used(run: Run, here: Path, model: Path, arguments: list[str], words: str) -> None:
    (here / "taken").write_text("in the way")
    (here / "folder.png").mkdir()
    before = listing(here)
    told = run("generate", model, "-o", "grid.png", *arguments)
    assert told.code == 1
    assert words in told.err
    assert listing(here) == before


def test_a_missing_output_folder_is_noticed_before_the_work(run: Run, here: Path) -> None:
    assert "the folder no does not exist" in run("generate", "no-such-model", "-o", "no/grid.png").err


def test_a_full_disk_leaves_nothing_behind(run: Run, here: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = listing(here)
    monkeypatch.setattr(Image.Image, "save", full)
    told = run("generate", model, "-o", "grid.png")
    assert (told.code, told.err) == (1, "Error: grid.png cannot be written: No space left on device.\n")
    assert listing(here) == before


def test_too_little_memory_is_said_in_words(run: Run, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried 1 PB.")

    monkeypatch.setattr("ganzoo.models.ImageGenerator.sample", greedy)
    told = run("generate", model, "-o", "grid.png")
    assert told.code == 1
    assert "Try a smaller batch size" in told.err


def test_generate_from_a_conditional_model(run: Run, here: Path, model: Path) -> None:
    arguments = {"conditioning": "cBN", "num_classes": 3, "width": 4, "latent_size": 5}
    torch.save(build_random(StudioDCGANGenerator, arguments, seed=1).state_dict(), here / "studio.pth")
    for name in "01":
        assert run("generate", "studio.pth", "--seed", 1, "--class", name, "-o", f"{name}.png").code == 0
    assert (here / "0.png").read_bytes() != (here / "1.png").read_bytes()
    for source, more, code, words in (
        ("studio.pth", [], 1, "conditional and needs a class"),
        ("studio.pth", ["--class", "3"], 1, "This model has the classes 0 to 2"),
        ("studio.pth", ["--class", "-1"], 1, "no class named '-1'.\nThis model knows its classes by number only."),
        (model, ["--class", "0"], 1, "is unconditional; it cannot make class '0'"),
    ):
        told = run("generate", source, "-o", "no.png", *more)
        assert told.code == code
        assert words in told.err
    assert not (here / "no.png").exists()


@pytest.mark.parametrize("psi", ["0", "-1", "nan"])
def test_a_truncation_that_the_family_does_not_know(run: Run, here: Path, model: Path, psi: str) -> None:
    """Families that truncate behind their latents take any number."""
    told = run("generate", model, "--truncation", psi, "-o", "no.png")
    assert told.code == 1
    assert "The truncation must be a number above 0" in told.err
    assert not (here / "no.png").exists()


def test_a_class_by_its_name(run: Run, here: Path) -> None:
    arguments = {"conditioning": "cBN", "num_classes": 3, "width": 4, "latent_size": 5}
    network = build_random(StudioDCGANGenerator, arguments, seed=1)
    config = model_config("studiogan-dcgan", "dcgan", {"generator": network.config}, class_names=["cat", "dog", "0"])
    write_model(here / "pets", config, {"generator": network.state_dict()})
    for name in ("cat", "dog", "0", "1", "2"):
        assert run("generate", "pets", "--seed", 1, "--class", name, "-o", f"{name}.png").code == 0
    cat, dog, second, first, third = ((here / f"{name}.png").read_bytes() for name in ("cat", "dog", "0", "1", "2"))
    assert dog == first != cat
    assert second == third  # a name comes before a number
    told = run("generate", "pets", "--class", "dgo", "-o", "no.png")
    assert told.code == 1
    assert "There is no class named 'dgo'.\nDid you mean 'dog'" in told.err


@pytest.mark.parametrize(("name", "words"), [*BAD_FILES, ("netD.pth", "has no generator.\nIt has: discriminator.")])
def test_generate_from_a_bad_file(run: Run, bad_files: Path, name: str, words: str) -> None:
    told = run("generate", name, "-o", "grid.png")
    assert told.code == 1
    assert name.removeprefix("./") in told.err
    assert words in told.err
    assert not (bad_files / "grid.png").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("zebra-oen", "There is no model named 'zebra-oen'.\nDid you mean 'zebra-one'"),
        ("dcgan", "'dcgan' is an architecture. Its models: "),
        ("netG.pth", "There is no model named 'netG.pth'.\nThere is no file or folder of that name either."),
        ("https://example.com/x.pth", "give their path"),
        ("", "is no model name"),
    ],
)
@pytest.mark.parametrize("command", ["generate", "download"])
def test_a_wrong_model_name(run: Run, site: Path, here: Path, command: str, name: str, words: str) -> None:
    make_distribution(site, "dist-acme", module="zoo_acme", plugin="acme", cards={"a.toml": card("zebra-one")})
    told = run(command, name, *(["-o", "grid.png"] if command == "generate" else []))
    assert told.code == 1
    assert words in told.err


def test_a_bundled_model_that_must_not_be_sold_says_so(site: Path, here: Path) -> None:
    """A process of its own: what the logger says reaches standard error there."""
    weights = safetensors_bytes(generator().state_dict())
    text = card("zebra-one").replace("commercial = true", "commercial = false")
    text = text.replace('source = {kind = "hf", repository = "someone/zebra-one", revision = "' + "0" * 40 + '"}', BUNDLED)
    text = text.replace("0" * 64, hashlib.sha256(weights).hexdigest()).replace("size = 10", f"size = {len(weights)}")
    package = make_distribution(site, "dist-acme", module="zoo_acme", plugin="acme", cards={"a.toml": text})
    (package / "generator.safetensors").write_bytes(weights)
    told = ganzoo("generate", "zebra-one", "-n", "4", "-o", "grid.png", env={"PYTHONPATH": str(site)}, cwd=here)
    assert told.returncode == 0, told.stderr
    assert told.stderr == "The weights of zebra-one are licensed for non-commercial use only (Apache-2.0).\n"
    assert (here / "grid.png").is_file()
