"""The residual networks keep the contracts of every architecture: config, layouts, shapes, sampling, judgement."""

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import ganzoo
from ganzoo.building import build, build_random, network_class
from ganzoo.checkpoint import LayoutReader, Match, read_checkpoint, recognise
from ganzoo.errors import ConfigError, InvalidValueError, UnrecognisedCheckpointError
from ganzoo.models import Discriminator, Generator, Network
from ganzoo.models.network import json_value
from ganzoo_sngan import ganzoo_architectures, layouts
from ganzoo_sngan.networks import SAGANDiscriminator, SAGANGenerator, SNGANDiscriminator, SNGANGenerator
from ganzoo_sngan.studiogan import (
    StudioSAGANDiscriminator,
    StudioSAGANGenerator,
    StudioSNGANDiscriminator,
    StudioSNGANGenerator,
)

ARCHITECTURES = ganzoo_architectures()
KNOWN = [("sngan", architecture) for architecture in ARCHITECTURES]
PAIRS = [(architecture, role) for architecture in ARCHITECTURES for role in architecture.networks]


@pytest.mark.parametrize(("architecture", "role"), PAIRS)
def test_declared_arguments_are_the_constructors(architecture: Any, role: Any) -> None:
    cls = network_class(architecture, role)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    declared = {field.name: json_value(field.default, field.name) for field in architecture.config if role in field.roles}
    assert declared == {p.name: json_value(p.default, p.name) for p in parameters}
    assert list(declared) == [p.name for p in parameters]


def small_networks() -> list[tuple[type[Network], dict[str, Any]]]:
    """Every size, and every way that one can be configured."""
    found: list[tuple[type[Network], dict[str, Any]]] = []
    for size in (16, 32, 48, 64, 128):
        found.append((SNGANGenerator, {"image_size": size, "channels": 1, "latent_size": 7, "width": 18}))
        found.append((SNGANDiscriminator, {"image_size": size, "channels": 4, "width": 18}))
        found.append((SAGANGenerator, {"image_size": size, "latent_size": 1, "width": 65, "num_classes": 4}))
        found.append((SAGANDiscriminator, {"image_size": size, "width": 65, "num_classes": 4}))
    found += [
        (SNGANGenerator, {"image_size": 40, "latent_size": 3, "widths": [6, 6, 6, 6]}),
        (SNGANGenerator, {"image_size": 32, "latent_size": 3, "widths": [6, 4, 9], "num_classes": 4}),
        (SNGANDiscriminator, {"image_size": 16, "widths": [5, 7, 7], "halvings": 2}),
        (SNGANDiscriminator, {"image_size": 32, "width": 8, "spectral_norm": "none"}),
        (SNGANDiscriminator, {"image_size": 32, "width": 8, "spectral_norm": "recomputed", "num_classes": 4}),
        (SNGANDiscriminator, {"image_size": 32, "width": 8, "head_spectral_norm": "recomputed", "num_classes": 4}),
        (SAGANGenerator, {"image_size": 64, "widths": [8, 16, 24, 32, 40], "attention": 1}),
        (SAGANDiscriminator, {"image_size": 16, "widths": [8, 16], "halvings": 2, "attention": 1}),
    ]
    for spectral in (False, True):
        for size in (32, 64):
            common = {"image_size": size, "width": 8, "channels": 1, "spectral_norm": spectral}
            found.append((StudioSNGANGenerator, {**common, "latent_size": 6}))
            found.append((StudioSAGANGenerator, {**common, "conditioning": "cBN", "num_classes": 4, "attention": [1, 3]}))
            found.append((StudioSNGANDiscriminator, common))
            found.append((StudioSAGANDiscriminator, {**common, "attention": [1, 2, 4]}))
        for conditioning in ("AC", "PD", "MH", "2C"):
            extra = {"embedding_size": 11} if conditioning == "2C" else {}
            config = {"width": 8, "spectral_norm": spectral, "conditioning": conditioning, "num_classes": 4, **extra}
            found.append((StudioSNGANDiscriminator, config))
            if conditioning in ("AC", "2C"):
                found.append((StudioSAGANDiscriminator, {**config, "auxiliary": "TAC", "attention": [2]}))
    return found


