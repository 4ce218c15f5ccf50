"""Both DCGANs keep the contracts of every architecture: config, layouts, shapes, sampling."""

import inspect
import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from ganzoo.building import build, build_random, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models import Discriminator, Generator, Network
from ganzoo.models.network import json_value
from ganzoo_dcgan import ganzoo_architectures, layouts
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator
from ganzoo_dcgan.studiogan import StudioDCGANDiscriminator, StudioDCGANGenerator

ARCHITECTURES = ganzoo_architectures()
KNOWN = [("dcgan", architecture) for architecture in ARCHITECTURES]
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
    for size in (8, 16, 28, 32, 64, 128, 256):
        found.append((DCGANGenerator, {"image_size": size, "channels": 1, "latent_size": 7, "width": 2}))
        found.append((DCGANDiscriminator, {"image_size": size, "channels": 4, "width": 2}))
    found += [
        (DCGANGenerator, {"image_size": 28, "channels": 3, "latent_size": 1, "widths": [9, 5, 7, 3]}),
        (DCGANGenerator, {"image_size": 32, "channels": 3, "latent_size": 3, "widths": [8, 8, 8]}),
        (DCGANDiscriminator, {"image_size": 28, "channels": 1, "widths": [5, 7, 3]}),
        (DCGANDiscriminator, {"image_size": 32, "channels": 1, "widths": [5, 7, 3]}),
    ]
    for spectral, attention in itertools.product((False, True), ([], [2], [1, 2, 3])):
        common = {"width": 8, "channels": 1, "spectral_norm": spectral, "attention": attention}
        found.append((StudioDCGANGenerator, {**common, "latent_size": 6}))
        found.append((StudioDCGANGenerator, {**common, "latent_size": 6, "conditioning": "cBN", "num_classes": 4}))
        found.append((StudioDCGANDiscriminator, common))
    for conditioning in ("AC", "PD", "MH", "2C"):
        extra = {"embedding_size": 11} if conditioning == "2C" else {}
        for spectral in (False, True):
            config = {"width": 2, "spectral_norm": spectral, "conditioning": conditioning, "num_classes": 4, **extra}
            found.append((StudioDCGANDiscriminator, config))
            if conditioning in ("AC", "2C"):
                found.append((StudioDCGANDiscriminator, {**config, "auxiliary": "TAC"}))
    return found


NETWORKS = small_networks()
IDS = [f"{cls.__name__}-{'-'.join(str(v) for v in config.values())}" for cls, config in NETWORKS]


def found_in(content: Any, tmp_path: Path, **options: Any) -> tuple[Match, ...]:
    torch.save(content, tmp_path / "file.pth")
    return recognise(read_checkpoint(tmp_path / "file.pth"), KNOWN, **options)


@pytest.mark.parametrize(("cls", "config"), NETWORKS, ids=IDS)
def test_config_layout_and_export_round_trip(cls: type[Network], config: dict[str, Any], tmp_path: Path) -> None:
    network = build_random(cls, config, seed=1).eval()
    assert cls(**network.config).config == network.config
    foreign = in_their_names(network)
    (match,) = found_in(foreign, tmp_path)
    assert {key: match.config[key] for key in config} == config
    assert network_class(match.architecture, match.role) is cls
    back = match.reader.export(match.state, match.config)
    assert back.keys() == foreign.keys()
    assert all(torch.equal(back[key], foreign[key]) and back[key].dtype == foreign[key].dtype for key in foreign)
    rebuilt = build(cls, match.config, match.state)
    torch.manual_seed(0)
    x = torch.randn(2, *getattr(network, "latent_shape", (config.get("channels", 3), *[config.get("image_size", 32)] * 2)))
    c = torch.tensor([3, 0]) if config.get("num_classes") else None
    call = {} if c is None else {"c": c}
    assert torch.equal(rebuilt(x, **call), network(x, **call))


def in_their_names(network: Network) -> dict[str, torch.Tensor]:
    """The network's state under the names of the layout that belongs to its class."""
    for architecture, role in PAIRS:
        if network_class(architecture, role) is type(network):
            (layout,) = [each for each in architecture.layouts if each.role == role]
            reader = getattr(layouts, layout.reader.partition(":")[2])()
            return reader.export(network.state_dict(), network.config)
    raise AssertionError(f"no layout for {type(network).__name__}")


G = build_random(DCGANGenerator, {"image_size": 16, "width": 4, "latent_size": 5}, seed=1).state_dict()
D = build_random(DCGANDiscriminator, {"image_size": 16, "width": 4}, seed=2).state_dict()


