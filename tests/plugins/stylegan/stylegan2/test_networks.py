"""StyleGAN2 in every configuration: against straight formulas, in all layouts, sampled, mixed and in half precision."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build, build_random, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo.errors import ConfigError, InvalidValueError, UnknownNameError, UnrecognisedCheckpointError
from ganzoo.models.network import json_value
from ganzoo.nn import bias_act, fir_filter, modulated_conv2d
from ganzoo.spec import Role
from ganzoo_stylegan.stylegan2.declaration import STYLEGAN2
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator, group_deviation
from ganzoo_stylegan.stylegan2.layers import LayerStyle, SynthesisLayer, ToImage
from ganzoo_stylegan.stylegan2.layouts import NvidiaGenerator
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.rosinality import RosinalityDiscriminator, RosinalityGenerator
from ganzoo_stylegan.stylegan2.tensorflow import TensorFlowDiscriminator, TensorFlowGenerator

KNOWN = [("stylegan", STYLEGAN2)]
ROLES: tuple[Role, ...] = ("generator", "discriminator")
SMALL: dict[str, Any] = {"image_size": 16, "z_dim": 6, "w_dim": 5, "widths": [7, 6, 4], "mapping_layers": 2}
JUDGE: dict[str, Any] = {"image_size": 16, "widths": [6, 5, 4]}
GENERATORS: list[dict[str, Any]] = [
    SMALL,
    {**SMALL, "num_classes": 3, "embedding_size": 4, "mapping_width": 9, "mapping_layers": 3, "channels": 1},
    {**SMALL, "architecture": "resnet", "resample_filter": [1, 2, 1, 4, 1, 3]},
    {**SMALL, "architecture": "orig", "use_noise": False, "resample_filter": [1, 2]},
    {**SMALL, "image_size": 4, "widths": [5], "channels": 4},
    {**SMALL, "image_size": 64, "widths": [8, 8, 6, 4, 2], "kernel_size": 5, "resample_filter": [1, 2, 3, 4, 4, 3, 2, 1]},
]
DISCRIMINATORS: list[dict[str, Any]] = [
    JUDGE,
    {**JUDGE, "num_classes": 3, "class_vector_size": 9, "mapping_layers": 2, "embedding_size": 4, "mbstd_channels": 3},
    {**JUDGE, "architecture": "skip", "channels": 1},
    {**JUDGE, "architecture": "orig", "mbstd_channels": 0},
    {**JUDGE, "image_size": 8, "widths": [6, 3], "resample_filter": [1, 2, 1]},
]
PAIRS = [(StyleGAN2Generator, c) for c in GENERATORS] + [(StyleGAN2Discriminator, c) for c in DISCRIMINATORS]


def filled(cls: Any, config: dict[str, Any], seed: int = 1) -> Any:
    """A network in which no tensor is zero or constant but the filters."""
    network = build_random(cls, config, seed=seed).eval()
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not name.endswith("resample_filter"):
                tensor += 0.3 * torch.randn(tensor.shape, generator=rng)
    return network


def found_in(content: Any, path: Path, **options: Any) -> tuple[Match, ...]:
    torch.save(content, path / "file.pt")
    return recognise(read_checkpoint(path / "file.pt"), KNOWN, **options)


@pytest.mark.parametrize("role", ROLES)
def test_declared_arguments_are_the_constructors(role: Role) -> None:
    parameters = list(inspect.signature(network_class(STYLEGAN2, role).__init__).parameters.values())[1:]
    declared = [(f.name, json_value(f.default, f.name)) for f in STYLEGAN2.config if role in f.roles]
    assert declared == [(p.name, json_value(p.default, p.name)) for p in parameters]


@pytest.mark.parametrize(("cls", "config"), PAIRS, ids=str)
def test_arguments_are_told_from_shapes_alone(cls: Any, config: dict[str, Any], tmp_path: Path) -> None:
    network = filled(cls, config)
    (match,) = found_in({"ema": network.state_dict()}, tmp_path)
    told = {key: match.config[key] for key in config if key != "resample_filter"}
    assert told == {key: value for key, value in config.items() if key != "resample_filter"}
    again = build(cls, match.config, match.state)
    assert all(torch.equal(again.state_dict()[key], tensor) for key, tensor in network.state_dict().items())
    assert same_output(again, network)


def same_output(first: Any, second: Any) -> bool:
    size, channels = second.config["image_size"], second.config["channels"]
    x = torch.randn(4, *getattr(second, "latent_shape", (channels, size, size)), generator=torch.Generator().manual_seed(0))
    c = torch.tensor([0, 2, 1, 1])
    return torch.equal(first(x, c), second(x, c))


def test_sizes_of_the_published_networks() -> None:
    """In millions of parameters, buffers included, as the authors' programs print them."""
    from ganzoo.building import skeleton

    def millions(cls: Any, **config: Any) -> float:
        return sum(torch.Size(shape).numel() for shape in skeleton(cls, config).shapes.values()) / 1e6

    assert millions(StyleGAN2Generator, image_size=1024) == pytest.approx(30.37 + 2.8, abs=0.1)  # the rest is stored noise
    assert sum(p.numel() for p in build_random(StyleGAN2Generator, {"channel_base": 16384}, seed=0).parameters()) == 24_767_458
    assert millions(StyleGAN2Discriminator, channel_base=16384) == pytest.approx(24.001, abs=2e-3)


