"""R3GAN keeps the contracts of every architecture, has the paper's sizes and starts as the paper says."""

import inspect
import math
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from ganzoo.building import build, build_random, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo.errors import ConfigError, InvalidValueError, UnrecognisedCheckpointError
from ganzoo.models import Network
from ganzoo.models.network import json_value
from ganzoo.spec import Role
from ganzoo_r3gan import ganzoo_architectures, layouts
from ganzoo_r3gan.networks import R3GANDiscriminator, R3GANGenerator, Resampler
from ganzoo_r3gan.stages import stage_sizes

(ARCHITECTURE,) = ganzoo_architectures()
KNOWN = [("r3gan", ARCHITECTURE)]
ROLES: tuple[Role, ...] = ("generator", "discriminator")
CLASSES: dict[Role, type[Network]] = {"generator": R3GANGenerator, "discriminator": R3GANDiscriminator}


def empty(*shape: int) -> Tensor:
    return torch.empty(0).set_(torch.UntypedStorage(0), 0, shape, (0,) * len(shape))


DAMAGE = {
    "a kernel of a million taps": ("resample.kernel", torch.zeros(10**6, 1)),
    "a kernel without end": ("resample.kernel", empty(2**40, 0)),
    "more groups than channels": ("grouped.weight", torch.zeros(16, 3, 3, 3)),
    "a kernel of an even size": ("grouped.weight", torch.zeros(16, 16, 4, 4)),
    "no channels": ("grouped.weight", torch.zeros(0, 16, 3, 3)),
    "a shape whose strides overflow": ("activation1.bias", empty(0, 2**62, 2**31)),
}


@pytest.mark.parametrize("what", DAMAGE)
@pytest.mark.parametrize("role", ROLES)
def test_damaged_shapes_are_refused_quickly_and_in_words(role: Role, what: str, tmp_path: Path) -> None:
    network = build_random(CLASSES[role], {"image_size": 16, "width": 8}, seed=1)
    ending, damage = DAMAGE[what]
    reader = layouts.BareGenerator() if role == "generator" else layouts.BareDiscriminator()
    state = {name: damage if name.endswith(ending) else tensor for name, tensor in network.state_dict().items()}
    torch.save(reader.export(state, network.config), tmp_path / "x.pt")
    begun = time.monotonic()
    with pytest.raises(UnrecognisedCheckpointError, match="fits no architecture"):
        recognise(read_checkpoint(tmp_path / "x.pt"), KNOWN)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("role", ROLES)
def test_declared_arguments_are_the_constructors(role: Role) -> None:
    parameters = list(inspect.signature(network_class(ARCHITECTURE, role).__init__).parameters.values())[1:]
    declared = [(f.name, json_value(f.default, f.name)) for f in ARCHITECTURE.config if role in f.roles]
    assert declared == [(p.name, json_value(p.default, p.name)) for p in parameters]


CONFIGS: dict[str, dict[str, Any]] = {
    "small": {"image_size": 16, "width": 8},
    "4 pixels": {"image_size": 4, "width": 8, "channels": 1},
    "width halves": {"image_size": 128, "width": 8},
    "widths": {"image_size": 16, "widths": [12, 8, 8], "cardinalities": [3, 2, 8], "blocks": [1, 0, 3]},
    "no blocks": {"image_size": 8, "width": 5, "blocks": [0, 0]},
    "classes": {"image_size": 8, "width": 8, "num_classes": 5},
    "embedding": {"image_size": 8, "width": 8, "num_classes": 5, "embedding_size": 3},
    "one class": {"image_size": 8, "width": 8, "num_classes": 1},
    "kernels": {"image_size": 8, "width": 8, "kernel_size": 5, "expansion": 3, "resampling_filter": [1, 4, 6, 4, 1]},
    "an even filter": {"image_size": 16, "width": 8, "kernel_size": 1, "resampling_filter": [1, 1]},
    "a nearest filter": {"image_size": 16, "width": 8, "resampling_filter": [1]},
    "grey": {"image_size": 8, "width": 8, "channels": 1},
}
CASES = [(role, name) for role in ROLES for name in CONFIGS]


def inputs(network: Network, seed: int = 0) -> tuple[Tensor, ...]:
    rng = torch.Generator().manual_seed(seed)
    size, channels = network.config["image_size"], network.config["channels"]
    shape = (3, *(network.latent_shape if isinstance(network, R3GANGenerator) else (channels, size, size)))
    x = torch.randn(shape, generator=rng)
    classes = network.config["num_classes"]
    return (x, torch.randint(classes, (3,), generator=rng)) if classes else (x,)