def prefixed(prefix: str, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {prefix + key: tensor for key, tensor in state.items()}


WRAPPED = {
    "bare": (G, 1),
    "netG and netD": ({"netG": G, "netD": D}, 2),
    "state_dict": ({"state_dict": G}, 1),
    "generator and discriminator": ({"generator": G, "discriminator": D}, 2),
    "with an optimiser": (
        {"model": D, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": []}, "epoch": 3},
        1,
    ),
    "module.": (prefixed("module.", G), 1),
    "wrapped and module.": ({"netG": prefixed("module.", G), "netD": prefixed("module.", D)}, 2),
    "one flat dict": (prefixed("generator.", G) | prefixed("discriminator.", D), 2),
    "lightning": ({"state_dict": prefixed("netG.module.", G) | prefixed("netD.module.", D), "global_step": 5}, 2),
    "compiled": (prefixed("_orig_mod.", G), 1),
    "half precision": ({key: t.half() if t.is_floating_point() else t for key, t in G.items()}, 1),
    "no batch counters": ({key: t for key, t in G.items() if "num_batches" not in key}, 1),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_the_tutorials_layout_however_wrapped(name: str, tmp_path: Path) -> None:
    content, count = WRAPPED[name]
    matches = found_in(content, tmp_path)
    assert len(matches) == count
    for match in matches:
        cls = network_class(match.architecture, match.role)
        built = build(cls, match.config, match.state).state_dict()
        for key, tensor in (G if match.role == "generator" else D).items():
            assert built[key].dtype == tensor.dtype
            assert torch.allclose(built[key].float(), tensor.float(), atol=1e-3), key


GENERATORS = [(cls, config) for cls, config in NETWORKS if issubclass(cls, Generator)]
DISCRIMINATORS = [(cls, config) for cls, config in NETWORKS if issubclass(cls, Discriminator)]


@pytest.mark.parametrize(("cls", "config"), GENERATORS)
def test_generators_make_images_whatever_the_batch_size(cls: Any, config: dict[str, Any]) -> None:
    network = build_random(cls, config, seed=1)
    options = {"c": 2} if config.get("num_classes") else {}
    together, apart = (network.sample(5, seed=3, batch_size=size, **options) for size in (5, 2))
    assert together.tensor.shape == (5, *network.output_shape)
    assert network.output_shape[1:] == (config.get("image_size", 32),) * 2
    assert together.tensor.abs().max() <= 1
    assert torch.allclose(together.tensor, apart.tensor, atol=1e-5)


@pytest.mark.parametrize(("cls", "config"), DISCRIMINATORS)
def test_discriminators_give_a_logit_a_sample(cls: Any, config: dict[str, Any]) -> None:
    network = build_random(cls, config, seed=1)
    size = config.get("image_size", 32)
    c = torch.tensor([0, 3, 1]) if config.get("num_classes") else None
    scores = network(torch.randn(3, config.get("channels", 3), size, size), c)
    assert scores.shape == (3,)
    scores.sum().backward()
    unused = {name for name, p in network.named_parameters() if p.grad is None}
    assert all(name.startswith(("head.second", "head.information", "head.proxies")) for name in unused)


def test_classes_are_checked() -> None:
    network = build_random(StudioDCGANGenerator, {"width": 2, "conditioning": "cBN", "num_classes": 3}, seed=1).eval()
    z = network.latents([1, 2])
    assert torch.equal(network(z, 1), network(z, torch.tensor([1, 1])))
    assert not torch.equal(network(z, 1), network(z, 2))
    for c, words in (
        (None, "needs a class"),
        (3, "0 to 2"),
        (-1, "0 to 2"),
        (torch.tensor([0, 1, 2]), "3 classes for 2 samples"),
    ):
        with pytest.raises(InvalidValueError, match=words):
            network(z, c)


@pytest.mark.parametrize(
    ("cls", "config", "words"),
    [
        (StudioDCGANGenerator, {"activation": "relu"}, "activation 'relu'"),
        (StudioDCGANGenerator, {"conditioning": "PD"}, "conditioning 'PD'"),
        (StudioDCGANGenerator, {"conditioning": "cBN"}, "num_classes"),
        (StudioDCGANGenerator, {"attention": [4]}, "stages"),
        (StudioDCGANGenerator, {"initialisation": "zero"}, "initialisation 'zero'"),
        (StudioDCGANDiscriminator, {"auxiliary": "TAC"}, "TAC"),
        (StudioDCGANDiscriminator, {"auxiliary": "XYZ"}, "auxiliary 'XYZ'"),
        (StudioDCGANDiscriminator, {"conditioning": "MH"}, "num_classes"),
    ],
)
def test_bad_configurations(cls: type[Network], config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build_random(cls, config, seed=1)


def test_what_keys_cannot_tell_can_be_said(tmp_path: Path) -> None:
    config = {"width": 2, "conditioning": "MD", "num_classes": 4}
    state = in_their_names(build_random(StudioDCGANDiscriminator, config, seed=1))
    (guess,) = found_in(state, tmp_path)
    assert (guess.config["conditioning"], guess.config["num_classes"]) == ("MH", 3)
    (told,) = found_in(state, tmp_path, config={**config, "activation": "GELU"})
    assert (told.config["conditioning"], told.config["activation"]) == ("MD", "GELU")
    doubled = {"width": 2, "conditioning": "AC", "num_classes": 4, "auxiliary": "ADC"}
    state = in_their_names(build_random(StudioDCGANDiscriminator, doubled, seed=1))
    assert state["linear2.weight"].shape[0] == 8
    (told,) = found_in(state, tmp_path, config={"auxiliary": "ADC", "num_classes": 4})
    assert told.config["num_classes"] == 4


def test_the_outputs_of_each_conditioning() -> None:
    x, c = torch.randn(2, 3, 32, 32), torch.tensor([1, 0])
    outputs: dict[str, set[str]] = {
        "none": set(),
        "AC": {"class_logits", "information_logits"},
        "PD": set(),
        "MH": set(),
        "MD": set(),
        "2C": {"embedding", "proxy", "information_embedding", "information_proxy"},
        "D2DCE": {"embedding", "proxy", "information_embedding", "information_proxy"},
    }
    for conditioning, wanted in outputs.items():
        auxiliary = "TAC" if wanted else "none"
        config = {
            "width": 2,
            "conditioning": conditioning,
            "num_classes": 3,
            "auxiliary": auxiliary,
            "normalize_embedding": True,
        }
        network = build_random(StudioDCGANDiscriminator, config, seed=1).eval()
        told = network.outputs(x, c)
        given = {name for name, value in vars(told).items() if value is not None}
        assert given == {"features", "adversarial"} | wanted
        assert told.adversarial.shape == ((2, 4) if conditioning == "MH" else (2,))
        for name in wanted & {"embedding", "proxy", "information_proxy"}:
            assert torch.allclose(getattr(told, name).norm(dim=1), torch.ones(2), atol=1e-5)
        assert torch.allclose(told.features.norm(dim=1), torch.ones(2)) == (conditioning == "AC")


def test_the_judgement_that_training_sees() -> None:
    x, c = torch.randn(2, 3, 32, 32), torch.tensor([1, 0])
    for conditioning in ("none", "AC", "PD", "MH", "MD"):
        config = {"width": 2, "conditioning": conditioning, "num_classes": 3}
        network = build_random(StudioDCGANDiscriminator, config, seed=1).eval()
        assert network.num_classes == (0 if conditioning == "none" else 3)
        judgement, told = network.judge(x, c), network.outputs(x, c)
        wanted = told.adversarial
        if conditioning == "MH":
            wanted = told.adversarial[[0, 1], c] - told.adversarial[:, 3]
        assert torch.equal(judgement.scores, wanted)
        assert torch.equal(network(x, c), wanted)
        assert (judgement.class_logits is not None) == (conditioning == "AC")
        if judgement.class_logits is not None:
            assert torch.equal(judgement.class_logits, network.head.second(told.features))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"conditioning": "2C"}, "2C"),
        ({"conditioning": "D2DCE", "auxiliary": "TAC"}, "D2DCE"),
        ({"conditioning": "AC", "auxiliary": "TAC"}, "TAC"),
        ({"conditioning": "PD", "auxiliary": "ADC"}, "ADC"),
    ],
)
def test_what_needs_a_loss_of_its_own_judges_but_cannot_be_trained(config: dict[str, Any], name: str) -> None:
    network = build_random(StudioDCGANDiscriminator, {"width": 2, "num_classes": 3, **config}, seed=1).eval()
    x, c = torch.randn(2, 3, 32, 32), torch.tensor([1, 0])
    assert torch.equal(network(x, c), network.outputs(x, c).adversarial)
    with pytest.raises(ConfigError, match=f"'{name}' needs a loss of its own to be trained"):
        network.judge(x, c)


def test_split_classes_tell_real_from_generated() -> None:
    config = {"width": 2, "conditioning": "PD", "num_classes": 3, "auxiliary": "ADC"}
    network = build_random(StudioDCGANDiscriminator, config, seed=1).eval()
    x, c = torch.randn(2, 3, 32, 32), torch.tensor([1, 2])
    scores = network.head.score(network.features(x)).squeeze(1)
    for generated in (False, True):
        proxies = network.head.proxies(2 * c + int(generated))
        wanted = scores + (proxies * network.features(x)).sum(1)
        assert torch.allclose(network.outputs(x, c, generated=generated).adversarial, wanted)
    with pytest.raises(InvalidValueError, match="0 to 2"):
        network(x, torch.tensor([0, 3]))