# --- against straight formulas ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("up", [1, 2])
@pytest.mark.parametrize(
    "style",
    [
        LayerStyle(),
        LayerStyle(conv_clamp=0.4),
        LayerStyle(activation="linear", resample_filter=[1, 2, 1]),
        LayerStyle(activation="swish", conv_clamp=0.2, kernel_size=5, noise=False),
        LayerStyle(activation="relu", resample_filter=[1, 2, 3, 4, 4, 3, 2, 1], equalised=True),
        LayerStyle(resample_filter=[[1, 2, 0], [0, 1, 3], [4, 1, 1]], kernel_size=1),
    ],
    ids=str,
)
def test_a_layer_is_the_operators_one_after_the_other(style: LayerStyle, up: int, batch: int) -> None:
    rng = torch.Generator().manual_seed(0)
    for inputs, outputs, size in ((3, 5, 32), (24, 20, 4)):  # both ways to modulate
        layer = SynthesisLayer(inputs, outputs, 4, size * up, style, up=up).double().eval()
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=rng, dtype=torch.float64))
        x = torch.randn(batch, inputs, size, size, generator=rng, dtype=torch.float64)
        w = torch.randn(batch, 4, generator=rng, dtype=torch.float64)
        noise = None if not style.noise else layer.noise_const * layer.noise_strength
        gain = (inputs * style.kernel_size**2) ** -0.5 if style.equalised else 1
        y = modulated_conv2d(
            x,
            layer.weight,
            layer.affine(w) * gain,
            noise=noise,
            up=up,
            padding=style.kernel_size // 2,
            resample_filter=fir_filter(style.resample_filter).double(),
            flip_weight=up == 1,
            fused=True,
        )
        kept = 1.0 if style.activation == "linear" else 2**0.5
        clamp = None if style.conv_clamp is None else style.conv_clamp * 0.7
        want = bias_act(y, layer.bias, act=style.activation, gain=kept * 0.7, clamp=clamp)
        for context in (torch.enable_grad(), torch.no_grad(), torch.inference_mode()):
            with context:
                got = layer(x, w, lambda count, stored: stored, 0.7)
                assert torch.allclose(got, want, rtol=1e-10, atol=1e-10 * float(want.detach().abs().max()))


def test_a_layer_can_be_differentiated_twice() -> None:
    for batch, inputs, size in ((1, 2, 6), (2, 3, 3)):
        layer = SynthesisLayer(inputs, 2, 3, size * 2, LayerStyle(conv_clamp=50.0), up=2).double()
        x = torch.randn(batch, inputs, size, size, dtype=torch.float64, requires_grad=True)
        w = torch.randn(batch, 3, dtype=torch.float64, requires_grad=True)

        def run(x: Tensor, w: Tensor, weight: Tensor, layer: SynthesisLayer = layer) -> Tensor:
            given = {"weight": weight}
            return torch.func.functional_call(layer, given, (x, w, lambda count, stored: stored))

        assert torch.autograd.gradcheck(run, (x, w, layer.weight.detach().requires_grad_()))
        assert torch.autograd.gradgradcheck(run, (x, w, layer.weight.detach().requires_grad_()))