def filled(role: Role, config: dict[str, Any]) -> Network:
    """With other numbers than those of the initialisation, which has zeros."""
    network = build_random(CLASSES[role], config, seed=1).eval()
    rng = torch.Generator().manual_seed(2)
    for parameter in network.parameters():
        parameter.data.normal_(generator=rng).mul_(0.3)
    return network


def same_function(one: Network, other: Network) -> None:
    """Up to rounding, which depends on where in memory the weights are. That these are equal is compared elsewhere."""
    a, b = one(*inputs(other)), other(*inputs(other))
    assert torch.allclose(a, b, rtol=1e-5, atol=1e-5 * b.abs().max().item())


def found(network: Network, reader: str, path: Path) -> tuple[Match, dict[str, Tensor]]:
    foreign = getattr(layouts, reader)().export(network.state_dict(), network.config)
    save_file(foreign, path)
    (match,) = recognise(read_checkpoint(path), KNOWN)
    return match, foreign


@pytest.mark.parametrize("form", ["Wrapped", "Bare"])
@pytest.mark.parametrize(("role", "name"), CASES)
def test_config_layout_and_export_round_trip(role: Role, name: str, form: str, tmp_path: Path) -> None:
    network = filled(role, CONFIGS[name])
    assert type(network)(**network.config).config == network.config
    match, foreign = found(network, f"{form}{role.title()}", tmp_path / "x.safetensors")
    assert (match.role, match.layout) == (role, "r3gan" if form == "Wrapped" else "r3gan-bare")
    assert all(key.startswith("Model.") == (form == "Wrapped") for key in foreign)
    for argument in ("widths", "cardinalities", "blocks", "embedding_size"):
        if CONFIGS[name].get(argument) and any(CONFIGS[name].get("blocks") or [1]):
            expected = CONFIGS[name][argument]
            if argument == "cardinalities":  # what has no block has no groups to be told
                expected = [n if blocks else 1 for n, blocks in zip(expected, CONFIGS[name]["blocks"], strict=True)]
            assert match.config[argument] == expected
    back = match.reader.export(match.state, match.config)
    assert back.keys() == foreign.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in foreign.items())
    rebuilt = build(CLASSES[role], match.config, match.state)
    same_function(rebuilt, network)


def test_the_stored_filter_is_the_one_that_counts(tmp_path: Path) -> None:
    network = filled("generator", {**CONFIGS["small"], "resampling_filter": [1, 5, 1]})
    match, _ = found(network, "WrappedGenerator", tmp_path / "x.safetensors")
    assert match.config["resampling_filter"] == [1, 2, 1]  # all that a shape can tell
    rebuilt = build(R3GANGenerator, match.config, match.state)
    same_function(rebuilt, network)


@pytest.mark.parametrize("change", ["missing", "unexpected", "shape", "gap"])
def test_a_state_that_is_nearly_one_is_refused_key_by_key(change: str, tmp_path: Path) -> None:
    network = filled("generator", CONFIGS["small"])
    state = layouts.WrappedGenerator().export(network.state_dict(), network.config)
    key = "Model.MainLayers.1.Layers.1.NonLinearity1.Bias"
    match change:
        case "missing":
            del state[key]
        case "unexpected":
            state["Model.MainLayers.1.Layers.9.Bias"] = torch.ones(2)
        case "shape":
            state[key] = torch.ones(7)
        case "gap":
            state = {name.replace("MainLayers.1.", "MainLayers.7."): tensor for name, tensor in state.items()}
    save_file(state, tmp_path / "x.safetensors")
    with pytest.raises(UnrecognisedCheckpointError, match=r"r3gan/r3gan \(generator"):
        recognise(read_checkpoint(tmp_path / "x.safetensors"), KNOWN)


# Millions of parameters of generator and discriminator that the authors publish.
PUBLISHED = {
    "CIFAR-10": ({"image_size": 32, "num_classes": 10}, 20.78, 21.28),
    "FFHQ-64": ({}, 22.43, 22.38),
    "FFHQ-256": ({"image_size": 256}, 23.06, 23.01),
    "ImageNet-32": ({"image_size": 32, "width": 1536, "cardinalities": [96] * 4, "num_classes": 1000}, 82.91, 86.55),
    "ImageNet-64": ({"widths": [1536] * 5, "cardinalities": [96] * 5, "num_classes": 1000}, 103.57, 107.21),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name: str) -> None:
    config, *wanted = PUBLISHED[name]
    with torch.device("meta"):
        counts = [cls(**config).parameter_count() for cls in CLASSES.values()]
    assert [round(count / 1e6, 2) for count in counts] == wanted


# --- the function -----------------------------------------------------------------------------------------------------


