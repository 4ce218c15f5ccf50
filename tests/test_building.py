"""Networks are built without initialisation where that is right, and the usual way where it is not; the result is the same."""

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec import structs
from safetensors.torch import save_file
from torch import Tensor, nn

from ganzoo import building
from ganzoo.building import build, build_random, load_state, network_class, skeleton
from ganzoo.checkpoint import read_checkpoint, read_safetensors
from ganzoo.errors import CheckpointError, ConfigError, MissingExtraError, PluginError
from ganzoo.models import Discriminator, Network
from ganzoo.spec import Architecture
from ganzoo_dcgan.networks import DCGANGenerator
from ganzoo_dcgan.studiogan import StudioDCGANDiscriminator, StudioDCGANGenerator

SMALL = {"image_size": 16, "channels": 1, "latent_size": 5, "width": 4}


def state_of(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def everything(network: nn.Module) -> dict[str, Tensor]:
    """Parameters, buffers (also those that no state dict has) and tensors in plain attributes."""
    found = {**dict(network.named_parameters(remove_duplicate=False)), **dict(network.named_buffers(remove_duplicate=False))}
    for path, module in network.named_modules():
        found |= {f"{path}:{name}": value for name, value in vars(module).items() if isinstance(value, Tensor)}
    return found


class Plain(Discriminator):
    """Every kind of deterministic buffer beside random weights."""

    def __init__(self, size: int = 6) -> None:
        super().__init__()
        self.layer = nn.Linear(size, size)
        self.norm = nn.BatchNorm1d(size)
        nn.init.orthogonal_(self.layer.weight)
        nn.init.trunc_normal_(self.layer.bias)
        kernel = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("kernel", torch.outer(kernel, kernel) / kernel.sum() ** 2, persistent=False)
        self.register_buffer("grid", torch.linspace(-1, 1, size), persistent=False)
        self.register_buffer("mask", torch.ones(size, size).tril(), persistent=False)
        self.register_buffer("filled", torch.empty(size).fill_(2.5), persistent=False)
        self.register_buffer("eye", torch.eye(size), persistent=False)
        self.register_buffer("steps", torch.arange(size))
        self.scale = torch.full((1,), 0.7)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return (self.norm(self.layer(x)) * self.grid * self.scale).sum(1)


class RandomBuffer(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.register_buffer("noise", torch.randn(size), persistent=False)


class RandomAttribute(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.options = {"directions": [torch.rand(size) * 2 - 1]}


class Helper:
    def __init__(self, size: int) -> None:
        self.table = torch.randperm(size)


class RandomInsidePlainObject(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.helper = Helper(size)


class DerivedFromWeights(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.register_buffer("norm_at_birth", self.layer.weight.detach().norm(), persistent=False)


class PartlyFilled(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        table = torch.empty(size)
        table[:3] = torch.rand(3)
        table[3:] = 1
        self.register_buffer("table", table, persistent=False)


class DependsOnAValue(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        shift = 1.0 if self.layer.weight[0, 0] > 0 else -1.0
        self.register_buffer("shift", torch.tensor(shift), persistent=False)


class LeavesThroughNumpy(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.values = self.layer.weight.detach().numpy().copy()


class DeepCopied(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.register_buffer("noise", copy.deepcopy(torch.randn(size)), persistent=False)


class ListOfItems(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.order = torch.randperm(size).tolist()


class ViewOfWeight(Plain):
    """A plain attribute shows a weight's memory: it must show the loaded weight."""

    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.row = self.layer.weight.detach()[0]


class ViewOfKnownBuffer(Plain):
    """The same, of a buffer whose first value is known."""

    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.later_steps = self.steps[1:]


class CopiedModule(Plain):
    """A second copy of layers, as a moving average keeps it, and of a buffer that is not stored."""

    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.average = copy.deepcopy(nn.Sequential(self.layer, self.norm))
        self.register_buffer("grid_again", copy.deepcopy(self.grid), persistent=False)


class SameParameterInAList(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.handles = [self.layer.weight]


class Recurrent(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.lstm = nn.LSTM(size, size)


class Tied(Plain):
    def __init__(self, size: int = 6) -> None:
        super().__init__(size)
        self.output = nn.Linear(size, size)
        self.output.weight = self.layer.weight
        self.shared = nn.ModuleList([self.norm])


ASSEMBLED = [Plain, Recurrent, Tied, CopiedModule]
THE_USUAL_WAY = [
    RandomBuffer,
    RandomAttribute,
    RandomInsidePlainObject,
    DerivedFromWeights,
    PartlyFilled,
    DependsOnAValue,
    LeavesThroughNumpy,
    DeepCopied,
    ListOfItems,
    ViewOfWeight,
    ViewOfKnownBuffer,
    SameParameterInAList,
]


@pytest.fixture
def constructions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How each network of a test was built."""
    seen: list[str] = []
    assembled = building._assembled

    def spy(*args: Any) -> Any:
        network = assembled(*args)
        seen.append("usual" if network is None else "assembled")
        return network

    monkeypatch.setattr(building, "_assembled", spy)
    return seen


@pytest.mark.parametrize("cls", [*ASSEMBLED, *THE_USUAL_WAY])
def test_the_result_is_that_of_the_usual_way(cls: type[Plain], constructions: list[str]) -> None:
    source = build_random(cls, {"size": 8}, seed=3)
    with torch.no_grad():
        source.steps.add_(100)
    source(torch.randn(5, 8))  # gives the batch norm statistics of its own
    torch.manual_seed(11)
    usual = cls(size=8)
    usual.load_state_dict(source.state_dict())
    assert skeleton(cls, {"size": 8}).shapes == {name: tuple(t.shape) for name, t in usual.state_dict().items()}
    assert skeleton(cls, {"size": 8}).config == usual.config
    torch.manual_seed(11)
    built = build(cls, {"size": 8}, state_of(source))
    assert constructions == ["assembled" if cls in ASSEMBLED else "usual"]
    wanted, got = everything(usual), everything(built)
    assert wanted.keys() == got.keys()
    for name, tensor in wanted.items():
        assert torch.equal(got[name], tensor), name
        assert got[name].requires_grad == tensor.requires_grad, name
    assert not built.training
    assert built.config == {"size": 8}
    x = torch.randn(4, 8)
    assert torch.equal(built(x), usual.eval()(x))


def test_plain_attributes_of_the_usual_way_show_the_loaded_weights() -> None:
    source = build_random(ViewOfWeight, {}, seed=3)
    built = build(ViewOfWeight, {}, state_of(source))
    assert torch.equal(built.row, source.layer.weight[0])
    handles = build(SameParameterInAList, {}, state_of(build_random(SameParameterInAList, {}, seed=3)))
    assert handles.handles[0] is handles.layer.weight


def test_random_buffers_takes_the_usual_way_at_once(constructions: list[str]) -> None:
    source = build_random(Plain, {}, seed=3)
    built = build(Plain, {}, state_of(source), random_buffers=True)
    assert constructions == []
    assert torch.equal(built.layer.weight, source.layer.weight)


@pytest.mark.parametrize("cls", [StudioDCGANGenerator, StudioDCGANDiscriminator])
def test_spectral_norm_and_attention_need_no_initialisation(cls: type[Network], constructions: list[str]) -> None:
    config = {"width": 8, "spectral_norm": True, "attention": [1], "num_classes": 3}
    config["conditioning"] = "cBN" if cls is StudioDCGANGenerator else "PD"
    source = build_random(cls, config, seed=1)
    built = build(cls, config, state_of(source))
    assert constructions == ["assembled"]
    assert all(torch.equal(a, b) for a, b in zip(everything(built).values(), everything(source).values(), strict=True))


# --- no copy, and no harm to the file ---------------------------------------------------------------------------------


def stored(network: nn.Module, path: Path) -> dict[str, Tensor]:
    save_file(network.state_dict(), path)
    return read_safetensors(path)[0]


def test_the_tensors_of_the_file_are_held_and_not_copied(tmp_path: Path) -> None:
    state = stored(build_random(DCGANGenerator, SMALL, seed=1), tmp_path / "g.safetensors")
    built = build(DCGANGenerator, SMALL, state)
    for name, tensor in built.state_dict().items():
        assert tensor.data_ptr() == state[name].data_ptr(), name


@pytest.mark.parametrize("container", ["safetensors", "torch"])
def test_training_after_loading_never_writes_to_the_file(container: str, tmp_path: Path) -> None:
    source = build_random(DCGANGenerator, SMALL, seed=1)
    path = tmp_path / "weights"
    save_file(source.state_dict(), path) if container == "safetensors" else torch.save(source.state_dict(), path)
    before = path.read_bytes()
    network = build(DCGANGenerator, SMALL, read_checkpoint(path).states[0].tensors).train()
    assert all(p.requires_grad and p.is_leaf for p in network.parameters())
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        network(torch.randn(3, 5)).square().mean().backward()
        optimiser.step()
    assert not torch.equal(network.main[0].weight, source.main[0].weight)
    assert network.main[1].num_batches_tracked == 2
    assert path.read_bytes() == before
    assert torch.equal(read_checkpoint(path).states[0].tensors["main.0.weight"], source.main[0].weight)


def test_the_global_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    source = build_random(DCGANGenerator, SMALL, seed=1)
    build(DCGANGenerator, SMALL, state_of(source))
    skeleton(DCGANGenerator, SMALL)
    assert torch.equal(torch.get_rng_state(), before)
    again, other = build_random(DCGANGenerator, SMALL, seed=1), build_random(DCGANGenerator, SMALL, seed=2)
    assert torch.equal(again.main[0].weight, source.main[0].weight)
    assert not torch.equal(other.main[0].weight, source.main[0].weight)
    assert source.training


# --- dtypes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [Plain, RandomBuffer])
@pytest.mark.parametrize("of_file", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("wanted", [None, torch.float16, torch.float64])
def test_dtypes(cls: type[Plain], of_file: torch.dtype, wanted: torch.dtype | None) -> None:
    source = build_random(cls, {}, seed=3).to(of_file)
    built = build(cls, {}, state_of(source), dtype=wanted)
    floating = wanted or torch.float32
    for name, tensor in everything(built).items():
        if name != ":scale":  # a plain attribute is not converted by any torch module either
            assert tensor.dtype == (floating if tensor.is_floating_point() else torch.int64), name
    assert torch.equal(built.layer.weight, source.layer.weight.to(floating))


def test_a_small_integer_becomes_the_networks_own_integer() -> None:
    state = state_of(build_random(Plain, {}, seed=3))
    state["steps"] = state["steps"].to(torch.uint8)
    assert build(Plain, {}, state).steps.dtype == torch.int64


def test_fractions_do_not_become_integers() -> None:
    state = state_of(build_random(Plain, {}, seed=3))
    state["steps"] = state["steps"] + 0.5
    with pytest.raises(CheckpointError, match="wrong dtype: steps"):
        build(Plain, {}, state)


# --- tied weights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("absent", [None, "layer.weight", "output.weight"])
def test_tied_weights_stay_one(absent: str | None) -> None:
    source = build_random(Tied, {}, seed=3)
    state = state_of(source)
    if absent:
        del state[absent]
    built = build(Tied, {}, state)
    assert built.layer.weight is built.output.weight
    assert built.shared[0].running_mean is built.norm.running_mean
    assert torch.equal(built.layer.weight, source.layer.weight)


def test_tied_weights_that_differ_are_refused() -> None:
    state = state_of(build_random(Tied, {}, seed=3))
    state["output.weight"] = state["output.weight"] + 1
    with pytest.raises(CheckpointError, match="one tensor in this network"):
        build(Tied, {}, state)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [{}, {"random_buffers": True}])
def test_entries_that_do_not_fit_are_all_listed(network: dict[str, Any]) -> None:
    state = state_of(build_random(DCGANGenerator, SMALL, seed=1))
    state["main.4.weight"] = torch.ones(3)
    state["extra"] = torch.ones(1)
    del state["main.0.weight"]
    with pytest.raises(CheckpointError) as caught:
        build(DCGANGenerator, SMALL, state, **network)
    for line in ("missing: main.0.weight", "unexpected: extra", "wrong shape: main.4.weight [3] instead of [4]"):
        assert line in str(caught.value)


def test_a_refused_state_changes_nothing() -> None:
    network = build_random(Plain, {}, seed=3)
    before, state = state_of(network), state_of(build_random(Plain, {}, seed=4))
    del state["layer.bias"]
    with pytest.raises(CheckpointError):
        load_state(network, state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def build_any(config: dict[str, Any]) -> None:
    build_random(DCGANGenerator, config, seed=1)


def build_none(config: dict[str, Any]) -> None:
    build(DCGANGenerator, config, {})


@pytest.mark.parametrize("make", [build_any, build_none])
@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"image_sise": 64}, "image_sise"),
        ({"image_size": 65}, "65"),
        ({"image_size": "big"}, "big"),
        ({"latent_size": -3}, "latent_size=-3"),
        ({"width": 4.5}, "width=4.5"),
        ({"widths": [4]}, "widths"),
    ],
)
def test_bad_arguments(make: Callable[[Any], Any], config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make(config)


def naming(target: str) -> Architecture:
    return Architecture(id="one", summary="…", modality="image", task="…", networks={"generator": target})


def test_classes_by_name() -> None:
    assert network_class(naming("ganzoo_dcgan.networks:DCGANGenerator"), "generator") is DCGANGenerator
    for target in ("no_such_module:X", "ganzoo_dcgan.networks:X", "ganzoo_dcgan.networks:INIT_STD", "torch.nn:Linear"):
        with pytest.raises(PluginError, match=target.replace(".", r"\.")):
            network_class(naming(target), "generator")
    with pytest.raises(PluginError, match="'one' has no encoder; it has: generator"):
        network_class(naming("ganzoo_dcgan.networks:DCGANGenerator"), "encoder")


def test_a_network_whose_extra_is_missing_gives_the_exact_pip_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zoo_hungry.py").write_text("import package_that_an_extra_brings.inner")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtraError) as caught:
        network_class(structs.replace(naming("zoo_hungry:X"), extra="faces"), "generator")
    assert "'one' needs the package 'package_that_an_extra_brings'" in str(caught.value)
    assert str(caught.value).endswith('pip install "ganzoo-hub[faces]"')


def test_python_randomness_is_not_skipped() -> None:
    """Numbers that torch does not draw are drawn as always."""

    class Drawn(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("number", torch.tensor(random.random()), persistent=False)

    random.seed(4)
    source = Drawn()
    random.seed(4)
    assert torch.equal(build(Drawn, {}, state_of(source)).number, source.number)
