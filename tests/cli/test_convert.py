"""``ganzoo convert``."""

import json
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import BAD_FILES, GOLDEN, Run, listing
from tests.support.networks import discriminator, generator


def test_convert_and_generate(run: Run, here: Path) -> None:
    torch.save({"netG": generator().state_dict(), "netD": discriminator().state_dict()}, here / "nets.pth")
    told = run("convert", "nets.pth", "-o", "my-dcgan")
    assert (told.code, told.err) == (0, "")
    assert "generator" in told.out
    assert "dcgan (pytorch-tutorial)" in told.out
    assert listing(here / "my-dcgan") == {"config.json", "generator.safetensors", "discriminator.safetensors"}
    assert run("generate", "./my-dcgan", "-n", 4, "-o", "grid.png").code == 0


def test_convert_json(run: Run, here: Path, model: Path) -> None:
    report = json.loads(run("convert", "g.pth", "-o", "again", "--json", "--architecture", "dcgan/dcgan").out)
    assert report["output"] == "again"
    (network,) = report["networks"]
    assert (network["role"], network["architecture"], network["plugin"]) == ("generator", "dcgan", "dcgan")
    assert network["config"]["image_size"] == 8


def test_convert_takes_arguments_that_the_file_cannot_tell(run: Run, here: Path) -> None:
    from tests.support.packs import read_pack

    torch.save(read_pack(GOLDEN / "studiogan_dcgan_g.safetensors").state, here / "studio.pth")
    told = run("convert", "studio.pth", "-o", "studio", "--config", "activation=ELU", "--json")
    assert json.loads(told.out)["networks"][0]["config"]["activation"] == "ELU"


def test_convert_over_a_model_needs_to_be_asked_for(run: Run, here: Path, model: Path) -> None:
    before = (here / "tiny" / "config.json").read_bytes()
    told = run("convert", "g.pth", "-o", "tiny")
    assert told.code == 1
    assert "tiny holds config.json" in told.err
    assert (here / "tiny" / "config.json").read_bytes() == before
    assert run("convert", "g.pth", "-o", "tiny", "--overwrite").code == 0


def test_weights_that_are_no_numbers_are_converted_only_if_told_so(run: Run, here: Path) -> None:
    state = generator().state_dict()
    next(iter(state.values())).view(-1)[0] = float("nan")
    torch.save({"netG": state}, here / "nets.pth")
    told = run("convert", "nets.pth", "-o", "out")
    assert told.code == 1
    assert "nets.pth, at 'netG', has weights that are not a number (NaN)" in told.err
    assert "--allow-nan" in told.err
    assert not (here / "out").exists()
    assert run("convert", "nets.pth", "-o", "out", "--allow-nan").code == 0


@pytest.mark.parametrize(("name", "words"), BAD_FILES)
def test_convert_a_bad_file_writes_nothing(run: Run, bad_files: Path, name: str, words: str) -> None:
    before = listing(bad_files)
    told = run("convert", name, "-o", "out")
    assert told.code == 1
    assert name.removeprefix("./") in told.err
    assert words in told.err
    assert listing(bad_files) == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-o", "no/such/out"], 1, "the folder no/such does not exist"),
        (["-o", "g.pth"], 1, "g.pth is a file, not a folder"),
        (["-o", "out", "--architecture", "dcgam"], 1, "There is no architecture named 'dcgam'.\nDid you mean 'dcgan'"),
        (["-o", "out", "--architecture", "studiogan-dcgan"], 1, "fits no architecture"),
        (["-o", "out", "--config", "image_size"], 1, "'image_size' is not of the form key=value"),
        (["-o", "out", "--config", "image_sise=8"], 1, "Did you mean 'image_size'?"),
        (["-o", "out", "--config", "image_size=16"], 1, "fits no architecture"),
        ([], 2, "Missing option '-o'"),
    ],
)
def test_convert_with_wrong_options(run: Run, here: Path, model: Path, arguments: list[str], code: int, words: str) -> None:
    before = listing(here)
    told = run("convert", "g.pth", *arguments)
    assert told.code == code
    assert words in told.err
    assert listing(here) == before
