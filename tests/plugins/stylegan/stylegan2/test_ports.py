"""What else files of StyleGAN2 hold: means of ``w`` beside the networks, genforce's names, and networks that were grown."""

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, best_matches, read_checkpoint, recognise
from ganzoo.errors import UnrecognisedCheckpointError
from ganzoo_stylegan.stylegan2.declaration import STYLEGAN2
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.rosinality import RosinalityDiscriminator, RosinalityGenerator
from ganzoo_stylegan.stylegan2.tensorflow import TensorFlowDiscriminator, TensorFlowGenerator
from tests.plugins.stylegan.stylegan2.test_networks import JUDGE, SMALL, filled

KNOWN = [("stylegan", STYLEGAN2)]
State = dict[str, Tensor]


def matches(content: Any, path: Path, **options: Any) -> dict[str, Match]:
    torch.save(content, path / "x.pt")
    return {match.place: match for match in recognise(read_checkpoint(path / "x.pt"), KNOWN, **options)}


def built(match: Match) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state)


# --- rosinality -------------------------------------------------------------------------------------------------------


@pytest.fixture
def ported() -> State:
    return RosinalityGenerator().export((G := filled(StyleGAN2Generator, {**SMALL, "equalised": True})).state_dict(), G.config)


@pytest.mark.parametrize("shape", [(5,), (1, 5), (6, 5)], ids=str)
def test_the_mean_of_w_beside_a_network_is_used(shape: tuple[int, ...], ported: State, tmp_path: Path) -> None:
    mean = torch.randn(5)
    (match,) = matches({"g_ema": ported, "latent_avg": mean.expand(shape).clone()}, tmp_path).values()
    assert torch.allclose(match.state["mapping.w_avg"], mean, rtol=1e-6)
    assert "latent_avg" not in match.reader.export(match.state, match.config)
    G, z = built(match), torch.randn(2, 6)
    w = G.map(z)
    assert torch.allclose(G.map(z, truncation=0.5), mean + 0.5 * (w - mean), atol=1e-6)


def test_without_it_the_mean_is_computed(ported: State, tmp_path: Path) -> None:
    (match,) = matches({"g_ema": ported, "elsewhere": {"latent_avg": torch.full((5,), 9.0)}}, tmp_path).values()
    w = built(match).map(torch.randn(4000, 6))[:, 0].detach()
    assert torch.allclose(match.state["mapping.w_avg"], w.mean(0), atol=0.1 * float(w.std()))


