"""``ganzoo.load`` and ``convert_file`` of what is on this machine, and the names that are none of it."""

import copy
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.checkpoint import read_model
from ganzoo.errors import (
    CheckpointError,
    ConfigError,
    CorruptFileError,
    HostileFileError,
    InvalidValueError,
    OutputError,
    PluginError,
    UnknownNameError,
    UnrecognisedCheckpointError,
)
from ganzoo.exchange import convert_file
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator
from tests.support.distributions import card, make_distribution
from tests.support.networks import DISCRIMINATOR, GENERATOR, discriminator, generator, safetensors_bytes

State = dict[str, Tensor]


@pytest.fixture
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name has none of the words that a test looks for in an error."""
    return tmp_path_factory.mktemp("x")


@pytest.fixture
def model(here: Path) -> Path:
    """A model with both networks, as `convert` writes it."""
    torch.save({"netG": generator().state_dict(), "netD": discriminator().state_dict()}, here / "nets.pth")
    convert_file(here / "nets.pth", here / "model")
    return here / "model"


def same_weights(left: nn.Module, right: nn.Module) -> bool:
    mine, theirs = left.state_dict(), right.state_dict()
    return list(mine) == list(theirs) and all(torch.equal(mine[name], theirs[name]) for name in mine)


# --- checkpoint files -------------------------------------------------------------------------------------------------


def plain(state: State, path: Path) -> None:
    torch.save(state, path)


def legacy(state: State, path: Path) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


def safe(state: State, path: Path) -> None:
    path.write_bytes(safetensors_bytes(state))


def parallel(state: State, path: Path) -> None:
    torch.save({f"module.{name}": tensor for name, tensor in state.items()}, path)


def wrapped(state: State, path: Path) -> None:
    torch.save({"epoch": 7, "state_dict": state, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}}, path)


def compiled_and_wrapped(state: State, path: Path) -> None:
    torch.save({"model": {f"_orig_mod.module.{name}": tensor for name, tensor in state.items()}}, path)


@pytest.mark.parametrize("write", [plain, legacy, safe, parallel, wrapped, compiled_and_wrapped])
@pytest.mark.parametrize("network", [generator, discriminator])
def test_every_way_to_store_the_tutorials_networks(
    here: Path, write: Callable[[State, Path], None], network: Callable[[], nn.Module]
) -> None:
    wanted = network()
    write(wanted.state_dict(), here / "weights.bin")
    loaded = ganzoo.load(here / "weights.bin")
    assert type(loaded) is type(wanted)
    assert same_weights(loaded, wanted)
    assert not loaded.training


def test_a_file_with_both_networks_gives_either(here: Path) -> None:
    torch.save({"netG": generator().state_dict(), "netD": discriminator().state_dict()}, here / "nets.pth")
    assert isinstance(ganzoo.load(here / "nets.pth"), DCGANGenerator)
    assert isinstance(ganzoo.load(here / "nets.pth", role="discriminator"), DCGANDiscriminator)
    with pytest.raises(CheckpointError, match=r"nets\.pth has no encoder\.\nIt has: generator, discriminator\."):
        ganzoo.load(here / "nets.pth", role="encoder")


def test_a_file_with_a_discriminator_alone_is_no_generator(here: Path) -> None:
    torch.save(discriminator().state_dict(), here / "d.pth")
    assert isinstance(ganzoo.load(str(here / "d.pth")), DCGANDiscriminator)
    with pytest.raises(CheckpointError, match=r"has no generator\.\nIt has: discriminator\."):
        ganzoo.load(here / "d.pth", role="generator")


@pytest.mark.parametrize("name", ["g.pth", "~/g.pth", "./g.pth"])
def test_paths_as_people_write_them(here: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    folder = isolated_machine if name.startswith("~") else here
    torch.save(generator().state_dict(), folder / "g.pth")
    monkeypatch.chdir(folder)
    assert same_weights(ganzoo.load(name), generator())


def test_a_hostile_pickle_is_refused_by_name_and_nothing_runs(here: Path) -> None:
    marker = here / "executed"

    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(marker),)

    torch.save({"state_dict": generator().state_dict(), "extra": Trap()}, here / "trap.pth")
    for read in (ganzoo.load, lambda path: convert_file(path, here / "out")):
        with pytest.raises(HostileFileError, match=r"trap\.pth asks to build posix\.mkdir"):
            read(here / "trap.pth")
    assert not marker.exists()
    assert not (here / "out").exists()


def test_an_unrecognised_file_lists_the_nearest_and_what_differs(here: Path) -> None:
    state = generator().state_dict()
    del state["main.1.weight"]
    torch.save({**state, "main.9.extra": torch.ones(2)}, here / "odd.pth")
    with pytest.raises(UnrecognisedCheckpointError) as caught:
        ganzoo.load(here / "odd.pth")
    for words in ("odd.pth", "dcgan/dcgan (generator, layout pytorch-tutorial)", "missing: main.1.weight", "main.9.extra"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<html>404</html>", "is a web page"),
        (b"version https://git-lfs", "Git LFS|a text file"),
        (b"\0" * 4096, "full of zeros"),
        (safetensors_bytes(generator().state_dict())[:-100], "is truncated: its tensors need"),
        (b"PK\x03\x04" + b"\0" * 500, "damaged"),
        (b"\x80\x02}q\x00", "truncated|damaged|ends"),
    ],
)
def test_damaged_files_of_every_kind(here: Path, content: bytes, words: str) -> None:
    (here / "file.pth").write_bytes(content)
    with pytest.raises(CorruptFileError, match=words) as caught:
        ganzoo.load(here / "file.pth")
    assert "file.pth" in str(caught.value)


@pytest.mark.parametrize("write", [plain, legacy, safe])
def test_no_truncation_or_flipped_byte_of_a_good_file_is_more_than_an_error(
    here: Path, write: Callable[[State, Path], None]
) -> None:
    write(generator().state_dict(), here / "good")
    data = (here / "good").read_bytes()
    rng = random.Random(0)
    for cut in [1, 9, *(rng.randrange(len(data)) for _ in range(12))]:
        (here / "bad").write_bytes(data[:cut])
        with pytest.raises(CheckpointError):
            ganzoo.load(here / "bad")
    for _ in range(25):
        damaged = bytearray(data)
        damaged[rng.randrange(min(len(data), 2000))] ^= 1 << rng.randrange(8)
        (here / "bad").write_bytes(damaged)
        try:
            ganzoo.load(here / "bad")
        except CheckpointError:
            continue  # a flip in a weight is a value like any other; elsewhere it must be this error


def test_a_path_that_is_not_there(here: Path) -> None:
    for path in (here / "no.pth", str(here / "no.pth")):
        with pytest.raises(CheckpointError, match=r"no\.pth"):
            ganzoo.load(path)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_weights_that_are_no_numbers_are_refused_unless_allowed(here: Path, kind: str) -> None:
    state = generator().state_dict()
    state["main.3.weight"][0, 0, 0, 1] = float("nan")
    torch.save(state, here / "net.pt")
    if kind == "folder":
        convert_file(here / "net.pt", here / "model", allow_nan=True)
    source = here / ("model" if kind == "folder" else "net.pt")
    with pytest.raises(CheckpointError, match=r"not a number \(NaN\): 'main\.3\.weight' \(1 of \d+\)") as caught:
        ganzoo.load(source)
    assert str(source) in str(caught.value)
    assert same_weights_but_nan(ganzoo.load(source, allow_nan=True), state)


def same_weights_but_nan(network: nn.Module, wanted: State) -> bool:
    return all(torch.equal(value.nan_to_num(9), wanted[name].nan_to_num(9)) for name, value in network.state_dict().items())


def test_arguments_that_a_file_cannot_tell(here: Path) -> None:
    torch.save(generator().state_dict(), here / "g.pth")
    with pytest.raises(ConfigError, match="image_sise"):
        ganzoo.load(here / "g.pth", config={"image_sise": 8})
    with pytest.raises(UnknownNameError, match="no architecture named 'dcgam'"):
        ganzoo.load(here / "g.pth", architecture="dcgam")
    with pytest.raises(UnrecognisedCheckpointError):
        ganzoo.load(here / "g.pth", architecture="studiogan-dcgan")
    assert same_weights(ganzoo.load(here / "g.pth", architecture="dcgan/dcgan"), generator())


# --- folders ----------------------------------------------------------------------------------------------------------


def test_a_folder_in_our_layout(model: Path) -> None:
    assert same_weights(ganzoo.load(model), generator())
    assert same_weights(ganzoo.load(str(model), role="discriminator"), discriminator())
    with pytest.raises(CheckpointError, match="has no encoder"):
        ganzoo.load(model, role="encoder")


def test_a_folder_with_a_discriminator_alone(here: Path) -> None:
    torch.save(discriminator().state_dict(), here / "d.pth")
    convert_file(here / "d.pth", here / "critic")
    assert isinstance(ganzoo.load(here / "critic"), DCGANDiscriminator)


def rewrite(model: Path, **changes: Any) -> None:
    described = json.loads((model / "config.json").read_text()) | changes
    (model / "config.json").write_text(json.dumps({key: value for key, value in described.items() if value is not None}))


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"library_name": "diffusers"}, CheckpointError, r"config\.json is no configuration of a ganzoo model"),
        ({"architecture": "os.path:join"}, CheckpointError, r"\$\.architecture"),
        ({"plugin": "acme", "distribution": "ganzoo-acme"}, PluginError, 'pip install "ganzoo-acme"'),
        ({"generator": GENERATOR | {"no_such": 1}}, ConfigError, r"The model in .*model cannot be built\. .*no_such"),
        ({"generator": GENERATOR | {"image_size": -3}}, ConfigError, "a power of two from 8 on, not -3"),
        (
            {"generator": GENERATOR | {"width": 8}},
            CheckpointError,
            r"The model in .*model cannot be loaded\. (?s:.*)wrong shape",
        ),
        ({"generator": None, "discriminator": None}, CheckpointError, "describes no network"),
        ({"encoder": {}}, CheckpointError, r"promises a encoder, but there is no encoder\.safetensors"),
    ],
)
def test_a_folder_whose_configuration_is_wrong(model: Path, changes: Any, error: type[Exception], words: str) -> None:
    rewrite(model, **changes)
    with pytest.raises(error, match=words):
        ganzoo.load(model)


def test_a_folder_that_is_no_model(here: Path, model: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        ganzoo.load(here)
    (model / "generator.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{")
    with pytest.raises(CorruptFileError, match=r"generator\.safetensors"):
        ganzoo.load(model)
    (model / "generator.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"promises a generator, but there is no generator\.safetensors"):
        ganzoo.load(model)


# --- what is done with the weights ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "plain", "legacy", "safe"])
def test_training_on_never_changes_the_file(here: Path, model: Path, kind: str) -> None:
    path = here / "weights"
    if kind != "folder":
        {"plain": plain, "legacy": legacy, "safe": safe}[kind](generator().state_dict(), path)
    source = model if kind == "folder" else path
    before = {p: p.read_bytes() for p in [*model.iterdir(), *([path] if path.exists() else [])]}
    network = ganzoo.load(source).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        network(torch.randn(4, 5)).square().mean().backward()
        optimiser.step()
    assert not torch.equal(network.main[0].weight, generator().main[0].weight)
    assert {p: p.read_bytes() for p in before} == before
    assert same_weights(ganzoo.load(source), generator())


def test_a_loaded_network_can_be_copied_and_saved(here: Path, model: Path) -> None:
    network = ganzoo.load(model)
    twin = copy.deepcopy(network)
    torch.save(network.state_dict(), here / "again.pth")
    with torch.no_grad():
        network.main[0].weight.zero_()
    assert same_weights(twin, ganzoo.load(here / "again.pth"))


@pytest.mark.parametrize("dtype", [None, "float32", "float16", "bf16", "float64", torch.float64])
def test_dtypes_by_name(model: Path, dtype: Any) -> None:
    wanted = {None: torch.float32, "float32": torch.float32, "float16": torch.float16, "bf16": torch.bfloat16}
    network = ganzoo.load(model, dtype=dtype, device="cpu")
    assert {p.dtype for p in network.parameters()} == {wanted.get(dtype, torch.float64)}
    assert network.sample(2, seed=0).tensor.dtype == torch.float32


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "gpu"}, "device 'gpu' cannot be used on this machine"),
        ({"device": "cuda:99"}, "device 'cuda:99'"),
        ({"device": "meta"}, "holds no data"),
        ({"dtype": "float31"}, "'float31' is no floating-point dtype"),
        ({"dtype": "int8"}, "'int8'"),
        ({"role": "painter"}, "no role 'painter'"),
        ({"architecture": "dcgan"}, "are for checkpoint files"),
        ({"config": {"width": 4}}, "are for checkpoint files"),
    ],
)
def test_options_that_cannot_be_used(model: Path, options: Any, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        ganzoo.load(model, **options)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def zebras(site: Path) -> None:
    """Two models of the architecture ``dcgan`` from another plugin."""
    cards = {"a.toml": card("zebra-one") + card("zebra-two")}
    make_distribution(site, "dist-acme", module="zoo_acme", plugin="acme", cards=cards)


def test_a_wrong_name_gets_the_closest(zebras: None) -> None:
    with pytest.raises(UnknownNameError) as caught:
        ganzoo.load("zebra-oen")
    assert caught.value.close[0] == "zebra-one"
    with pytest.raises(UnknownNameError, match="Did you mean 'acme/zebra-one'"):
        ganzoo.load("acme/zebra-on")


@pytest.mark.parametrize("name", ["dcgan", "dcgan/dcgan", "DCGAN"])
def test_the_name_of_an_architecture_lists_its_models(zebras: None, name: str) -> None:
    with pytest.raises(UnknownNameError, match="is an architecture. Its models: .*zebra-one, zebra-two") as caught:
        ganzoo.load(name)
    assert {"zebra-one", "zebra-two"} <= set(caught.value.close)


def test_the_name_of_an_architecture_without_models(zebras: None) -> None:
    with pytest.raises(UnknownNameError, match="'studiogan-dcgan' is an architecture. The catalogue has no model of it"):
        ganzoo.load("studiogan-dcgan")
    with pytest.raises(UnknownNameError) as caught:
        ganzoo.load("acme/dcgan")  # that plugin brings none
    assert "is an architecture" not in str(caught.value)


def test_a_file_that_is_not_there_and_looks_like_a_name(zebras: None) -> None:
    with pytest.raises(UnknownNameError, match=r"no model named 'NetG\.pth'\.\nThere is no file or folder of that name either"):
        ganzoo.load("NetG.pth")


@pytest.mark.parametrize("name", ["", "https://example.com/x.pth", "a b", "hf:one", "hf:a/../b", "x@../y"])
def test_what_is_no_name_at_all(name: str) -> None:
    with pytest.raises(InvalidValueError):
        ganzoo.load(name)


# --- converting -------------------------------------------------------------------------------------------------------


def test_converting_writes_a_model_that_loads_alike(here: Path, model: Path) -> None:
    described = read_model(model).config
    assert (described.architecture, described.plugin, described.distribution) == ("dcgan", "dcgan", "ganzoo-hub")
    unconditional = {"num_classes": 0, "conditioning": None}
    assert described.generator == GENERATOR | {"widths": None} | unconditional
    assert described.discriminator == DISCRIMINATOR | {"widths": None} | unconditional


def test_converting_over_something(here: Path, model: Path) -> None:
    torch.save(generator(2).state_dict(), here / "other.pth")
    with pytest.raises(OutputError, match="holds config.json"):
        convert_file(here / "other.pth", model)
    assert same_weights(ganzoo.load(model), generator(1))
    convert_file(here / "other.pth", model, overwrite=True)
    assert same_weights(ganzoo.load(model), generator(2))
    assert not (model / "discriminator.safetensors").exists()
    (here / "file").write_text("in the way")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        convert_file(here / "other.pth", here / "file")
    with pytest.raises(OutputError, match="the folder .* does not exist"):
        convert_file(here / "other.pth", here / "no" / "such")
