"""Files of StyleGAN3 are recognised by keys and shapes alone, and give their arguments back."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch

from ganzoo.building import build, build_random, network_class, skeleton
from ganzoo.checkpoint import Stated, read_checkpoint, recognise
from ganzoo.errors import UnrecognisedCheckpointError
from ganzoo.models.network import json_value
from ganzoo_stylegan import ganzoo_architectures
from ganzoo_stylegan.stylegan3.declaration import ARCHITECTURES
from ganzoo_stylegan.stylegan3.inference import inferred_rules
from ganzoo_stylegan.stylegan3.layouts import NvidiaGenerator
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator
from tests.plugins.stylegan.stylegan3.small import CONFIGS, generator, inputs

KNOWN = [("stylegan", architecture) for architecture in ganzoo_architectures()]
UNSEEN = {"mapping_lr", "output_scale", "conv_clamp"}  # that some of `CONFIGS` have
VARIED: list[dict[str, Any]] = [
    {"image_size": 1024},
    {"image_size": 512, "num_classes": 7},
    {"image_size": 256, "channel_base": 16384},
    {"image_size": 1024, "channel_base": 65536, "channel_max": 1024, "kernel_size": 1, "radial": True},
    {"image_size": 128, "channel_base": 3000, "channel_max": 77, "layers": 9},
    {"image_size": 64, "channel_base": 1000, "channel_max": 24, "layers": 6, "margin": 5, "critical_layers": 3},
    {"image_size": 64, "channel_base": 1024, "channel_max": 1000, "layers": 10, "first_cutoff": 4, "first_stopband": 8.0},
    {"image_size": 128, "channel_max": 32, "layers": 8, "filter_size": 8, "last_stopband": 2**0.5, "channels": 1},
    {"image_size": 96, "channel_base": 1024, "channel_max": 16, "layers": 5},
    {"image_size": 256, "layers": 16, "radial": True, "critical_layers": 1, "channel_base": 8192, "z_dim": 64, "w_dim": 32},
]


def test_declared_arguments_are_the_constructors() -> None:
    (architecture,) = ARCHITECTURES
    for role in ("generator", "discriminator"):
        parameters = list(inspect.signature(network_class(architecture, role).__init__).parameters.values())[1:]
        declared = {field.name: json_value(field.default, field.name) for field in architecture.config if role in field.roles}
        assert declared == {p.name: json_value(p.default, p.name) for p in parameters}


@pytest.mark.parametrize("config", VARIED, ids=str)
def test_arguments_come_out_of_shapes(config: dict[str, Any]) -> None:
    """Those that matter: the network that is built has the same tensors, factors and paddings."""
    made = skeleton(StyleGAN3Generator, config)
    found = NvidiaGenerator().config(made.shapes)
    assert found is not None
    assert skeleton(StyleGAN3Generator, found).shapes == made.shapes
    assert list(NvidiaGenerator().keys(found)) == list(made.shapes)
    for name in set(config) - {"first_stopband", "last_stopband", "channel_base", "channel_max"}:
        assert found[name] == config[name], name
    base = config.get("channel_base", 32768)
    assert found["channel_base"] == pytest.approx(base, rel=0.03)


@pytest.mark.parametrize("name", CONFIGS)
def test_recognised_built_and_exported(name: str, tmp_path: Path) -> None:
    made = generator(name)
    torch.save({"state_dict": made.state_dict()}, tmp_path / "file.pth")
    unseen = {key: value for key, value in CONFIGS[name].items() if key in UNSEEN or name in ("bands", "oversampling")}
    (match,) = recognise(read_checkpoint(tmp_path / "file.pth"), KNOWN, config=unseen)
    for key in CONFIGS[name].keys() - {"channel_base", "channel_max", "critical_layers"}:  # others may do the same
        assert match.config[key] == CONFIGS[name][key], key
    back = match.reader.export(match.state, match.config)
    assert back.keys() == made.state_dict().keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in made.state_dict().items())
    again = build(StyleGAN3Generator, match.config, match.state, dtype=torch.float64)
    z, c = inputs(made)
    assert torch.equal(again(z, c), made(z, c))


def stated(synthesis: dict[str, Any], mapping: dict[str, Any], resolved: dict[str, Any]) -> Stated:
    parts = {"synthesis": Stated("SynthesisNetwork", synthesis, (), resolved), "mapping": Stated("MappingNetwork", mapping)}
    return Stated("Generator", {}, (), {}, parts)


def test_what_a_pickle_states_is_taken_and_nonsense_is_not() -> None:
    reader, config = NvidiaGenerator(), {"output_scale": 0.25, "conv_clamp": 256}
    told = stated(
        {"conv_clamp": None, "magnitude_ema_beta": 0.99, "filter_size": 8.5, "first_cutoff": "two", "unheard_of": 1},
        {"lr_multiplier": 0.02, "w_avg_beta": True},
        {"output_scale": 1, "num_fp16_res": 3, "margin_size": None},
    )
    assert reader.refine(config, told) == {
        "output_scale": 1,
        "conv_clamp": None,
        "magnitude_beta": 0.99,
        "num_fp16_res": 3,
        "mapping_lr": 0.02,
    }
    assert reader.refine(config, Stated("Generator")) == config


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("synthesis.L2_36_8.weight", None),
        ("synthesis.L0_36_8.up_filter", None),
        ("synthesis.L0_36_8.up_filter", (13,)),
        ("synthesis.L1_36_8.down_filter", (12, 12)),
        ("synthesis.L4_16_3.weight", (0, 8, 1, 1)),
        ("synthesis.input.freqs", (7, 2)),
        ("mapping.w_avg", ()),
        ("mapping.fc0.weight", (6,)),
        ("synthesis.L9_16_3.weight", (3, 8, 1, 1)),
    ],
)
def test_damaged_files_are_refused_in_words(key: str, change: tuple[int, ...] | None, tmp_path: Path) -> None:
    state = {
        name: tensor.clone() for name, tensor in build_random(StyleGAN3Generator, CONFIGS["t"], seed=0).state_dict().items()
    }
    if change is None:
        del state[key]
    else:
        state[key] = torch.zeros(change)
    torch.save(state, tmp_path / "file.pth")
    with pytest.raises(UnrecognisedCheckpointError, match=r"stylegan3|missing|unexpected|wrong shape"):
        recognise(read_checkpoint(tmp_path / "file.pth"), KNOWN, architecture="stylegan3")


def test_half_of_the_keys(tmp_path: Path) -> None:
    state = build_random(StyleGAN3Generator, CONFIGS["t"], seed=0).state_dict()
    torch.save(dict(list(state.items())[::2]), tmp_path / "file.pth")
    with pytest.raises(UnrecognisedCheckpointError, match="missing"):
        recognise(read_checkpoint(tmp_path / "file.pth"), KNOWN, architecture="stylegan3")


def test_an_argument_that_contradicts_the_file(tmp_path: Path) -> None:
    torch.save(generator("t").float().state_dict(), tmp_path / "g.pt")
    with pytest.raises(
        UnrecognisedCheckpointError, match="fits no architecture with channel_base=100; without, it fits stylegan/stylegan3"
    ):
        recognise(read_checkpoint(tmp_path / "g.pt"), KNOWN, config={"channel_base": 100})


@pytest.mark.parametrize(("count", "found"), [(90, 89), (101, None), (999, None)])
def test_shapes_that_nothing_explains(count: int, found: int | None) -> None:
    """The search for numbers that give such layers ends; among so many layers it once took hours."""
    rules = inferred_rules({f"synthesis.L{i}_36_8.weight": (1, 1, 1, 1) for i in range(count)})
    assert (rules.layers if rules else None) == found