def resampled(x: Tensor, kernel: Tensor, up: int, down: int, before: int, after: int, gain: float) -> Tensor:
    """By the definition: zeros put in between, padded, convolved, every other pixel kept."""
    n, c, h, w = x.shape
    wide = x.new_zeros(n, c, h * up, w * up)
    wide[:, :, ::up, ::up] = x
    weight = (gain * kernel).flip(0, 1)[None, None].repeat(c, 1, 1, 1)
    return F.conv2d(F.pad(wide, (before, after) * 2), weight, groups=c)[:, :, ::down, ::down]


@pytest.mark.parametrize("taps", [[1], [1, 1], [1, 2, 1], [1, 3, 3, 1], [1, 4, 6, 4, 1], [1, 2, 5]], ids=str)
def test_resampling(taps: list[float]) -> None:
    x, k = torch.randn(2, 3, 6, 6), len(taps) + 1
    up, down = Resampler(taps, up=True), Resampler(taps, up=False)
    assert torch.allclose(up(x), resampled(x, up.kernel, 2, 1, (k + 1) // 2, (k - 2) // 2, 4), atol=1e-6)
    assert torch.allclose(down(x), resampled(x, down.kernel, 1, 2, (k - 1) // 2, (k - 2) // 2, 1), atol=1e-6)
    if taps == [1, 2, 1]:
        assert torch.equal(up.kernel * 64, torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])))
        assert torch.allclose(up(torch.ones(1, 1, 4, 4))[0, 0, 1:-1, 1:-1], torch.ones(6, 6))
        assert up(torch.ones(1, 1, 4, 4))[0, 0, 0, 0].item() == pytest.approx((3 / 4) ** 2)  # zeros beyond the border


@pytest.mark.parametrize("role", ROLES)
def test_the_start_of_training(role: Role) -> None:
    """Sec. 3: fan-in scaling with the leaky ReLU's gain and a depth of 8 blocks; residual branches begin at zero."""
    network = build_random(CLASSES[role], {"image_size": 32, "width": 64, "num_classes": 200}, seed=0)
    gain = math.sqrt(2 / 1.04) * 8**-0.25
    for name, parameter in network.named_parameters():
        kind = name.rpartition(".")[0].rpartition(".")[2]
        if kind == "project" or name.endswith("bias"):
            assert not parameter.any()
        elif name.endswith("basis") and role == "generator":
            assert parameter.std().item() == pytest.approx(1, abs=0.1)
        else:
            scale = gain if kind in ("expand", "grouped") else 1
            if kind == "embedding" and role == "discriminator":
                scale = 1 / math.sqrt(64)
            wanted = scale / math.sqrt(parameter[0].numel())
            assert parameter.std().item() == pytest.approx(wanted, rel=0.3 if parameter.numel() < 500 else 0.1), name


@pytest.mark.parametrize("cls", CLASSES.values())
def test_bfloat16_stages_are_close_and_give_float32(cls: type[Network]) -> None:
    config = {"image_size": 16, "width": 16}
    plain = build_random(cls, config, seed=1).eval()
    for parameter in plain.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    wanted = plain(*inputs(plain))
    for stages in ([-1], [0, 1, 2]):
        half = cls(**config, bf16_stages=stages).eval()
        half.load_state_dict(plain.state_dict())
        dtypes: list[torch.dtype] = []
        for stage in half.stages:  # type: ignore[union-attr]
            stage.register_forward_hook(lambda *hooked, dtypes=dtypes: dtypes.append(hooked[2].dtype))
        got = half(*inputs(plain))
        assert dtypes.count(torch.bfloat16) == len(stages)
        assert dtypes[-1 if cls is R3GANGenerator else 0] == torch.bfloat16  # -1 is the largest resolution in both
        assert got.dtype == torch.float32
        assert not torch.equal(got, wanted)
        assert torch.allclose(got, wanted, atol=0.05 * wanted.abs().max().item())


def test_classes_are_checked_and_can_be_mixed() -> None:
    G, D = (filled(role, CONFIGS["classes"]) for role in ROLES)
    z, _ = inputs(G)
    assert torch.equal(G(z, 1), G(z, torch.tensor([1, 1, 1])))
    assert not torch.equal(G(z, 1), G(z, 2))
    x = G(z, 1)
    half = torch.tensor([0.5, 0.5, 0, 0, 0]).expand(3, 5)
    assert torch.allclose(D(x, half), (D(x, 0) + D(x, 1)) / 2, atol=1e-4)  # linear in the embedding
    for c, words in (
        (None, "needs a class"),
        (5, "0 to 4"),
        (-1, "0 to 4"),
        (torch.tensor([0, 1]), "2 classes for 3 samples"),
        (torch.ones(3, 4), r"\[3, 5\], not \[3, 4\]"),
    ):
        for network, first in ((G, z), (D, x)):
            with pytest.raises(InvalidValueError, match=words):
                network(first, c)
    assert (G.num_classes, D.num_classes) == (5, 5)  # type: ignore[attr-defined]


def test_what_a_class_does_to_the_generator() -> None:
    """Its embedding stands behind the latent: an unconditional twin that is fed with both gives the same."""
    G = filled("generator", CONFIGS["embedding"])
    z, c = inputs(G)
    twin = R3GANGenerator(image_size=8, width=8, latent_size=64 + 3)
    twin.load_state_dict({name: tensor for name, tensor in G.state_dict().items() if name != "embedding.weight"})
    embedded = G.state_dict()["embedding.weight"].T[c]
    assert torch.allclose(G(z, c), twin(torch.cat([z, embedded], dim=1)), atol=1e-4)


def test_what_a_class_does_to_the_discriminator() -> None:
    """The score is the plain dot product of its embedding with the features, without any scaling."""
    D = filled("discriminator", CONFIGS["embedding"])
    features: list[Tensor] = []
    D.stages[-1].register_forward_hook(lambda *hooked: features.append(hooked[2]))  # type: ignore[index, union-attr]
    x, c = inputs(D)
    scores = D(x, c)
    assert features[0].shape == (3, 3)
    wanted = torch.stack([row @ D.state_dict()["embedding.weight"][:, i] for row, i in zip(features[0], c, strict=True)])
    assert torch.allclose(scores, wanted, rtol=1e-4)


@pytest.mark.parametrize("name", CONFIGS)
def test_samples_and_gradients(name: str) -> None:
    G, D = (filled(role, CONFIGS[name]) for role in ROLES)
    assert isinstance(G, R3GANGenerator)
    options = {"c": 0} if G.num_classes else {}
    together, apart = (G.sample(5, seed=3, batch_size=size, **options) for size in (5, 2))
    assert together.tensor.shape == (5, *G.output_shape)
    assert torch.allclose(together.tensor, apart.tensor, atol=1e-4)
    scores = D(together.tensor, *([torch.zeros(5, dtype=torch.int64)] if options else []))
    assert scores.shape == (5,)
    scores.sum().backward()
    assert all(parameter.grad is not None for parameter in D.parameters())


def test_layers_are_counted_from_the_image() -> None:
    D = build_random(R3GANDiscriminator, {"image_size": 8, "width": 4, "num_classes": 2}, seed=0)
    layers = D.layers_from_input()
    assert layers[0] is D.from_image
    first, last = D.stages
    assert layers[1] is first.layers[0].expand
    assert layers.index(last.layers[-1]) > layers.index(first.layers[-2].project)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"image_size": 48}, "power of two"),
        ({"image_size": 2}, "power of two"),
        ({"image_size": 8, "widths": [8]}, "2 widths"),
        ({"image_size": 8, "widths": [8, 0]}, "2 widths"),
        ({"image_size": 8, "blocks": [1, 2, 3]}, "2 blocks"),
        ({"image_size": 8, "blocks": [1, -1]}, "2 blocks"),
        ({"image_size": 8, "cardinalities": [1]}, "2 cardinalities"),
        ({"image_size": 8, "widths": [8, 9], "cardinalities": [4, 4]}, "18 channels"),
        ({"image_size": 8, "kernel_size": 4}, "odd"),
        ({"image_size": 8, "resampling_filter": []}, "tap"),
        ({"image_size": 8, "resampling_filter": [1, -1]}, "tap"),
        ({"image_size": 8, "num_classes": -1}, "-1 classes"),
        ({"image_size": 8, "bf16_stages": [2]}, "from -2 to 1"),
        ({"image_size": 8, "expansion": 0}, "expansion"),
    ],
)
@pytest.mark.parametrize("cls", CLASSES.values())
def test_bad_configurations(cls: type[Network], config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        cls(**{"width": 8, **config})


def test_default_widths_and_groups() -> None:
    sizes = stage_sizes(image_size=256)
    assert [size.width for size in sizes] == [768] * 4 + [384, 192, 96]
    assert [size.groups for size in sizes] == [96] * 4 + [48, 24, 12]
    assert [size.groups for size in stage_sizes(image_size=8, width=12)] == [3, 3]
    assert [size.groups for size in stage_sizes(image_size=8, width=5)] == [5, 5]


def test_the_recipe_is_the_papers_and_its_parts_exist() -> None:
    recipe = ARCHITECTURE.recipe
    assert recipe is not None
    assert recipe.loss == "relativistic-pairing"
    assert set(recipe.regularizers) == {"r1", "r2"}
    assert all(use.every == 1 for use in recipe.regularizers.values())
    assert recipe.generator == recipe.discriminator
    assert recipe.generator.betas[0] == 0
