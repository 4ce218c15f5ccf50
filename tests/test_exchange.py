"""``export_file``: weights under the keys of another program, and back."""

import errno
from pathlib import Path
from typing import Any

import pytest
import torch

import ganzoo
from ganzoo.building import build_random
from ganzoo.checkpoint import read_safetensors, write_model
from ganzoo.checkpoint.folder import model_config
from ganzoo.errors import CheckpointError, ConfigError, InvalidValueError, OutputError, UnknownNameError
from ganzoo.exchange import SUFFIXES, export_file
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Discriminator, StyleGAN1Generator
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from tests.support.networks import DISCRIMINATOR, GENERATOR
from tests.support.packs import GOLDEN

STYLE = {"image_size": 16, "z_dim": 6, "w_dim": 5, "widths": [7, 6, 4], "mapping_layers": 2}
JUDGE = {"image_size": 16, "widths": [7, 6, 4]}


def stored(folder: Path, architecture: str, plugin: str, generator: Any, discriminator: Any) -> Path:
    """A model with random weights."""
    networks = {"generator": generator, "discriminator": discriminator}
    config = model_config(architecture, plugin, {role: network.config for role, network in networks.items()})
    folder.mkdir()
    write_model(folder / "model", config, {role: network.state_dict() for role, network in networks.items()})
    return folder / "model"


@pytest.fixture
def dcgan(tmp_path: Path) -> Path:
    discriminator = build_random(DCGANDiscriminator, DISCRIMINATOR, seed=1)
    return stored(tmp_path / "a", "dcgan", "dcgan", build_random(DCGANGenerator, GENERATOR, seed=1), discriminator)


@pytest.fixture
def style(tmp_path: Path) -> Path:
    return stored(
        tmp_path / "b",
        "stylegan2",
        "stylegan",
        build_random(StyleGAN2Generator, STYLE, seed=1),
        build_random(StyleGAN2Discriminator, JUDGE, seed=2),
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_written_is_the_same_network_again(dcgan: Path, tmp_path: Path, suffix: str) -> None:
    written = export_file(dcgan, tmp_path / f"g{suffix}")
    assert (written.id, written.role) == ("pytorch-tutorial", "generator")
    wanted, found = ganzoo.load(dcgan), ganzoo.load(tmp_path / f"g{suffix}")
    assert found.config == wanted.config
    assert torch.equal(found.sample(3, seed=0).tensor, wanted.sample(3, seed=0).tensor)
    state = read_safetensors(tmp_path / "g.safetensors")[0] if suffix == ".safetensors" else torch.load(tmp_path / f"g{suffix}")
    assert "main.0.weight" in state


@pytest.mark.parametrize("layout", ["stylegan2", "stylegan2-tensorflow", "stylegan2-rosinality", "stylegan2-genforce"])
def test_every_layout_of_an_architecture(style: Path, tmp_path: Path, layout: str) -> None:
    z = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    export_file(style, tmp_path / "g.pth", layout=layout)
    export_file(style, tmp_path / "d.pth", layout=layout, role="discriminator")
    images = ganzoo.load(style)(z, noise_mode="const")
    again = ganzoo.load(tmp_path / "g.pth", architecture="stylegan2", config={"num_fp16_res": 0})(z, noise_mode="const")
    assert torch.allclose(again, images, atol=1e-5)
    judged = (
        ganzoo.load(source, role="discriminator", **more)(images) for source, more in ((style, {}), (tmp_path / "d.pth", {}))
    )
    one, other = judged
    assert torch.allclose(one, other, atol=1e-5)


def test_the_weights_of_a_pickle_under_another_programs_keys(tmp_path: Path) -> None:
    options: dict[str, Any] = {"seed": 0, "c": 0, "noise_mode": "const"}
    export_file(GOLDEN / "stylegan2_ada.pkl", tmp_path / "g.pth", layout="stylegan2")
    wanted, found = (ganzoo.load(source) for source in (GOLDEN / "stylegan2_ada.pkl", tmp_path / "g.pth"))
    assert torch.allclose(found.sample(2, **options).tensor, wanted.sample(2, **options).tensor, atol=1e-5)


def test_what_cannot_be_asked_for(style: Path, dcgan: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="ends in .safetensors, .pth, .pt, .bin, not '.pkl'"):
        export_file(dcgan, tmp_path / "g.pkl")
    with pytest.raises(InvalidValueError, match=r"several layouts.\nChoose one: stylegan2"):
        export_file(style, tmp_path / "g.pth")
    with pytest.raises(UnknownNameError, match=r"no layout named 'x'.\n'dcgan' \(generator\) has: pytorch-tutorial"):
        export_file(dcgan, tmp_path / "g.pth", layout="x")
    with pytest.raises(OutputError, match="nowhere"):
        export_file(dcgan, tmp_path / "nowhere" / "g.pth")
    assert not (tmp_path / "g.pth").exists()


def test_a_network_that_the_other_program_does_not_have(tmp_path: Path) -> None:
    """Its generators have one RGB layer for each resolution."""
    generator = build_random(StyleGAN2Generator, {**STYLE, "architecture": "resnet"}, seed=1)
    model = stored(tmp_path / "b", "stylegan2", "stylegan", generator, build_random(StyleGAN2Discriminator, JUDGE, seed=2))
    with pytest.raises(ConfigError, match="in the layout 'stylegan2-rosinality', which has no place for such"):
        export_file(model, tmp_path / "g.pth", layout="stylegan2-rosinality")
    assert not (tmp_path / "g.pth").exists()


def test_a_network_of_which_the_other_programs_would_compute_something_else(tmp_path: Path) -> None:
    """The same names and shapes, but another normalisation."""
    arguments = {"image_size": 16, "z_dim": 6, "w_dim": 5, "widths": [7, 6, 4], "mapping_layers": 2, "mapping_width": 8}
    generator = build_random(StyleGAN1Generator, {**arguments, "norm_eps": 0.1, "blur": None, "growing": False}, seed=1)
    discriminator = build_random(StyleGAN1Discriminator, {"image_size": 16, "widths": [7, 6, 4]}, seed=1)
    model = stored(tmp_path / "b", "stylegan", "stylegan", generator, discriminator)
    with pytest.raises(ConfigError, match="in the layout 'stylegan-lernapparat'.* other samples"):
        export_file(model, tmp_path / "g.pth", layout="stylegan-lernapparat")
    assert not (tmp_path / "g.pth").exists()


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    generator = build_random(DCGANGenerator, GENERATOR, seed=1)
    with torch.no_grad():
        next(generator.parameters())[0] = float("nan")
    model = stored(tmp_path / "b", "dcgan", "dcgan", generator, build_random(DCGANDiscriminator, DISCRIMINATOR, seed=1))
    with pytest.raises(CheckpointError, match="NaN"):
        export_file(model, tmp_path / "g.pth")
    assert not (tmp_path / "g.pth").exists()


def test_a_file_that_is_there_is_kept_unless_asked(dcgan: Path, tmp_path: Path) -> None:
    (tmp_path / "g.pth").write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        export_file(dcgan, tmp_path / "g.pth")
    assert (tmp_path / "g.pth").read_text() == "mine"
    export_file(dcgan, tmp_path / "g.pth", overwrite=True)
    assert ganzoo.load(tmp_path / "g.pth").config == ganzoo.load(dcgan).config


@pytest.mark.parametrize("problem", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("unexpected pos 64 vs 0")])
def test_a_full_disk_leaves_nothing(dcgan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def full(*_: object) -> None:
        raise problem

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OutputError, match="could not be written"):
        export_file(dcgan, tmp_path / "g.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
