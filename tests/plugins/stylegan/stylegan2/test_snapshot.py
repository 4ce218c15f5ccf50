"""NVIDIA's snapshots, pickles of whole networks, are read as data: arguments, weights and outputs are the reference's."""

from pathlib import Path
from typing import Any

import pytest
import torch

from ganzoo.building import build, build_random, network_class
from ganzoo.checkpoint import Match, Stated, best_matches, read_checkpoint, recognise
from ganzoo_stylegan.stylegan2.declaration import ARCHITECTURES
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.layouts import NvidiaGenerator
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.tensorflow import TensorFlowDiscriminator, TensorFlowGenerator
from tests.checkpoint.nvidia_files import dumps, tf_network
from tests.support.packs import Pack, packs, read_pack

KNOWN = [("stylegan", architecture) for architecture in ARCHITECTURES]


def name(path: Path) -> str:
    return path.parent.name + path.stem


def matches(pack: Pack, **options: Any) -> dict[str, Match]:
    path = pack.path.with_name(pack.meta["file"])
    return {match.place: match for match in recognise(read_checkpoint(path), KNOWN, **options)}


def net(match: Match) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state)


@pytest.mark.parametrize("path", packs("stylegan2_*_pkl"), ids=name)
def test_every_network_of_a_snapshot(path: Path) -> None:
    pack = read_pack(path)
    found = matches(pack)
    assert {place: (match.role, match.layout) for place, match in found.items()} == {
        "G": ("generator", "stylegan2"),
        "D": ("discriminator", "stylegan2"),
        "G_ema": ("generator", "stylegan2"),
    }
    for place, match in found.items():
        wanted = {key.removeprefix(f"{place}."): t for key, t in pack.state.items() if key.startswith(f"{place}.")}
        back = match.reader.export(match.state, match.config)
        assert back.keys() == wanted.keys()
        assert all(torch.equal(back[key], tensor) for key, tensor in wanted.items())
    best = best_matches(found.values())
    assert (best["generator"].place, best["discriminator"].place) == ("G_ema", "D")
    config, call = pack.meta["config"], pack.meta["config"]["call"]
    assert found["D"].config["mbstd_group_size"] == config["D"]["epilogue_kwargs"]["mbstd_group_size"]
    for place in ("G", "G_ema"):
        G = net(found[place])
        z, c = pack.inputs["z"], pack.inputs.get("c")
        psi = {"truncation": call["truncation_psi"], "truncation_cutoff": call.get("truncation_cutoff")}
        close(G.map(z, c), pack.outputs[f"ws_{place}"])
        close(G(z, c, **psi, noise_mode="const"), pack.outputs[f"img_{place}"])
    close(net(found["D"])(pack.inputs["img"], pack.inputs.get("c"))[:, None], pack.outputs["logits"])


@pytest.mark.parametrize("path", packs("stylegan3_?_pkl"), ids=name)
def test_the_discriminators_of_stylegan3(path: Path) -> None:
    """The newer program states its arguments differently and leaves others to their defaults."""
    pack = read_pack(path)
    found = matches(pack)
    assert set(found) == {"D"}
    config = found["D"].config
    assert (config["conv_clamp"], config["num_fp16_res"]) == (256, len(config["widths"]) - 1)  # the program's own defaults
    assert found["D"].config["mbstd_group_size"] == 2
    close(net(found["D"])(pack.inputs["img"], pack.inputs.get("c"))[:, None], pack.outputs["logits"])


def test_a_snapshot_states_what_no_shape_shows() -> None:
    """With other constants than the defaults."""
    config = build_random(StyleGAN2Generator, {"image_size": 8, "z_dim": 5, "w_dim": 6, "widths": [4, 3]}, seed=1).config
    first = Stated("FullyConnectedLayer", attributes={"bias_gain": 0.1, "activation": "relu"})
    mapping = Stated("MappingNetwork", attributes={"w_avg_beta": 0.9}, parts={"fc0": first})
    found = NvidiaGenerator().refine(config, Stated("Generator", parts={"mapping": mapping}))
    assert found == {**config, "mapping_lr": 0.1, "mapping_activation": "relu", "w_avg_beta": 0.9}


def test_what_a_tensorflow_network_leaves_to_its_program() -> None:
    reader = TensorFlowGenerator()
    config = reader.refine({"image_size": 8, "widths": [4, 3]}, Stated("G_main"))
    assert config is not None
    assert config["w_avg_beta"] == 0.995  # the second program's; the third has 0.998


def close(got: torch.Tensor, want: torch.Tensor) -> None:
    assert got.shape == want.shape
    assert float((got.detach() - want).abs().max()) <= 2e-5 * float(want.abs().max())


def test_a_tensorflow_pickle_states_its_arguments(tmp_path: Path) -> None:
    """The tuple of three networks, as NVIDIA's first program writes it, with other constants than the defaults."""
    G = build_random(StyleGAN2Generator, {"image_size": 8, "z_dim": 5, "w_dim": 6, "widths": [4, 3]}, seed=1)
    D = build_random(StyleGAN2Discriminator, {"image_size": 8, "widths": [4, 3]}, seed=2)
    state = {key: t.numpy() for key, t in TensorFlowGenerator().export(G.state_dict(), G.config).items()}
    parts = {
        part: tf_network(part, {key.removeprefix(f"{part}/"): t for key, t in state.items() if key.startswith(f"{part}/")})
        for part in ("mapping", "synthesis")
    }
    said = {"mapping_lrmul": 0.02, "conv_clamp": 256, "dlatent_avg_beta": 0.9, "resample_kernel": [1, 2, 2, 1]}
    first, average = (tf_network(name, {"dlatent_avg": state["dlatent_avg"]}, parts, **said) for name in ("G", "Gs"))
    critic = {key: t.numpy() for key, t in TensorFlowDiscriminator().export(D.state_dict(), D.config).items()}
    (tmp_path / "f.pkl").write_bytes(dumps((first, tf_network("D", critic, mbstd_group_size=8), average)))
    found = {match.place: match for match in recognise(read_checkpoint(tmp_path / "f.pkl"), KNOWN)}
    assert {place: match.layout for place, match in found.items()} == dict.fromkeys(("G", "D", "Gs"), "stylegan2-tensorflow")
    config = found["Gs"].config
    assert (config["mapping_lr"], config["conv_clamp"], config["w_avg_beta"]) == (0.02, 256, 0.9)
    taps = torch.tensor([1.0, 2, 2, 1]) / 6
    assert torch.allclose(found["Gs"].state["synthesis.b8.conv0.resample_filter"], torch.outer(taps, taps))
    assert torch.allclose(found["Gs"].state["synthesis.b8.conv0.weight"], G.synthesis.b8.conv0.weight)
    assert (found["D"].config["mbstd_group_size"], found["D"].config["mapping_lr"]) == (8, 0.1)
