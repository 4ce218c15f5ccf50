"""What the plugin declares is what its networks take; foreign files of other shapes are refused."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch

from ganzoo.building import build_random, network_class
from ganzoo.checkpoint import read_checkpoint, recognise
from ganzoo.errors import UnrecognisedCheckpointError
from ganzoo.models.network import json_value
from ganzoo.text.discriminators import CNNDiscriminator
from ganzoo_seqgan import ganzoo_architectures
from ganzoo_seqgan.layouts import TextGANDiscriminator, TextGANGenerator
from ganzoo_seqgan.networks import SeqGANGenerator

ARCHITECTURES = {architecture.id: architecture for architecture in ganzoo_architectures()}
KNOWN = [("seqgan", architecture) for architecture in ARCHITECTURES.values()]
PAIRS = [(architecture, role) for architecture in ARCHITECTURES.values() for role in architecture.networks]
GENERATOR = {"vocab_size": 11, "embedding_size": 3, "hidden_size": 4, "start_token": 1, "pad_token": 0}
DISCRIMINATOR = {"vocab_size": 11, "max_length": 20, "embedding_size": 3, "filter_sizes": [1, 3], "filter_counts": [4, 2]}
DISCRIMINATOR |= {"highway": "shared", "pad_token": 0}


@pytest.mark.parametrize(("architecture", "role"), PAIRS, ids=lambda x: getattr(x, "id", x))
def test_declared_arguments_are_the_constructors(architecture: Any, role: Any) -> None:
    parameters = list(inspect.signature(network_class(architecture, role).__init__).parameters.values())[1:]
    declared = {field.name: json_value(field.default, field.name) for field in architecture.config if role in field.roles}
    assert set(declared) == {p.name for p in parameters}
    defaults = {p.name: json_value(p.default, p.name) for p in parameters if p.default is not p.empty}
    assert {name: declared[name] for name in defaults} == defaults
    assert set(declared) - set(defaults) <= {"vocab_size", "max_length"}


def test_the_paper_is_the_default() -> None:
    G = build_random(SeqGANGenerator, {}, seed=0)
    config = {"vocab_size": 5000, "max_length": 20, "embedding_size": 32, "hidden_size": 32, "init_std": 0.1, "start_token": 0}
    assert {name: G.config[name] for name in config} == config
    # 5000 x 32 twice, the biases of the last layer, and 4 x 32 units with 32 + 32 inputs and two biases.
    assert G.parameter_count() == 2 * 160_000 + 5000 + 128 * (64 + 2)
    defaults = {field.name: field.default for field in ARCHITECTURES["seqgan"].config if "discriminator" in field.roles}
    assert sum(defaults["filter_counts"]) == 1720


def exported(cls: Any, config: dict[str, Any]) -> dict[str, torch.Tensor]:
    network = build_random(cls, config, seed=1)
    reader = TextGANGenerator() if cls is SeqGANGenerator else TextGANDiscriminator()
    return reader.export(network.state_dict(), network.config)


def found_in(state: dict[str, torch.Tensor], tmp_path: Path, **options: Any) -> Any:
    torch.save(state, tmp_path / "state.pt")
    return recognise(read_checkpoint(tmp_path / "state.pt"), KNOWN, **options)


CASES = [
    (SeqGANGenerator, GENERATOR),
    (CNNDiscriminator, DISCRIMINATOR),
    (
        CNNDiscriminator,
        DISCRIMINATOR | {"filter_sizes": [24], "filter_counts": [5], "max_length": 24, "hidden_size": 7, "outputs": 3},
    ),
    (CNNDiscriminator, DISCRIMINATOR | {"hidden_size": 6, "outputs": 1}),
]


@pytest.mark.parametrize(("cls", "config"), CASES)
def test_layouts_round_trip(cls: Any, config: dict[str, Any], tmp_path: Path) -> None:
    state = exported(cls, config)
    (match,) = found_in(state, tmp_path)
    assert {name: match.config[name] for name in config} == config
    back = match.reader.export(match.state, match.config)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in state.items())


def test_what_no_tensor_tells_can_be_said(tmp_path: Path) -> None:
    (match,) = found_in(exported(SeqGANGenerator, GENERATOR), tmp_path, config={"max_length": 37, "end_token": 0})
    assert (match.config["max_length"], match.config["end_token"]) == (37, 0)


@pytest.mark.parametrize(
    ("case", "change"),
    [
        (0, {"lstm2out.bias": torch.zeros(12)}),
        (0, {"lstm.bias_hh_l0": None}),
        (0, {"embeddings.weight": torch.zeros(11)}),
        (0, {"lstm2out.weight": torch.zeros(())}),
        (0, {"goal_init": torch.zeros(3, 3)}),
        (1, {"convs.0.weight": None}),
        (1, {"convs.1.weight": torch.zeros(2, 3, 3)}),
        (1, {"convs.1.weight": torch.zeros(2, 2, 3, 3)}),
        (1, {"highway.weight": torch.zeros(6, 5)}),
        (1, {"out2logits.weight": torch.zeros(2, 100)}),
        (1, {"feature2out.weight": None}),
        (3, {"feature2out.weight": torch.zeros(())}),
    ],
)
def test_files_of_other_shapes_are_refused(case: int, change: dict[str, Any], tmp_path: Path) -> None:
    state = {**exported(*CASES[case]), **change}
    with pytest.raises(UnrecognisedCheckpointError):
        found_in({key: tensor for key, tensor in state.items() if tensor is not None}, tmp_path)