def test_the_image_layer_is_a_modulated_convolution() -> None:
    layer = ToImage(6, 3, 4, LayerStyle(conv_clamp=0.5)).double()
    x, w = torch.randn(2, 6, 5, 5, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    y = modulated_conv2d(x, layer.weight, layer.affine(w) * 6**-0.5, demodulate=False)
    want = (y + layer.bias[:, None, None]).clamp(-0.5, 0.5)
    assert torch.allclose(layer(x, w), want)
    assert torch.allclose(layer(x.contiguous(memory_format=torch.channels_last), w), want)


def test_new_weights_are_used_at_once() -> None:
    G, z = filled(StyleGAN2Generator, SMALL), torch.randn(1, 6)
    with torch.no_grad():
        before = G(z)
        G.synthesis.b8.conv0.weight.mul_(torch.linspace(0.1, 3, 7)[None, :, None, None])
        after = G(z)
        assert not torch.allclose(before, after)
        fresh = build(StyleGAN2Generator, G.config, {k: t.clone() for k, t in G.state_dict().items()})
        assert torch.equal(fresh(z), after)


def test_a_judge_uses_new_weights_at_once() -> None:
    D, x = filled(StyleGAN2Discriminator, JUDGE), torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        before = D(x)
        D.b16.skip.weight.mul_(2)
        D.b8.conv1.weight.add_(1)
        after = D(x)
        assert not torch.allclose(before, after)
        fresh = build(StyleGAN2Discriminator, D.config, {k: t.clone() for k, t in D.state_dict().items()})
        assert torch.equal(fresh(x), after)
    assert torch.allclose(D(x), after, atol=1e-5)  # with a gradient


def test_groups_of_the_deviation_are_strided() -> None:
    x = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 2, 1, 1)
    got = group_deviation(x, 2, 1)[:, 0, 0, 0]  # images n and n + 3 are together: deviation 1.5
    assert torch.allclose(got, torch.full((6,), 1.5))
    assert torch.allclose(group_deviation(x, 4, 1)[:, 0, 0, 0], (torch.tensor(8 / 3) + 1e-8).sqrt().expand(6))  # groups of 3
    assert group_deviation(x, None, 2).shape == (6, 2, 1, 1)


# --- layouts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [SMALL, {**SMALL, "image_size": 64, "widths": [6, 6, 5, 4, 3]}], ids=str)
def test_rosinality_round_trip(config: dict[str, Any], tmp_path: Path) -> None:
    G = filled(StyleGAN2Generator, {**config, "equalised": True})
    D = filled(StyleGAN2Discriminator, {"image_size": config["image_size"], "widths": config["widths"]})
    content = {
        "g_ema": RosinalityGenerator().export(G.state_dict(), G.config),
        "d": RosinalityDiscriminator().export(D.state_dict(), D.config),
        "latent_avg": torch.randn(5),
    }
    matches = {match.place: match for match in found_in(content, tmp_path)}
    assert {(m.place, m.role, m.layout, m.is_average) for m in matches.values()} == {
        ("g_ema", "generator", "stylegan2-rosinality", True),
        ("d", "discriminator", "stylegan2-rosinality", False),
    }
    for place, network in (("g_ema", G), ("d", D)):
        again = build(type(network), matches[place].config, matches[place].state)
        assert same_output(again, network)
        back = matches[place].reader.export(matches[place].state, matches[place].config)
        assert back.keys() == content[place].keys()
        assert all(torch.equal(back[key], tensor) for key, tensor in content[place].items())


@pytest.mark.parametrize(
    "config", [SMALL, {**SMALL, "num_classes": 3, "architecture": "resnet"}, {**SMALL, "architecture": "orig"}], ids=str
)
def test_tensorflow_round_trip(config: dict[str, Any], tmp_path: Path) -> None:
    G = filled(StyleGAN2Generator, config)
    architecture = config.get("architecture", "resnet")
    D = filled(StyleGAN2Discriminator, {**JUDGE, "architecture": architecture, "num_classes": config.get("num_classes", 0)})
    content = {
        "Gs": TensorFlowGenerator().export(G.state_dict(), G.config),
        "D": TensorFlowDiscriminator().export(D.state_dict(), D.config),
    }
    weight = content["Gs"]["synthesis/8x8/Conv0_up/weight"]
    assert torch.equal(weight[0, 2, 4, 3], G.synthesis.b8.conv0.weight[3, 4, 2, 0])  # turned round
    assert torch.equal(content["Gs"]["synthesis/8x8/Conv1/mod_bias"], G.synthesis.b8.conv1.affine.bias - 1)
    assert torch.equal(content["Gs"]["synthesis/noise3"][0, 0], G.synthesis.b16.conv0.noise_const)
    matches = {match.place: match for match in found_in(content, tmp_path)}
    assert {(m.place, m.role, m.layout) for m in matches.values()} == {
        ("Gs", "generator", "stylegan2-tensorflow"),
        ("D", "discriminator", "stylegan2-tensorflow"),
    }
    for place, network in (("Gs", G), ("D", D)):
        again = build(type(network), matches[place].config, matches[place].state)
        for key, tensor in network.state_dict().items():
            assert torch.allclose(again.state_dict()[key], tensor, atol=1e-6), key


