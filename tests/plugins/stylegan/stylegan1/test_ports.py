"""Files of the common PyTorch ports are recognised, are the same functions as their programs, and can be written again."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

import ganzoo
from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, best_matches, read_checkpoint, recognise
from ganzoo.errors import CheckpointError, ConfigError, UnrecognisedCheckpointError
from ganzoo.exchange import convert_file
from ganzoo_stylegan.stylegan1.declaration import ARCHITECTURES
from ganzoo_stylegan.stylegan1.layouts import GenforceGenerator
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Generator
from tests.plugins.stylegan.stylegan1 import formulas
from tests.plugins.stylegan.stylegan1 import port_formulas as ports
from tests.plugins.stylegan.stylegan1.formulas import Facts, filled
from tests.plugins.stylegan.stylegan1.test_networks import SMALL, full

KNOWN = [("stylegan", architecture) for architecture in ARCHITECTURES]
WIDTHS = [6, 5, 4]
# Widths from 4x4 pixels on, which of the resolutions above are fused, and the argument that says so.
GENERATORS: dict[str, tuple[list[int], list[bool], bool | None]] = {
    "4 pixels": ([5], [], None),
    "16 pixels": (WIDTHS, [False] * 2, None),
    "16 pixels, all fused": (WIDTHS, [True] * 2, True),
    "256 pixels, as published": ([6, 6, 5, 4, 4, 3, 2], [False] * 4 + [True] * 2, None),
    "128 pixels, not fused": ([6, 6, 5, 4, 4, 3], [False] * 5, False),
}
State = dict[str, Tensor]


def matches(content: Any, path: Path) -> dict[str, Match]:
    torch.save(content, path / "x.model")
    return {match.place: match for match in recognise(read_checkpoint(path / "x.model"), KNOWN)}


def built(match: Match) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state).double()


def double(state: State) -> State:
    return {key: tensor.double() for key, tensor in state.items()}


def given(noise: Sequence[Tensor]) -> Any:
    """A source of noise that hands out these images in turn."""
    images: Iterator[Tensor] = iter(noise)
    return lambda count, stored: next(images)


def close(got: Tensor, wanted: Tensor, tolerance: float = 1e-6) -> bool:
    """What is rounded are weights: read or made from them in float32."""
    return bool((got - wanted).abs().max() <= tolerance * wanted.abs().max())


def exported(match: Match, state: State) -> None:
    back = match.reader.export(match.state, match.config)
    assert set(back) == set(state)
    for key, tensor in state.items():
        assert back[key].is_contiguous() and back[key].shape == tensor.shape, key
        assert torch.allclose(back[key], tensor, rtol=1e-6, atol=1e-6), key


# --- rosinality -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATORS)
@torch.inference_mode()
def test_rosinality_s_generator(name: str, tmp_path: Path) -> None:
    widths, fused, argument = GENERATORS[name]
    state = ports.rosinality_generator(widths, 7, 3, fused, seed=1)
    (match,) = matches(state, tmp_path).values()
    assert (match.role, match.layout) == ("generator", "stylegan-rosinality")
    assert (match.config["image_size"], match.config["fused_up"]) == (4 << (len(widths) - 1), argument)
    G, z, last = built(match), torch.randn(2, 7, dtype=torch.float64), len(widths) - 1
    noise = [torch.randn(2, 1, 4 << i, 4 << i, dtype=torch.float64) for i in range(len(widths))]
    w = ports.rosinality_w(double(state), z)
    assert close(G.map(z), w[:, None])
    for alpha in (1.0, 0.25) if last else (1.0,):
        wanted = ports.rosinality_image(double(state), w, noise, last, alpha)
        assert close(G.synthesis(G.map(z), given(noise), 1 - alpha), wanted)
    exported(match, state)


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("name", GENERATORS)
@torch.inference_mode()
def test_rosinality_s_discriminator(name: str, active: bool, tmp_path: Path) -> None:
    widths, fused, _ = GENERATORS[name]
    state = ports.rosinality_discriminator(widths, fused, active, seed=2)
    (match,) = matches(state, tmp_path).values()
    assert (match.role, match.layout) == ("discriminator", "stylegan-rosinality")
    last = len(widths) - 1
    D, x = built(match), torch.randn(5, 3, 4 << last, 4 << last, dtype=torch.float64)  # in no groups of four
    for alpha in (1.0, 0.25) if last else (1.0,):
        assert close(D(x, lod=1 - alpha), ports.rosinality_score(double(state), x, last, active, alpha))
    if fused == [4 << i >= 128 for i in range(1, len(widths))]:
        exported(match, state)


def test_rosinality_s_training_checkpoint(tmp_path: Path) -> None:
    """The running average is what is loaded."""
    raw, running = (ports.rosinality_generator(WIDTHS, 7, 3, [False] * 2, seed=i) for i in (1, 2))
    content = {
        "generator": {f"module.{key}": tensor for key, tensor in raw.items()},
        "discriminator": ports.rosinality_discriminator(WIDTHS, [False] * 2, True, seed=3),
        "g_optimizer": {"state": {}, "param_groups": [{"lr": 0.001, "mult": 0.01}]},
        "g_running": running,
        "args": argparse.Namespace(mixing=True),
    }
    found = matches(content, tmp_path)
    assert {place: match.role for place, match in found.items()} == {
        "generator": "generator",
        "discriminator": "discriminator",
        "g_running": "generator",
    }
    assert best_matches(found.values())["generator"].place == "g_running"


@pytest.mark.parametrize("trained", [1, 2, 3])
@torch.inference_mode()
def test_what_rosinality_never_trained_is_left_out(trained: int, tmp_path: Path) -> None:
    """Files have layers for 1024 pixels from the first step on; biases and noise are zero until they are used."""
    widths = [6, 5, 5, 4, 3]
    G = ports.rosinality_generator(widths, 7, 3, [False] * 4, seed=1)
    D = ports.rosinality_discriminator(widths, [False] * 4, True, seed=2)
    for i in range(trained, len(widths)):
        for key in G:
            if (
                f".{i}." in key
                and key.startswith("generator.")
                and key.endswith(("bias", "noise1.weight_orig", "noise2.weight_orig"))
            ):
                G[key] = torch.zeros_like(G[key])
        for key in D:
            if key.startswith((f"progression.{4 - i}.", f"from_rgb.{4 - i}.")) and key.endswith("bias"):
                D[key] = torch.zeros_like(D[key])
    found = matches({"generator": G, "discriminator": D}, tmp_path)
    size = 4 << (trained - 1)
    assert [match.config["image_size"] for match in found.values()] == [size, size]
    z, x = torch.randn(2, 7, dtype=torch.float64), torch.randn(4, 3, size, size, dtype=torch.float64)
    noise = [torch.randn(2, 1, 4 << i, 4 << i, dtype=torch.float64) for i in range(trained)]
    network = built(found["generator"])
    wanted = ports.rosinality_image(double(G), ports.rosinality_w(double(G), z), noise, trained - 1)
    assert close(network.synthesis(network.map(z), given(noise)), wanted)
    assert close(built(found["discriminator"])(x), ports.rosinality_score(double(D), x, trained - 1, True))


def test_a_network_that_was_only_initialised_is_read_whole(tmp_path: Path) -> None:
    state = ports.rosinality_generator(WIDTHS, 7, 3, [False] * 2, seed=1)
    zero = {
        key: torch.zeros_like(t) if key.endswith(("bias", ".weight_orig")) and "noise" in key else t for key, t in state.items()
    }
    zero = {key: torch.zeros_like(t) if key.endswith("conv2.conv.bias") else t for key, t in zero.items()}
    (match,) = matches(zero, tmp_path).values()
    assert match.config["image_size"] == 16


# --- lernapparat ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", [[5], WIDTHS, [6, 6, 5, 4, 4, 3]], ids=str)
@torch.inference_mode()
def test_lernapparat_s_generator(widths: list[int], tmp_path: Path) -> None:
    state = ports.lernapparat_generator(widths, 7, 3, seed=1)
    (match,) = matches(state, tmp_path).values()
    assert (match.role, match.layout) == ("generator", "stylegan-lernapparat")
    G, z = built(match), torch.randn(2, 7, dtype=torch.float64)
    noise = [torch.randn(2, 1, 4 << i // 2, 4 << i // 2, dtype=torch.float64) for i in range(2 * len(widths))]
    w = ports.lernapparat_w(double(state), z)
    assert close(G.map(z), w[:, None])
    wanted = ports.lernapparat_image(double(state), w[:, None].expand(-1, len(noise), -1), noise)
    assert close(G.synthesis(G.map(z), given(noise)), wanted)
    exported(match, state)


def test_lernapparat_s_truncation(tmp_path: Path) -> None:
    """The published file has no mean of ``w``; who adds one finds it used, written for all layers at once or not."""
    state, mean = ports.lernapparat_generator(WIDTHS, 7, 3, seed=1), torch.randn(7)
    for stored in (mean, mean[None]):
        (match,) = matches({**state, "truncation.avg_latent": stored}, tmp_path).values()
        assert torch.equal(match.state["mapping.w_avg"], mean)
    (match,) = matches(state, tmp_path).values()
    w = ports.lernapparat_w(state, torch.randn(20_000, 7))
    assert torch.allclose(match.state["mapping.w_avg"], w.mean(0), atol=0.04 * float(w.std()))


@pytest.mark.parametrize("widths", [[5], WIDTHS, [6, 6, 5, 4, 4, 3]], ids=str)
@torch.inference_mode()
def test_lernapparat_s_discriminator(widths: list[int], tmp_path: Path) -> None:
    state = ports.lernapparat_discriminator(widths, 8, seed=1)
    (match,) = matches(state, tmp_path).values()
    assert (match.role, match.layout) == ("discriminator", "stylegan-lernapparat")
    size = 4 << (len(widths) - 1)
    x = torch.randn(8, 3, size, size, dtype=torch.float64)
    assert close(built(match)(x), ports.lernapparat_score(double(state), x, size))
    exported(match, state)


# --- pytorch_GAN_zoo --------------------------------------------------------------------------------------------------

# Widths from 4x4 pixels on, entries of z, layers of the mapping, channels of the image.
ZOO: dict[str, tuple[list[int], int, int, int]] = {
    "8 pixels": ([5, 4], 7, 2, 3),
    "16 pixels, grey": (WIDTHS, 6, 1, 1),
    "256 pixels, where others turn kernels": ([6, 6, 5, 4, 4, 3, 2], 7, 8, 3),
}


def older(state: State) -> State:
    """As the first version of the program spelled the keys: the layers of the noise alone have their ``module``."""
    return {key if "noise" in key else key.replace(".module.", "."): tensor for key, tensor in state.items()}


@pytest.mark.parametrize("spelled", [dict, older])
@pytest.mark.parametrize("name", ZOO)
@torch.inference_mode()
def test_the_gan_zoo_s_generator(name: str, spelled: Any, tmp_path: Path) -> None:
    widths, z_dim, layers, channels = ZOO[name]
    state = ports.gan_zoo_generator(widths, z_dim, layers, channels, seed=1)
    (match,) = matches(spelled(state), tmp_path).values()
    assert (match.role, match.layout) == ("generator", "stylegan-gan-zoo")
    assert match.config["style_mixing"] == 0 and match.config["truncation_cutoff"] is None
    G, z = built(match), torch.randn(2, z_dim, dtype=torch.float64)
    noise = [torch.randn(2, 1, 4 << i // 2, 4 << i // 2, dtype=torch.float64) for i in range(2 * len(widths))]
    w, mean = ports.gan_zoo_w(double(state), z), double(state)["mean_w"]
    assert close(G.map(z), w[:, None])
    for psi in (1.0, 0.5):
        moved = G.map(z, truncation=psi)
        for alpha in (0.0, 0.25) if len(widths) > 2 else (0.0,):
            wanted = ports.gan_zoo_image(double(state), mean + psi * (w - mean), noise, alpha)
            assert close(G.synthesis(moved, given(noise), alpha), wanted, 3e-6)
    exported(match, state)


class BaseConfig:
    """Settings as the program keeps them beside its networks."""

    def __init__(self, **settings: Any) -> None:
        vars(self).update(settings)


def test_a_checkpoint_of_the_gan_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its settings are read as a table, the average is what is loaded, and its discriminator is none of ours."""
    for place in ("models", "models.utils", "models.utils.config"):
        monkeypatch.setitem(sys.modules, place, ModuleType(place))
    monkeypatch.setattr(BaseConfig, "__module__", "models.utils.config")
    monkeypatch.setattr(sys.modules["models.utils.config"], "BaseConfig", BaseConfig, raising=False)
    raw, average = (ports.gan_zoo_generator(WIDTHS, 7, 2, 3, seed=i) for i in (1, 2))
    content = {
        "config": BaseConfig(depthOtherScales=WIDTHS[1:], alpha=0, lossCriterion="Logistic", attribKeysOrder=None),
        "netG": raw,
        "netD": {"decisionLayer.module.weight": torch.ones(1, 6), "decisionLayer.module.bias": torch.ones(1)},
        "avgG": average,
        "tmp": BaseConfig(lossD=0.5),
    }
    found = matches(content, tmp_path)
    for place in ("models", "models.utils", "models.utils.config"):
        monkeypatch.delitem(sys.modules, place)
    assert {place: match.role for place, match in found.items()} == {"netG": "generator", "avgG": "generator"}
    assert best_matches(found.values())["generator"].place == "avgG"
    checkpoint = read_checkpoint(tmp_path / "x.model")
    assert checkpoint.metadata == {"config.alpha": 0, "config.lossCriterion": "Logistic", "tmp.lossD": 0.5}
    loaded = ganzoo.load(str(tmp_path / "x.model"))
    assert torch.equal(loaded.state_dict()["mapping.w_avg"], average["mean_w"][0])
    assert loaded.sample(2, seed=3, truncation=0.5).tensor.shape == (2, 3, 16, 16)


