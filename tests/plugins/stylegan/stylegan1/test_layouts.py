"""Files of the authors' program and of its port are recognised, are the same networks, and can be written again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import ganzoo
from ganzoo.building import build, build_random, network_class
from ganzoo.checkpoint import Match, best_matches, read_checkpoint, recognise
from ganzoo.errors import UnrecognisedCheckpointError
from ganzoo_stylegan.stylegan1.declaration import ARCHITECTURES
from ganzoo_stylegan.stylegan1.layouts import GenforceDiscriminator, GenforceGenerator
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Discriminator, StyleGAN1Generator
from tests.checkpoint.assembler import START, asks, dict_of, number, tuple_of
from tests.checkpoint.nvidia_files import dumps, tf_network
from tests.checkpoint.test_tf_networks import old_array, string
from tests.plugins.stylegan.stylegan1.formulas import filled
from tests.plugins.stylegan.stylegan1.pickles import d_basic, g_mapping, g_style, g_synthesis
from tests.plugins.stylegan.stylegan1.test_networks import DISCRIMINATOR, SMALL, full, same

KNOWN = [("stylegan", architecture) for architecture in ARCHITECTURES]
# What no shape tells: our argument, and the authors' that states it.
GENERATORS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "4 pixels": ({"image_size": 4}, {}),
    "16 pixels": ({}, {"func_name": "training.networks_stylegan.G_style", "truncation_psi": 0.7}),
    "256 pixels": ({"image_size": 256, "channel_base": 512, "channel_max": 4}, {}),
    "fused": ({"fused_up": True}, {"fused_scale": True}),
    "not fused": ({"image_size": 128, "channel_base": 128, "channel_max": 3, "fused_up": False}, {"fused_scale": False}),
    "classes": ({"num_classes": 3}, {"label_size": 3}),
    "one class": ({"num_classes": 1}, {"label_size": 1}),
    "decay": ({"widths": [9, 5, 2]}, {"fmap_decay": 1.3}),
    "from w": ({"const_input": False}, {"const_input_layer": False}),
    "no noise, no mixing": ({"noise": "none", "style_mixing": 0.0}, {"use_noise": False, "style_mixing_prob": 0.0}),
    "fixed": ({"growing": False}, {"structure": "fixed"}),
    "unscaled": ({"equalised": False}, {"use_wscale": False}),
    "mapping": (
        {"mapping_layers": 2, "mapping_lr": 0.1, "truncation_cutoff": 3},
        {"mapping_lrmul": 0.1, "truncation_cutoff": 3},
    ),
    "blur": ({"blur": [1, 3, 1]}, {"blur_filter": [1, 3, 1]}),
    "no blur": ({"blur": None}, {"blur_filter": None}),
}
DISCRIMINATORS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "4 pixels": ({"image_size": 4}, {}),
    "16 pixels": ({}, {"fused_scale": "auto"}),
    "128 pixels": ({"image_size": 128, "channel_base": 256, "channel_max": 4}, {"fused_scale": True}),
    "classes": ({"num_classes": 3}, {"label_size": 3}),
    "one class": ({"num_classes": 1}, {"label_size": 1}),
    "no deviation": ({"std_group": 0}, {"mbstd_group_size": 0}),
    "pairs": ({"std_group": 2}, {"mbstd_group_size": 2}),
    "fixed": ({"growing": False}, {"structure": "fixed"}),
    "unscaled, no blur": ({"equalised": False, "blur": None}, {"use_wscale": False, "blur_filter": None}),
}


def generator(config: dict[str, Any], seed: int = 1) -> tuple[StyleGAN1Generator, dict[str, Tensor]]:
    G = build_random(StyleGAN1Generator, SMALL | config, seed=seed).eval()
    filled(G, seed, blur=False)
    return G, GenforceGenerator().export(G.state_dict(), full(G))


def discriminator(config: dict[str, Any]) -> tuple[StyleGAN1Discriminator, dict[str, Tensor]]:
    D = build_random(StyleGAN1Discriminator, DISCRIMINATOR | config, seed=1).eval()
    filled(D, blur=False)
    return D, GenforceDiscriminator().export(D.state_dict(), full(D))


def written(path: Path, value: Any, protocol: int = 2) -> Path:
    path.write_bytes(dumps(value, protocol))
    return path


def found(path: Path, **config: Any) -> Match:
    (match,) = recognise(read_checkpoint(path), KNOWN, config=config)
    return match


def built(match: Match) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state)


def equal(got: Any, wanted: dict[str, Any]) -> None:
    assert set(got) == set(wanted)
    for key, value in wanted.items():
        assert got[key].is_contiguous()
        assert np.array_equal(got[key].numpy(), np.asarray(value)), key


@pytest.mark.parametrize("name", GENERATORS)
def test_generators_of_both_programs_are_one(name: str, tmp_path: Path) -> None:
    config, stated = GENERATORS[name]
    G, state = generator(config)
    tf = found(written(tmp_path / "x.pkl", g_style(state, **stated)))
    assert (tf.role, tf.layout) == ("generator", "stylegan-tf" if G.config["const_input"] else "stylegan-tf-dense")
    torch.save(state, tmp_path / "x.pth")
    untold = ("mapping_lr", "fused_up", "equalised", "style_mixing", "truncation_cutoff")
    port = found(tmp_path / "x.pth", **{key: config[key] for key in untold if key in config})
    assert port.layout == "stylegan-genforce"
    z, c = torch.randn(2, 6), torch.zeros(2, dtype=torch.int64)
    with torch.inference_mode():
        wanted = G(z, c, truncation=0.5)
        for match in (tf, port):
            network = built(match)
            given = {
                key: value
                for key, value in network.config.items()
                if key not in ("widths", "channel_base", "channel_max", "blur")
            }
            assert given == {key: G.config[key] for key in given}
            same(network(z, c, truncation=0.5), wanted, 1e-6)
    assert all(torch.equal(tf.state[key], tensor) for key, tensor in port.state.items())
    variables = {"lod": state["synthesis.lod"], "dlatent_avg": state["truncation.w_avg"]}
    variables |= {f"mapping/{key}": value for key, value in g_mapping(state).items()}
    variables |= {f"synthesis/{key}": value for key, value in g_synthesis(state).items()}
    equal(tf.reader.export(tf.state, tf.config), variables)
    equal(port.reader.export(port.state, port.config), state)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_of_both_programs_are_one(name: str, tmp_path: Path) -> None:
    config, stated = DISCRIMINATORS[name]
    D, state = discriminator(config)
    tf = found(written(tmp_path / "x.pkl", d_basic(state, **stated)))
    torch.save(state, tmp_path / "x.pth")
    port = found(tmp_path / "x.pth", **{key: config[key] for key in ("std_group", "equalised", "num_classes") if key in config})
    assert [(m.role, m.layout) for m in (tf, port)] == [
        ("discriminator", "stylegan-tf"),
        ("discriminator", "stylegan-genforce"),
    ]
    x, c = torch.randn(4, 3, D.config["image_size"], D.config["image_size"]), torch.tensor([0, 0, 0, 0])
    with torch.inference_mode():
        for match in (tf, port):
            network = built(match)
            same(network(x, c), D(x, c), 1e-6)
            for key in ("num_classes", "std_group", "growing", "equalised"):
                assert network.config[key] == D.config[key], key
    equal(tf.reader.export(tf.state, tf.config), dict(d_basic(state).state["variables"]))
    equal(port.reader.export(port.state, port.config), state)


@pytest.mark.parametrize("protocol", [2, 4])
def test_the_authors_files(protocol: int, tmp_path: Path) -> None:
    """G, D and the averaged generator Gs; the latter is what is loaded."""
    (_, G), (_, D), (Gs, averaged) = generator({}, 1), discriminator({}), generator({}, 2)
    path = written(tmp_path / "network.pkl", (g_style(G, "G"), d_basic(D), g_style(averaged)), protocol)
    matches = recognise(read_checkpoint(path), KNOWN)
    assert [(match.place, match.role) for match in matches] == [
        ("G", "generator"),
        ("D", "discriminator"),
        ("Gs", "generator"),
    ]
    best = best_matches(matches)
    assert (best["generator"].place, best["discriminator"].place) == ("Gs", "D")
    z = torch.randn(2, 6)
    same(built(best["generator"])(z), Gs(z), 1e-6)


def test_a_pickle_of_python_2(tmp_path: Path) -> None:
    """Byte strings, numpy of old, no type of its own for anything."""
    G, state = generator({"image_size": 8})
    variables = dict(g_style(state).state["variables"])

    def network(content: dict[str, Any], *more: bytes) -> bytes:
        entries = [tuple_of(string(name.encode()), old_array(np.asarray(value, np.float32))) for name, value in content.items()]
        table = dict_of(
            *(string(b"version"), number(2), string(b"build_func_name"), string(b"G_style"), *more),
            *(string(b"static_kwargs"), dict_of(string(b"resolution"), number(8), string(b"fused_scale"), string(b"auto"))),
            *(string(b"build_module_src"), string(b"raise SystemExit\n" * 99)),
            *(string(b"variables"), b"](" + b"".join(entries) + b"e"),
        )
        return asks("dnnlib.tflib.network.Network") + b")\x81" + table + b"b"

    inside = dict_of(string(b"mapping"), network(g_mapping(state)), string(b"synthesis"), network(g_synthesis(state)))
    (tmp_path / "old.pkl").write_bytes(START + network(variables, string(b"components"), inside) + b".")
    z = torch.randn(2, 6)
    same(built(found(tmp_path / "old.pkl"))(z), G(z), 1e-6)


def test_the_port_s_files(tmp_path: Path) -> None:
    (_, G), (_, D), (smooth, averaged) = generator({}, 1), discriminator({}), generator({}, 2)
    models = {"generator_smooth": averaged, "generator": G, "discriminator": D}
    torch.save({"models": models, "optimizers": {}, "running_metadata": {"iter": 5}}, tmp_path / "checkpoint.pth")
    matches = recognise(read_checkpoint(tmp_path / "checkpoint.pth"), KNOWN)
    assert {match.place: match.role for match in matches} == {
        "models.generator": "generator",
        "models.generator_smooth": "generator",
        "models.discriminator": "discriminator",
    }
    z = torch.randn(2, 6)
    (match,) = (match for match in matches if match.place.endswith("smooth"))
    same(built(match)(z), smooth(z), 1e-6)


def test_a_network_that_was_stored_while_it_grew(tmp_path: Path) -> None:
    G, state = generator({})
    z = torch.randn(2, 6)
    wanted = G.synthesise(G.map(z), lod=1.3)
    state["synthesis.lod"] = torch.tensor(1.3)
    for path in (written(tmp_path / "x.pkl", g_style(state)), tmp_path / "x.pth"):
        torch.save(state, tmp_path / "x.pth")
        same(built(found(path))(z), wanted, 1e-6)


@pytest.mark.parametrize(
    "stated",
    [
        {"nonlinearity": "relu"},
        {"mapping_nonlinearity": "relu"},
        {"use_pixel_norm": True},
        {"use_instance_norm": False},
        {"normalize_latents": False},
        {"use_styles": False},
    ],
    ids=str,
)
def test_networks_that_are_another_function_are_refused(stated: dict[str, Any], tmp_path: Path) -> None:
    _, state = generator({})
    with pytest.raises(UnrecognisedCheckpointError, match=next(iter(stated))):
        found(written(tmp_path / "x.pkl", g_style(state, **stated)))


def test_nonsense_that_a_file_states_changes_nothing(tmp_path: Path) -> None:
    _, state = generator({})
    nonsense = {"mapping_lrmul": "fast", "use_wscale": [], "blur_filter": "soft", "truncation_cutoff": 0.5, "label_size": "x"}
    match = found(written(tmp_path / "x.pkl", g_style(state, **nonsense, fused_scale=7)))
    assert match.config == found(written(tmp_path / "y.pkl", g_style(state))).config


@pytest.mark.parametrize("keep", [0.5, 0.95])
def test_a_part_of_a_network_is_none(keep: float, tmp_path: Path) -> None:
    _, state = generator({})
    kept = dict(list(state.items())[: int(len(state) * keep)])
    torch.save(kept, tmp_path / "x.pth")
    with pytest.raises(UnrecognisedCheckpointError):
        found(tmp_path / "x.pth")
    variables = dict(g_style(state).state["variables"]) | {f"synthesis/{k}": v for k, v in g_synthesis(state).items()}
    kept = dict(list(variables.items())[: int(len(variables) * keep)])
    with pytest.raises(UnrecognisedCheckpointError):
        found(written(tmp_path / "x.pkl", tf_network("Gs", kept)))


def test_strange_shapes_are_no_network() -> None:
    for reader in (GenforceGenerator(), GenforceDiscriminator()):
        for shapes in (
            {},
            {"synthesis.layer1.style.weight": (3,), "layer0.weight": (1, 2)},
            {f"synthesis.layer{i}.style.bias": (4,) for i in range(80)},
            {f"layer{i}.weight": (4, 4, 3, 3) for i in range(61)} | {"input0.weight": (4, 3, 1, 1)},
        ):
            assert reader.config(shapes) is None


def test_load_does_all_of_it(tmp_path: Path) -> None:
    G, state = generator({})
    path = written(tmp_path / "karras.pkl", (g_style(state, "G"), d_basic(discriminator({})[1]), g_style(state)))
    loaded = ganzoo.load(str(path))
    assert isinstance(loaded, StyleGAN1Generator)
    sample = loaded.sample(2, seed=4)
    assert torch.allclose(sample.tensor, G.sample(2, seed=4).tensor, atol=1e-5)