def test_a_missing_average_is_computed(tmp_path: Path) -> None:
    G = filled(StyleGAN2Generator, {**SMALL, "num_classes": 3})
    state = {key: tensor for key, tensor in G.state_dict().items() if key != "mapping.w_avg"}
    (match,) = found_in(state, tmp_path)
    z, c = torch.randn(4000, 6), torch.randint(3, (4000,))
    w = G.map(z, c)[:, 0].detach()
    assert torch.allclose(match.state["mapping.w_avg"], w.mean(0), atol=0.1 * float(w.std()))


DAMAGE = {
    "a filter of a million taps": ("b8.resample_filter", torch.zeros(10**6)),
    "a kernel of an even size": ("b4.conv1.weight", torch.zeros(7, 7, 2, 2)),
    "half of the keys": ("b8.", None),
    "another module inside": ("b8.conv1.weight", torch.zeros(6, 6, 3)),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_states_are_refused_in_words(what: str, tmp_path: Path) -> None:
    ending, damage = DAMAGE[what]
    state = dict(filled(StyleGAN2Generator, SMALL).state_dict())
    for key in list(state):
        if ending in key:
            state.pop(key)
            if damage is not None:
                state[key] = damage
    with pytest.raises(UnrecognisedCheckpointError, match="fits no architecture"):
        found_in(state, tmp_path)


# --- sampling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["const", "random", "none"])
def test_a_sample_does_not_depend_on_its_batch(mode: str) -> None:
    G = filled(StyleGAN2Generator, {**SMALL, "num_classes": 3})
    c = torch.tensor([2, 0, 1, 1, 2])
    whole = G.sample(5, seed=3, truncation=0.5, noise_mode=mode, c=c, batch_size=2)
    for i in (0, 3, 4):
        alone = G.sample(seeds=[whole.seeds[i]], truncation=0.5, noise_mode=mode, c=int(c[i]))
        assert torch.allclose(alone.tensor[0], whole.tensor[i], atol=1e-5 * float(whole.tensor.abs().max()))
    others = G.sample(5, seed=3, truncation=0.5, noise_mode="none" if mode == "const" else "const", c=c)
    assert not torch.allclose(others.tensor, whole.tensor, atol=1e-3)


def test_truncation_and_mixing() -> None:
    G = filled(StyleGAN2Generator, SMALL)
    z, other = torch.randn(2, 6), torch.randn(2, 6)
    ws, avg = G.map(z), G.w_avg
    moved = G.map(z, truncation=0.4, truncation_cutoff=2)
    assert torch.allclose(moved[:, :2], avg + 0.4 * (ws[:, :2] - avg), atol=1e-5) and torch.equal(moved[:, 2:], ws[:, 2:])
    assert torch.allclose(G.map(z, truncation=0)[1], avg.expand(6, -1))
    mixed = ws.clone()
    mixed[:, [1, 3]] = G.map(other)[:, [1, 3]]
    assert torch.equal(G(z, mix_z=other, mix_layers=[1, 3]), G.synthesise(mixed))
    assert torch.equal(G(z, mix_z=other, mix_layers=0), G(other))
    sampled = G.sample(1, seed=4, mix_z=other[:1], mix_layers=range(6)).tensor
    assert torch.allclose(sampled, G(other[:1]).detach(), atol=1e-5)


def test_classes_by_number_name_and_weight() -> None:
    G = filled(StyleGAN2Generator, {**SMALL, "num_classes": 3})
    G.name_classes(["cat", "dog", "newt"])
    by_name = G.sample(2, seed=1, c=["newt", "cat"]).tensor
    assert torch.equal(by_name, G.sample(2, seed=1, c=torch.tensor([2, 0])).tensor)
    assert torch.equal(by_name, G.sample(2, seed=1, c=torch.eye(3)[[2, 0]]).tensor)
    with pytest.raises(UnknownNameError, match="newd"):
        G.sample(1, c="newd")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"z": torch.randn(2, 7)}, r"\[N, 6\]"),
    ({"truncation": "half"}, "truncation must be a number"),
    ({"truncation": float("nan")}, "truncation must be a number"),
    ({"truncation_cutoff": 1.5}, "truncation_cutoff"),
    ({"c": 3}, "out of range"),
    ({"c": None}, "needs a class"),
    ({"c": torch.rand(2, 4)}, r"\[2, 3\]"),
    ({"z": [1.0]}, r"\[N, 6\], not list"),
    ({"noise_mode": "loud"}, "noise_mode 'loud'"),
    ({"noise_mode": ""}, "noise_mode ''"),
    ({"mix_z": torch.randn(2, 5), "mix_layers": 1}, r"\[N, 6\]"),
    ({"mix_z": torch.randn(3, 6), "mix_layers": 1}, "3 latents for 2 samples"),
    ({"mix_z": "other", "mix_layers": 1}, r"\[N, 6\], not str"),
    ({"noise_mode": "random", "noise_seeds": [1]}, "1 noise_seeds for 2 samples"),
    ({"mix_z": torch.randn(2, 6), "mix_layers": [6]}, "mix_layers"),
    ({"mix_z": torch.randn(2, 6), "mix_layers": float("nan")}, "mix_layers"),
    ({"mix_layers": [1]}, "mix_z"),
    ({"truncation": 10**400}, "truncation must be a number"),
]