def test_what_the_gan_zoo_s_program_cannot_do_is_not_written(tmp_path: Path) -> None:
    (match,) = matches(ports.gan_zoo_generator(WIDTHS, 7, 2, 3, 1), tmp_path).values()
    others = {"fused_up": True, "noise": "shared", "norm_eps": 1e-5, "mapping_lr": 1.0, "equalised": False}
    for name, value in others.items():
        with pytest.raises(ConfigError, match=f"{name}={value!r}"):
            match.reader.export(match.state, {**match.config, name: value})
    key = "synthesis.layers.3.styled.noise_weight"
    with pytest.raises(ConfigError, match=f"'{key}' channels differ"):
        match.reader.export({**match.state, key: torch.arange(5.0)}, match.config)
    # Theirs has no bias under the constant: both are added up.
    bias = torch.randn(6)
    back = match.reader.export({**match.state, "synthesis.layers.0.conv.bias": bias}, match.config)
    assert torch.equal(back["baseScale0"], match.state["synthesis.layers.0.conv.const"] + bias[:, None, None])


# --- all --------------------------------------------------------------------------------------------------------------


def test_noise_that_files_lack_is_the_same_at_every_reading(tmp_path: Path) -> None:
    for state in (ports.lernapparat_generator(WIDTHS, 7, 3, 1), ports.rosinality_generator(WIDTHS, 7, 3, [False] * 2, 1)):
        (first,), (second,) = (matches(state, tmp_path).values() for _ in range(2))
        noise = [first.state[f"synthesis.layers.{i}.styled.noise"] for i in range(6)]
        assert all(torch.equal(second.state[f"synthesis.layers.{i}.styled.noise"], t) for i, t in enumerate(noise))
        assert not torch.equal(noise[2], noise[3]) and 0.5 < float(noise[5].std()) < 1.5