NETWORKS = small_networks()
IDS = [f"{cls.__name__}-{'-'.join(str(v) for v in config.values())}" for cls, config in NETWORKS]
GENERATORS = [(cls, config) for cls, config in NETWORKS if issubclass(cls, Generator)]
DISCRIMINATORS = [(cls, config) for cls, config in NETWORKS if issubclass(cls, Discriminator)]


def reader(cls: type[Network]) -> LayoutReader:
    """The reader of the layout that belongs to the class."""
    (target,) = [
        layout.reader
        for architecture, role in PAIRS
        if network_class(architecture, role) is cls
        for layout in architecture.layouts
        if layout.role == role
    ]
    module, _, name = target.partition(":")
    made = getattr(importlib.import_module(module), name)()
    assert isinstance(made, LayoutReader)
    return made


def found_in(content: Any, tmp_path: Path, **options: Any) -> tuple[Match, ...]:
    torch.save(content, tmp_path / "file.pth")
    return recognise(read_checkpoint(tmp_path / "file.pth"), KNOWN, **options)


def called(network: Any, config: dict[str, Any]) -> Tensor:
    """The network's output for some input."""
    torch.manual_seed(0)
    size = config.get("image_size", 32)
    x = torch.randn(2, *getattr(network, "latent_shape", (config.get("channels", 3), size, size)))
    return network(x, torch.tensor([3, 0])) if config.get("num_classes") else network(x)


@pytest.mark.parametrize(("cls", "config"), NETWORKS, ids=IDS)
def test_config_layout_and_export_round_trip(cls: type[Network], config: dict[str, Any], tmp_path: Path) -> None:
    network = build_random(cls, config, seed=1).eval()
    assert cls(**network.config).config == network.config
    foreign = reader(cls).export(network.state_dict(), network.config)
    (match,) = found_in({"model_state_dict": foreign, "optimizer_state_dict": {}, "global_step": 5}, tmp_path)
    assert {key: match.config[key] for key in config} == config
    assert network_class(match.architecture, match.role) is cls
    back = match.reader.export(match.state, match.config)
    assert back.keys() == foreign.keys()
    for key, tensor in foreign.items():
        assert torch.equal(back[key], tensor)
        assert (back[key].dtype, back[key].shape) == (tensor.dtype, tensor.shape)
    rebuilt = build(cls, match.config, match.state)
    assert torch.equal(called(rebuilt, config), called(network, config))


@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=[i for i in IDS if "Generator" in i])
def test_generators_make_images_whatever_the_batch_size(cls: Any, config: dict[str, Any]) -> None:
    network = build_random(cls, config, seed=1).double()  # untrained, some magnify the roundings of float32 beyond measure
    options = {"c": 2} if config.get("num_classes") else {}
    together, apart = (network.sample(5, seed=3, batch_size=size, **options) for size in (5, 2))
    size = config.get("image_size", 32)
    assert together.tensor.shape == (5, *network.output_shape) == (5, config.get("channels", 3), size, size)
    assert together.tensor.abs().max() <= 1
    assert torch.allclose(together.tensor, apart.tensor, atol=1e-5)
    assert network.num_classes == config.get("num_classes", 0)


@pytest.mark.parametrize(("cls", "config"), DISCRIMINATORS, ids=[i for i in IDS if "Discriminator" in i])
def test_discriminators_judge(cls: Any, config: dict[str, Any]) -> None:
    network = build_random(cls, config, seed=1)
    size = config.get("image_size", 32)
    c = torch.tensor([0, 3, 1]) if config.get("num_classes") else None
    x = torch.randn(3, config.get("channels", 3), size, size)
    scores = network.eval()(x, c)
    assert scores.shape == (3,)
    scores.sum().backward(retain_graph=True)
    unused = {name for name, p in network.named_parameters() if p.grad is None}
    assert all(name.startswith(("head.second", "head.information", "head.proxies")) for name in unused)
    assert network.num_classes == config.get("num_classes", 0)
    if config.get("conditioning") == "2C" or "auxiliary" in config:
        with pytest.raises(ConfigError, match="needs a loss of its own to be trained"):
            network.judge(x, c)
        return
    judgement = network.judge(x, c)
    assert torch.equal(judgement.scores, scores)
    if config.get("conditioning") == "AC":
        assert judgement.class_logits.shape == (3, 4)
        judgement.class_logits.sum().backward()
        assert any(p.grad is not None for p in network.head.second.parameters())
    else:
        assert judgement.class_logits is None


