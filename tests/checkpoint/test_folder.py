"""The zoo's own layout on disk, and conversions into it."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import ganzoo
from ganzoo.building import build, build_random
from ganzoo.checkpoint import (
    conversion,
    conversion_key,
    convert,
    file_sha256,
    read_checkpoint,
    read_model,
    read_safetensors,
    recognise,
    write_model,
    write_safetensors,
)
from ganzoo.checkpoint.folder import ModelConfig, model_config
from ganzoo.errors import CheckpointError, CorruptFileError, OutputError, UnrecognisedCheckpointError
from ganzoo_dcgan import ganzoo_architectures
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator

ARCHITECTURES = [("dcgan", architecture) for architecture in ganzoo_architectures()]
SMALL = {"image_size": 8, "channels": 1, "latent_size": 5, "width": 4}


@pytest.fixture
def generator() -> DCGANGenerator:
    return build_random(DCGANGenerator, SMALL, seed=1)


@pytest.fixture
def config(generator: DCGANGenerator) -> ModelConfig:
    return model_config("dcgan", "dcgan", {"generator": generator.config})


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) and a[key].dtype == b[key].dtype for key in a)


def test_a_model_comes_back_as_it_was(generator: DCGANGenerator, tmp_path: Path) -> None:
    D = build_random(DCGANDiscriminator, {"image_size": 8, "channels": 1, "width": 4}, seed=2)
    config = model_config("dcgan", "dcgan", {"generator": generator.config, "discriminator": D.config}, distribution="ganzoo-x")
    write_model(tmp_path / "model", config, {"generator": generator.state_dict(), "discriminator": D.state_dict()})
    model = read_model(tmp_path / "model")
    assert model.config == config
    assert model.config.ganzoo_version == ganzoo.__version__
    assert same(model.state("generator"), generator.state_dict())
    assert same(model.state("discriminator"), D.state_dict())
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "config.json",
        "discriminator.safetensors",
        "generator.safetensors",
    ]
    with pytest.raises(CheckpointError, match="no encoder"):
        model.state("encoder")


def test_files_are_readable_by_others(generator: DCGANGenerator, config: ModelConfig, tmp_path: Path) -> None:
    write_model(tmp_path / "model", config, {"generator": generator.state_dict()})
    for path in (tmp_path / "model", *(tmp_path / "model").iterdir()):
        assert path.stat().st_mode & stat.S_IROTH


def test_a_model_is_not_overwritten_unless_asked(generator: DCGANGenerator, config: ModelConfig, tmp_path: Path) -> None:
    both = model_config("dcgan", "dcgan", {"generator": {}, "discriminator": {}})
    state = {"w": torch.ones(2)}
    write_model(tmp_path, both, {"generator": state, "discriminator": state})
    with pytest.raises(OutputError, match=r"config\.json.*already"):
        write_model(tmp_path, config, {"generator": generator.state_dict()})
    assert same(read_model(tmp_path).state("generator"), state)
    write_model(tmp_path, config, {"generator": generator.state_dict()}, overwrite=True)
    assert set(read_model(tmp_path).files) == {"generator"}
    assert not (tmp_path / "discriminator.safetensors").exists()


def test_places_that_cannot_be_written(generator: DCGANGenerator, config: ModelConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place, words in ((tmp_path / "no" / "model", "does not exist"), (tmp_path / "file", "is a file")):
        with pytest.raises(OutputError, match=words):
            write_model(place, config, {"generator": generator.state_dict()})
    with pytest.raises(OutputError, match="weights of"):
        write_model(tmp_path / "model", config, {})


def test_a_failed_write_leaves_nothing(config: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ganzoo.checkpoint.safetensors_file.save_file", full)
    with pytest.raises(OutputError, match="No space left"):
        write_model(tmp_path / "model", config, {"generator": {"w": torch.ones(1)}})
    assert not list(tmp_path.iterdir())


VALID: dict[str, Any] = {
    "library_name": "ganzoo",
    "ganzoo_version": "0.1.0",
    "architecture": "dcgan",
    "plugin": "dcgan",
    "generator": {},
}


def test_fields_of_a_newer_version_are_tolerated(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**VALID, "moon": {"phase": 3}}))
    write_safetensors(tmp_path / "generator.safetensors", {"w": torch.ones(1)})
    assert read_model(tmp_path).config.architecture == "dcgan"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"library_name": "diffusers"}, "library_name"),
        ({"library_name": None}, "library_name"),
        ({"architecture": 3}, "architecture"),
        ({"architecture": "../evil"}, "architecture"),
        ({"generator": [1]}, "generator"),
        ({"generator": None}, "describes no network"),
        ({"discriminator": {}}, r"promises a discriminator"),
    ],
)
def test_a_wrong_config_names_the_field(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**VALID, **changes}))
    write_safetensors(tmp_path / "generator.safetensors", {"w": torch.ones(1)})
    with pytest.raises(CheckpointError, match=words):
        read_model(tmp_path)


def test_folders_that_hold_no_model(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        read_model(tmp_path)
    for text in ("", "{", "[]", "\x00"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match="no configuration"):
            read_model(tmp_path)
    (tmp_path / "config.json").write_bytes(b'{"library_name": "ganzoo", "ganzoo_version": "\xff"}')
    with pytest.raises(CheckpointError, match="utf-8"):
        read_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**VALID, "more": "x" * 2**20}))
    with pytest.raises(CheckpointError, match="more than 1048576 bytes"):
        read_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(VALID))
    with pytest.raises(CheckpointError, match=r"no generator\.safetensors"):
        read_model(tmp_path)
    (tmp_path / "generator.safetensors").write_bytes(b"")
    with pytest.raises(CorruptFileError, match="truncated"):
        read_model(tmp_path).state("generator")


def test_tied_weights_are_stored_once_and_views_apart(tmp_path: Path) -> None:
    big, base = torch.randn(1000), torch.arange(12.0)
    state = {
        "a": big,
        "tied": big,
        "row": base.view(3, 4)[1],
        "column": base.view(3, 4)[:, 1],
        "none": torch.empty(0),
        "nil": torch.empty(0),
    }
    write_safetensors(tmp_path / "w.safetensors", state)
    assert same(read_safetensors(tmp_path / "w.safetensors")[0], state)
    assert (tmp_path / "w.safetensors").stat().st_size < 6000
    assert same(dict(read_checkpoint(tmp_path / "w.safetensors").states[0].tensors), state)


@pytest.mark.parametrize("wrap", [lambda g, d: {"netG": g, "netD": d}, lambda g, d: g])
def test_convert(wrap: Any, generator: DCGANGenerator, tmp_path: Path) -> None:
    D = build_random(DCGANDiscriminator, {"image_size": 8, "channels": 1, "width": 4}, seed=2)
    torch.save(wrap(generator.state_dict(), D.state_dict()), tmp_path / "file.pth")
    model = convert(tmp_path / "file.pth", tmp_path / "out", ARCHITECTURES)
    assert same(model.state("generator"), generator.state_dict())
    assert model.config.source is not None
    assert model.config.source["generator"]["sha256"] == file_sha256(tmp_path / "file.pth")
    rebuilt = build(DCGANGenerator, model.config.generator or {}, model.state("generator"))
    z = rebuilt.latents([1, 2])
    assert torch.equal(rebuilt(z), generator.eval()(z))
    # Our own names are a layout of DCGAN too, so a bare file of ours is recognised.
    (match,) = recognise(read_checkpoint(model.files["generator"]), ARCHITECTURES)
    assert match.config == generator.config
    with pytest.raises(OutputError):
        convert(tmp_path / "file.pth", tmp_path / "out", ARCHITECTURES)


def test_a_discriminator_alone_is_converted_too(tmp_path: Path) -> None:
    D = build_random(DCGANDiscriminator, {"image_size": 8, "channels": 1, "width": 4}, seed=2)
    torch.save(D.state_dict(), tmp_path / "file.pth")
    assert set(convert(tmp_path / "file.pth", tmp_path / "out", ARCHITECTURES).files) == {"discriminator"}


def test_nothing_is_written_for_a_file_that_nobody_knows(tmp_path: Path) -> None:
    torch.save({"x": torch.ones(1)}, tmp_path / "file.pth")
    with pytest.raises(UnrecognisedCheckpointError):
        convert(tmp_path / "file.pth", tmp_path / "out", ARCHITECTURES)
    assert not (tmp_path / "out").exists()


def test_the_key_of_a_conversion_changes_with_all_that_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [
        conversion_key("a" * 64),
        conversion_key("b" * 64),
        conversion_key("a" * 64, "dcgan"),
        conversion_key("a" * 64, "", {"x": 1}),
    ]
    assert conversion_key("a" * 64) == keys[0]
    monkeypatch.setattr(conversion, "CONVERTER_VERSION", conversion.CONVERTER_VERSION + 1)
    keys.append(conversion_key("a" * 64))
    assert len(set(keys)) == 5