def test_load_and_convert_do_all_of_it(tmp_path: Path) -> None:
    state = ports.rosinality_generator(WIDTHS, 7, 3, [False] * 2, seed=1)
    torch.save({"g_running": state}, tmp_path / "x.model")
    loaded = ganzoo.load(str(tmp_path / "x.model"))
    image = loaded.sample(2, seed=3, truncation=0.7).tensor
    assert image.shape == (2, 3, 16, 16)
    convert_file(tmp_path / "x.model", tmp_path / "folder")
    assert torch.equal(ganzoo.load(str(tmp_path / "folder")).sample(2, seed=3, truncation=0.7).tensor, image)


BROKEN: dict[str, Any] = {
    "half of the keys": lambda state: dict(list(state.items())[::2]),
    "the last keys missing": lambda state: dict(list(state.items())[:-3]),
    "a key too many": lambda state: {**state, "encoder.weight": torch.ones(2)},
    "vectors for matrices": lambda state: {key: tensor.flatten()[:1] for key, tensor in state.items()},
    "numbers for tensors": lambda state: {key: torch.tensor(1.0) for key in state},
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_states_are_refused(what: str, tmp_path: Path) -> None:
    for state in (
        ports.rosinality_generator(WIDTHS, 7, 3, [False] * 2, 1),
        ports.rosinality_discriminator(WIDTHS, [False] * 2, True, 1),
        ports.lernapparat_generator(WIDTHS, 7, 3, 1),
        ports.lernapparat_discriminator(WIDTHS, 8, 1),
        ports.gan_zoo_generator(WIDTHS, 7, 2, 3, 1),
    ):
        with pytest.raises(UnrecognisedCheckpointError):
            matches(BROKEN[what](state), tmp_path)


@pytest.mark.parametrize(
    "state",
    [
        ports.rosinality_generator(WIDTHS, 7, 3, [True] * 2, 1),
        ports.rosinality_discriminator(WIDTHS, [True] * 2, True, 1),
        ports.lernapparat_generator(WIDTHS, 7, 3, 1),
        ports.lernapparat_discriminator(WIDTHS, 8, 1),
        ports.gan_zoo_generator(WIDTHS, 7, 2, 3, 1),
    ],
    ids=["rosinality G", "rosinality D", "lernapparat G", "lernapparat D", "GAN zoo"],
)
def test_a_tensor_of_another_shape_is_reported(state: State, tmp_path: Path) -> None:
    kinds = {re.sub(r"\d+", "#", key): key for key in state}  # one of each kind of layer
    for key in kinds.values():
        if key.endswith(("weight_flip", "downscale.blur.kernel")):  # they say nothing, whatever is there
            continue
        one = "noise" in key and state[key].numel() == 1  # a number, however it is written
        for shape in {(), (1,), (3,) * 7} - ({(), (1,)} if one else {tuple(state[key].shape)}):
            with pytest.raises(UnrecognisedCheckpointError):
                matches({**state, key: torch.ones(shape)}, tmp_path)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    state = ports.lernapparat_generator(WIDTHS, 7, 3, 1)
    state["g_synthesis.torgb.bias"][1] = float("nan")
    torch.save(state, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=r"NaN\): 'synthesis\.to_image\.0\.bias' \(1 of 3\)"):
        ganzoo.load(str(tmp_path / "x.pt"))
    with pytest.raises(CheckpointError, match="NaN"):
        convert_file(tmp_path / "x.pt", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    convert_file(tmp_path / "x.pt", tmp_path / "out", allow_nan=True)
    assert ganzoo.load(str(tmp_path / "out"), allow_nan=True).config["image_size"] == 16


# --- a w for each layer -----------------------------------------------------------------------------------------------


@torch.inference_mode()
def test_genforce_s_mapping_to_a_w_for_each_layer(tmp_path: Path) -> None:
    G = StyleGAN1Generator(**SMALL, mapping_layers=2, w_per_layer=True, style_mixing=0.0).eval()
    filled(G, blur=False)
    state = GenforceGenerator().export(G.state_dict(), full(G))
    assert state["truncation.w_avg"].shape == (6 * 5,) and state["mapping.dense1.weight"].shape == (6 * 5, 7)
    (match,) = matches(state, tmp_path).values()
    network, z = built(match), torch.randn(3, 6, dtype=torch.float64)
    ws = formulas.mapped(double(state), z, None, Facts()).view(3, 6, 5)
    mean = double(state)["truncation.w_avg"].view(6, 5)
    assert close(network.map(z), ws, 1e-12)
    wanted = torch.where(torch.arange(6)[:, None] < 4, mean + 0.6 * (ws - mean), ws)
    assert close(network.map(z, truncation=0.6, truncation_cutoff=4), wanted, 1e-12)
    assert close(network(z), formulas.synthesised(double(state), ws, Facts()), 1e-9)
    exported(match, state)


def test_a_w_for_each_layer_is_trained_without_style_mixing() -> None:
    with pytest.raises(ConfigError, match="style mixing"):
        StyleGAN1Generator(**SMALL, w_per_layer=True)
    G = StyleGAN1Generator(**SMALL, w_per_layer=True, style_mixing=0.0).train()
    G(torch.randn(2, 6)).sum().backward()
    assert G.w_avg.shape == (30,) and bool(G.w_avg.any())