def test_layers_are_counted_from_the_input() -> None:
    network = build_random(SAGANDiscriminator, {"width": 8}, seed=1)
    names = {module: name for name, module in network.named_modules()}
    counted = [names[layer] for layer in network.layers_from_input()]
    assert counted[0] == "blocks.0.conv1"
    assert counted[-1] == "head.score"
    blocks = [name for name in counted if name.startswith("blocks")]
    assert counted.index("attention.2") == blocks.index("blocks.2.conv1") == 6
    parameters = {id(p) for layer in network.layers_from_input() for p in layer.parameters(recurse=False)}
    assert parameters == {id(p) for p in network.parameters()}


G = reader(SNGANGenerator).export(
    build_random(SNGANGenerator, {"width": 4}, seed=1).state_dict(), {"image_size": 32, "width": 4}
)
D = reader(SNGANDiscriminator).export(
    build_random(SNGANDiscriminator, {"width": 4}, seed=1).state_dict(), {"image_size": 32, "width": 4}
)
WRAPPED = {
    "bare": (G, 1),
    "mimicry": ({"model_state_dict": D, "optimizer_state_dict": {"state": {}, "param_groups": []}, "global_step": 9}, 1),
    "studiogan": ({"state_dict": G, "optimizer": {"state": {}, "param_groups": []}, "step": 9, "best_step": 3}, 1),
    "both": ({"netG": G, "netD": D}, 2),
    "module.": ({f"module.{key}": tensor for key, tensor in G.items()}, 1),
    "half precision": ({key: t.half() if t.is_floating_point() else t for key, t in D.items()}, 1),
    "no batch counters": ({key: t for key, t in G.items() if "num_batches" not in key}, 1),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_however_wrapped(name: str, tmp_path: Path) -> None:
    content, count = WRAPPED[name]
    matches = found_in(content, tmp_path)
    assert len(matches) == count
    assert {match.architecture.id for match in matches} == {"sngan"}


def test_loading_a_file_by_its_path(tmp_path: Path) -> None:
    torch.save({"model_state_dict": G, "global_step": 9}, tmp_path / "netG_9_steps.pth")
    network = ganzoo.load(str(tmp_path / "netG_9_steps.pth"))
    assert isinstance(network, SNGANGenerator)
    assert torch.equal(network.state_dict()["blocks.1.conv2.weight"], G["block3.c2.weight"])


@pytest.mark.parametrize("missing", ["block3.c1.weight", "l1.weight", "c5.weight", "block2.b1.weight", "b5.running_mean"])
def test_a_file_that_lacks_a_tensor(missing: str, tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError):
        found_in({key: tensor for key, tensor in G.items() if key != missing}, tmp_path)


@pytest.mark.parametrize("key", ["l1.weight", "c5.weight", "block2.c1.weight"])
def test_a_file_with_empty_tensors(key: str, tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError):
        found_in({**G, key: torch.empty(0, *G[key].shape[1:])}, tmp_path)


def test_what_keys_cannot_tell_can_be_said(tmp_path: Path) -> None:
    config = {"width": 2, "conditioning": "MD", "num_classes": 4}
    network = build_random(StudioSNGANDiscriminator, config, seed=1)
    state = reader(StudioSNGANDiscriminator).export(network.state_dict(), network.config)
    (guess,) = found_in(state, tmp_path)
    assert (guess.config["conditioning"], guess.config["num_classes"]) == ("MH", 3)
    (told,) = found_in(state, tmp_path, config={**config, "activation": "GELU"})
    assert (told.config["conditioning"], told.config["activation"]) == ("MD", "GELU")
    (match,) = found_in(G, tmp_path, config={"unit_range": True})
    assert match.config["unit_range"] is True


def test_pixels_in_the_unit_range() -> None:
    plain, unit = (build_random(SNGANGenerator, {"width": 4, "unit_range": u}, seed=1).eval() for u in (False, True))
    z = plain.latents([1, 2])
    assert torch.allclose(unit(z), torch.tanh(torch.atanh(plain(z)) / 2), atol=1e-5)  # 2 sigmoid(x) - 1 = tanh(x / 2)
    plain_d, unit_d = (build_random(SNGANDiscriminator, {"width": 4, "unit_range": u}, seed=1).eval() for u in (False, True))
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.allclose(unit_d(x), plain_d((x + 1) / 2), atol=1e-6)


def test_an_activation_that_keeps_its_input_leaves_the_shortcut_alone() -> None:
    for activation, activated in (("ReLU", True), ("ELU", True), ("GELU", False)):
        config = {"width": 2, "activation": activation}
        block = build_random(StudioSNGANDiscriminator, config, seed=1).eval().blocks[2]  # its shortcut has no layer
        block.conv2 = torch.nn.Conv2d(4, 4, 3, padding=1)
        for parameter in block.conv2.parameters():
            torch.nn.init.zeros_(parameter)
        x = torch.randn(1, 4, 8, 8)
        assert torch.equal(block(x), block.activation(x) if activated else x)


def test_classes_are_needed_and_checked() -> None:
    for cls in (SNGANGenerator, SAGANGenerator):
        network = build_random(cls, {"width": 8, "num_classes": 3}, seed=1).eval()
        z = network.latents([1, 2])
        assert torch.equal(network(z, 1), network(z, torch.tensor([1, 1])))
        assert not torch.equal(network(z, 1), network(z, 2))
        with pytest.raises(InvalidValueError, match="needs a class"):
            network(z)
        with pytest.raises(InvalidValueError, match="out of range"):
            network(z, 3)


@pytest.mark.parametrize(
    ("cls", "config", "words"),
    [
        (SNGANGenerator, {"image_size": 50}, "50 pixels"),
        (SNGANGenerator, {"image_size": 64, "width": 8}, "at least one channel"),
        (SNGANDiscriminator, {"spectral_norm": "yes"}, "'yes'"),
        (SNGANDiscriminator, {"halvings": 9}, "9 times"),
        (SAGANGenerator, {"width": 7}, "8 channels"),
        (SAGANGenerator, {"attention": 4}, "blocks 1 to 3, not 4"),
        (SAGANDiscriminator, {"attention": 0}, "blocks 1 to 4, not 0"),
        (StudioSNGANGenerator, {"image_size": 48}, "48 pixels"),
        (StudioSNGANGenerator, {"activation": "relu"}, "activation 'relu'"),
        (StudioSNGANGenerator, {"conditioning": "PD"}, "conditioning 'PD'"),
        (StudioSNGANGenerator, {"conditioning": "cBN"}, "num_classes"),
        (StudioSNGANGenerator, {"initialisation": "zero"}, "initialisation 'zero'"),
        (StudioSAGANGenerator, {"attention": []}, "at least one block"),
        (StudioSAGANDiscriminator, {"attention": [5]}, "blocks 1 to 4, not 5"),
        (StudioSNGANDiscriminator, {"conditioning": "MH"}, "num_classes"),
    ],
)
def test_bad_configurations(cls: type[Network], config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build_random(cls, config, seed=1)


@pytest.mark.parametrize(("cls", "key"), [(SNGANGenerator, "block2.b1.embed.weight"), (SNGANDiscriminator, "l_y.weight_orig")])
def test_an_embedding_without_classes_is_refused_in_words(cls: Any, key: str, tmp_path: Path) -> None:
    network = build_random(cls, {"image_size": 16, "width": 8, "num_classes": 3}, seed=1)
    reader = layouts.SNGANGeneratorReader() if cls is SNGANGenerator else layouts.SNGANDiscriminatorReader()
    state = {**reader.export(network.state_dict(), network.config), key: torch.zeros(())}
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "x.safetensors")
    with pytest.raises(UnrecognisedCheckpointError, match="fits no architecture"):
        recognise(read_checkpoint(tmp_path / "x.safetensors"), KNOWN)