@pytest.mark.parametrize(("bad", "words"), BAD, ids=lambda x: x if isinstance(x, str) else "")
def test_bad_input_is_refused_in_words(bad: dict[str, Any], words: str) -> None:
    G = filled(StyleGAN2Generator, {**SMALL, "num_classes": 3})
    with pytest.raises(InvalidValueError, match=words):
        G(**{"z": torch.randn(2, 6), "c": 1, **bad})


@pytest.mark.parametrize(
    "config",
    [
        {"image_size": 24},
        {"architecture": "dense"},
        {"widths": [4]},
        {"channel_base": 64, "image_size": 128},
        {"activation": "sine"},
        {"kernel_size": 2},
        {"conv_clamp": -1.0},
    ],
    ids=str,
)
def test_arguments_that_do_not_fit(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        StyleGAN2Generator(**{"z_dim": 4, "w_dim": 4, "channel_max": 8, **config})
    with pytest.raises(ConfigError):
        StyleGAN2Discriminator(image_size=4)


def test_wrong_images_are_refused() -> None:
    D = filled(StyleGAN2Discriminator, JUDGE)
    with pytest.raises(InvalidValueError, match="16"):
        D(torch.zeros(2, 3, 8, 8))


def test_half_precision_happens_where_it_is_asked_for() -> None:
    config = {**SMALL, "num_fp16_res": 2, "conv_clamp": 256.0}
    G, D = filled(StyleGAN2Generator, config), filled(StyleGAN2Discriminator, {**JUDGE, "num_fp16_res": 1, "conv_clamp": 256.0})
    z = torch.randn(2, 6)
    with torch.no_grad():
        plain = G(z)
        assert torch.equal(plain, filled(StyleGAN2Generator, SMALL)(z))
    assert plain.dtype == torch.float32
    G.synthesis.half_on_cpu = D.precision.half_on_cpu = True
    seen: list[torch.dtype] = []
    for size in (4, 8, 16):
        getattr(G.synthesis, f"b{size}").conv1.register_forward_hook(lambda *given: seen.append(given[2].dtype))
    with torch.no_grad():
        half = G(z)
    assert seen == [torch.float32, torch.float16, torch.float16] and half.dtype == torch.float32
    assert float((half - plain).abs().max()) < 0.02 * float(plain.abs().max())
    assert not torch.equal(half, plain)
    scores = D(plain)
    assert scores.dtype == torch.float32 and scores.isfinite().all()


def test_training_follows_the_average_and_mixes_styles() -> None:
    G = filled(StyleGAN2Generator, {**SMALL, "w_avg_beta": 0.75, "style_mixing": 1.0}).train()
    z, before = torch.randn(8, 6), G.w_avg.clone()
    ws, _ = G.path(z)
    assert torch.allclose(G.w_avg, 0.75 * before + 0.25 * G.mapping(z).mean(0), atol=1e-5)
    plain = G.mapping(z)[:, None]
    other = (ws - plain).abs().sum(2) > 1e-4
    assert not other[:, 0].any() and other[:, -1].all()  # each follows the other latent from some layer on
    assert (other.int().diff(dim=1) >= 0).all() and len(other.sum(1).unique()) > 1
    average = G.w_avg.clone()
    G.eval()(z)
    assert torch.equal(G.w_avg, average)


def test_it_can_be_exported() -> None:
    G = filled(StyleGAN2Generator, SMALL)
    z = torch.randn(1, 6)
    program = torch.export.export(G, (z,))
    assert torch.allclose(program.module()(z), G(z), atol=1e-5)


def test_nvidia_names_are_ours() -> None:
    keys = NvidiaGenerator().keys(filled(StyleGAN2Generator, SMALL).config)
    assert all(theirs == ours for theirs, ours in keys.items()) and "synthesis.b8.conv0.resample_filter" in keys