def test_a_mean_of_another_size_is_told(ported: State, tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError, match=r"mapping\.w_avg"):
        matches({"g_ema": ported, "latent_avg": torch.ones(4)}, tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_the_file_of_a_training(zipped: bool, ported: State, tmp_path: Path) -> None:
    """Options as the program saves them, optimisers, and the state of the augmentation."""
    D = filled(StyleGAN2Discriminator, JUDGE)
    critic = RosinalityDiscriminator().export(D.state_dict(), D.config)
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.ones(3))]).state_dict()
    content = {
        **{"g": {key: tensor + 1 for key, tensor in ported.items()}, "d": critic, "g_ema": ported},
        **{"g_optim": optimiser, "d_optim": optimiser, "ada_aug_p": 0.25},
        "args": argparse.Namespace(size=16, channel_multiplier=2, path="images", mixing=0.9, ckpt=None),
    }
    torch.save(content, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    checkpoint = read_checkpoint(tmp_path / "x.pt")
    found = recognise(checkpoint, KNOWN)
    assert {(match.place, match.role) for match in found} == {
        ("g", "generator"),
        ("d", "discriminator"),
        ("g_ema", "generator"),
    }
    assert best_matches(found)["generator"].place == "g_ema"
    assert checkpoint.metadata["args.size"] == 16 and checkpoint.metadata["ada_aug_p"] == 0.25


# --- genforce ---------------------------------------------------------------------------------------------------------


def genforce_generator(G: StyleGAN2Generator) -> State:
    """Its variables: as those of the TensorFlow program, axes in PyTorch's order."""
    own, config = G.state_dict(), G.config
    state = {"truncation.w_avg": own["mapping.w_avg"], "synthesis.early_layer.const": own["synthesis.b4.const"][None]}
    for i in range(config["mapping_layers"]):
        state |= {f"mapping.dense{i}.{end}": own[f"mapping.fc{i}.{end}"] for end in ("weight", "bias")}
    for block in range(len(config["widths"])):
        b = f"synthesis.b{4 << block}"
        layers = {"conv0": f"layer{2 * block - 1}", "conv1": f"layer{2 * block}", "torgb": f"output{block}"}
        for ours, theirs in layers.items():
            if f"{b}.{ours}.weight" not in own:
                continue
            weight = own[f"{b}.{ours}.weight"]
            state[f"synthesis.{theirs}.weight"] = weight.flip(2, 3) if ours == "conv0" else weight
            state[f"synthesis.{theirs}.bias"] = own[f"{b}.{ours}.bias"]
            state[f"synthesis.{theirs}.style.weight"] = own[f"{b}.{ours}.affine.weight"]
            state[f"synthesis.{theirs}.style.bias"] = own[f"{b}.{ours}.affine.bias"] - 1
            if ours != "torgb":
                state[f"synthesis.{theirs}.noise"] = own[f"{b}.{ours}.noise_const"][None, None]
                state[f"synthesis.{theirs}.noise_strength"] = own[f"{b}.{ours}.noise_strength"]
            if ours == "conv0":
                state[f"synthesis.{theirs}.filter.kernel"] = own[f"{b}.{ours}.resample_filter"][None, None] * 4
    if config["architecture"] in (None, "skip"):
        state["synthesis.upsample.kernel"] = own["synthesis.b8.resample_filter"][None, None] * 4
    return state


def genforce_discriminator(D: StyleGAN2Discriminator) -> State:
    own, last = D.state_dict(), len(D.config["widths"]) - 1
    state: State = {}
    for block in range(last + 1):
        b, conv = f"b{4 << (last - block)}", 2 * block
        names = {"fromrgb": f"input{block}", "conv0": f"layer{conv}", "conv1": f"layer{conv + 1}", "skip": f"skip_layer{block}"}
        names |= {"conv": f"layer{conv}", "fc": f"layer{conv + 1}", "out": f"layer{conv + 2}"}
        for ours, theirs in names.items():
            for end in ("weight", "bias"):
                if f"{b}.{ours}.{end}" in own:
                    state[f"{theirs}.{end}"] = own[f"{b}.{ours}.{end}"]
            if ours in ("conv1", "skip") and f"{b}.{ours}.weight" in own:
                state[f"{theirs}.filter.kernel"] = own[f"{b}.{ours}.resample_filter"][None, None]
    if D.config["architecture"] == "skip":
        state["downsample.kernel"] = own["b8.resample_filter"][None, None]
    return state


@pytest.mark.parametrize(("g_joins", "d_joins"), [(None, None), ("orig", "skip"), ("skip", "orig")])
@torch.inference_mode()
def test_genforce_s_files(g_joins: str | None, d_joins: str | None, tmp_path: Path) -> None:
    G = filled(StyleGAN2Generator, {**SMALL, "architecture": g_joins, "equalised": True})
    D = filled(StyleGAN2Discriminator, {**JUDGE, "architecture": d_joins})
    content = {"generator_smooth": genforce_generator(G), "discriminator": genforce_discriminator(D)}
    found = matches({"models": content}, tmp_path)
    assert {match.layout for match in found.values()} == {"stylegan2-genforce"}
    again, critic = built(found["models.generator_smooth"]), built(found["models.discriminator"])
    z, x = torch.randn(2, 6), torch.randn(4, 3, 16, 16)
    assert torch.allclose(again(z, truncation=0.5), G(z, truncation=0.5), atol=1e-5)
    assert torch.allclose(critic(x), D(x), atol=1e-5)
    for place, state in content.items():
        match = found[f"models.{place}"]
        back = match.reader.export(match.state, match.config)
        assert back.keys() == state.keys()
        assert all(torch.allclose(back[key], tensor, atol=1e-6) for key, tensor in state.items())


def test_what_genforce_does_in_another_way_is_told(tmp_path: Path) -> None:
    state = genforce_generator(filled(StyleGAN2Generator, {**SMALL, "equalised": True}))
    with pytest.raises(UnrecognisedCheckpointError, match="w for each layer"):
        matches({**state, "truncation.w_avg": torch.zeros(25), "mapping.dense1.weight": torch.zeros(25, 5)}, tmp_path)
    with pytest.raises(UnrecognisedCheckpointError, match="joins class and latent"):
        matches({**state, "mapping.label_weight": torch.zeros(3, 6)}, tmp_path)


# --- networks that were grown -----------------------------------------------------------------------------------------


def grown(state: State, sizes: list[int], level: float) -> State:
    """A plain network of configuration B to D: every resolution has a layer for images, numbered from the largest."""
    renamed: State = {}
    for key, tensor in state.items():
        scope, _, rest = key.partition(f"{sizes[-1]}x{sizes[-1]}/")
        image = next((name for name in ("ToRGB", "FromRGB") if rest.startswith(f"{name}/")), None)
        renamed[f"{scope}{image}_lod0/{rest.partition('/')[2]}" if image else key] = tensor
        if image:
            for i in range(1, len(sizes)):
                renamed[f"{scope}{image}_lod{i}/{rest.partition('/')[2]}"] = torch.randn(tensor.shape)
    levels = {"lod": torch.tensor(level)}
    return {**renamed, **levels, **({"synthesis/lod": torch.tensor(0.0)} if "synthesis/4x4/Const/const" in state else {})}


@torch.inference_mode()
def test_grown_networks_are_plain_ones(tmp_path: Path) -> None:
    G = filled(StyleGAN2Generator, {**SMALL, "architecture": "orig"})
    D = filled(StyleGAN2Discriminator, {**JUDGE, "architecture": "orig"})
    content = {
        "Gs": grown(TensorFlowGenerator().export(G.state_dict(), G.config), [4, 8, 16], 0.0),
        "D": grown(TensorFlowDiscriminator().export(D.state_dict(), D.config), [4, 8, 16], 0.0),
    }
    assert "synthesis/ToRGB_lod2/mod_weight" in content["Gs"] and "FromRGB_lod1/bias" in content["D"]
    found = matches(content, tmp_path)
    assert {match.layout for match in found.values()} == {"stylegan2-tensorflow"}
    assert {match.config["architecture"] for match in found.values()} == {"orig"}
    z, x = torch.randn(2, 6), torch.randn(4, 3, 16, 16)
    assert torch.allclose(built(found["Gs"])(z), G(z), atol=1e-5)
    assert torch.allclose(built(found["D"])(x), D(x), atol=1e-5)


@torch.inference_mode()
def test_a_network_that_was_stored_while_it_grew_is_as_large_as_it_was(tmp_path: Path) -> None:
    """Of 16 pixels, at level 1: the layers for 16 pixels are not used yet, images come from the layer at 8."""
    small = {**SMALL, "image_size": 8, "widths": SMALL["widths"][:2], "architecture": "orig"}
    G = filled(StyleGAN2Generator, small)
    state = TensorFlowGenerator().export(G.state_dict(), G.config)
    shown = {key.replace("8x8/ToRGB", "ToRGB_lod1"): tensor for key, tensor in state.items()}
    shown |= {
        key.replace("8x8/ToRGB", "ToRGB_lod0"): torch.randn(tensor.shape) for key, tensor in state.items() if "ToRGB" in key
    }
    larger = {key.replace("8x8/Conv", "16x16/Conv"): tensor for key, tensor in state.items() if "8x8/Conv" in key}
    noise = {f"synthesis/noise{i}": torch.randn(1, 1, 16, 16) for i in (3, 4)}
    whole = {**shown, **larger, **noise, "synthesis/lod": torch.tensor(1.0), "lod": torch.tensor(1.0)}
    (match,) = matches(whole, tmp_path).values()
    z = torch.randn(2, 6)
    assert match.config["image_size"] == 8
    assert torch.allclose(built(match)(z), G(z), atol=1e-5)
    with pytest.raises(UnrecognisedCheckpointError, match="between two resolutions"):
        matches({**whole, "lod": torch.tensor(0.5)}, tmp_path)


def test_the_level_that_every_such_file_has_is_no_obstacle(tmp_path: Path) -> None:
    """Configurations E and F do not grow, and store it, too."""
    G = filled(StyleGAN2Generator, SMALL)
    state = TensorFlowGenerator().export(G.state_dict(), G.config)
    (match,) = matches({**state, "lod": torch.tensor(0.0)}, tmp_path).values()
    assert match.config["architecture"] == "skip"
