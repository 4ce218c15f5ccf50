"""The networks keep the contracts of every architecture: config, classes, truncation, sampling, statistics, training."""

import copy
import inspect
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

import ganzoo
from ganzoo.building import build_random, network_class
from ganzoo.data import TensorDataset
from ganzoo.errors import ConfigError, InvalidValueError, UnknownNameError, UnrecognisedCheckpointError
from ganzoo.models import Network
from ganzoo.models.network import json_value
from ganzoo.training.engine import Engine
from ganzoo_biggan import ganzoo_architectures, layouts
from ganzoo_biggan.deep import BigGANDeepDiscriminator, BigGANDeepGenerator
from ganzoo_biggan.ending import Ending
from ganzoo_biggan.networks import BigGANDiscriminator, BigGANGenerator
from ganzoo_biggan.norms import Normalisation, Statistics, TabulatedStatistics, table_place
from ganzoo_biggan.recipe import BIGGAN_RECIPE, PAPER_RECIPE
from ganzoo_biggan.standing import accumulate_statistics
from ganzoo_biggan.tabulated import BigGANDeepTabulatedGenerator
from ganzoo_biggan.tabulated_layouts import TabulatedGeneratorReader
from tests.plugins.biggan.test_references import randomised

ARCHITECTURES = ganzoo_architectures()
PAIRS = [(architecture, role) for architecture in ARCHITECTURES for role in architecture.networks]
NAMES = ["ant", "bee", "cat"]
SMALL: dict[str, Any] = {"image_size": 32, "width": 2, "latent_size": 8, "embedding_size": 4, "num_classes": 3}
BLOCKS = [[False, 16, 16], [True, 16, 4], [True, 4, 2]]
TABLE: dict[str, Any] = {"layers": BLOCKS, "width": 4, "latent_size": 8, "embedding_size": 4, "num_classes": 3, "attention": 2}
GENERATORS: list[tuple[Any, dict[str, Any]]] = [
    (BigGANGenerator, SMALL),
    (BigGANGenerator, {**SMALL, "shared": False, "hierarchical": False}),
    (BigGANDeepGenerator, SMALL),
    (BigGANDeepTabulatedGenerator, TABLE),
]
IDS = ["shared", "unshared", "deep", "tabulated"]


def generator(cls: Any, config: dict[str, Any]) -> Any:
    network = randomised(build_random(cls, config, seed=1))
    network.name_classes(NAMES)
    return network


@pytest.mark.parametrize(("architecture", "role"), PAIRS, ids=lambda item: getattr(item, "id", item))
def test_declared_arguments_are_the_constructors(architecture: Any, role: Any) -> None:
    parameters = list(inspect.signature(network_class(architecture, role).__init__).parameters.values())[1:]
    declared = {field.name: json_value(field.default, field.name) for field in architecture.config if role in field.roles}
    assert declared == {p.name: json_value(p.default, p.name) for p in parameters}
    assert list(declared) == [p.name for p in parameters]


@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=IDS)
def test_samples_are_the_same_whatever_the_batch_size(cls: Any, config: dict[str, Any]) -> None:
    network = generator(cls, config)
    classes = ["cat", "ant", "ant", "bee", "cat"]
    together, apart = (network.sample(5, seed=3, batch_size=size, c=classes, truncation=0.6) for size in (5, 2))
    assert together.tensor.shape == (5, *network.output_shape)
    assert 0 < float(together.tensor.abs().max()) <= 1
    assert torch.allclose(together.tensor, apart.tensor, atol=1e-6)
    assert network.num_classes == 3
    assert cls(**network.config).config == network.config


@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=IDS)
def test_normalisations_inside_convolutions_change_nothing(cls: Any, config: dict[str, Any]) -> None:
    network = generator(cls, config).double()
    z, c = torch.randn(3, *network.latent_shape, dtype=torch.float64), torch.tensor([2, 0, 1])
    recorded = network(z, c)  # nothing is put into weights, or over what was there
    assert recorded.requires_grad
    with torch.no_grad():
        assert torch.allclose(network(z, c), recorded, atol=1e-12)
        singly = torch.cat([network(z[i : i + 1], c[i : i + 1]) for i in range(3)])
    assert torch.allclose(singly, recorded, atol=1e-12)


@pytest.mark.parametrize("part", [1, 700, 10**6])  # rows of the last feature map: single ones, some, all
@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=IDS)
def test_the_end_of_large_images_is_made_in_parts(
    cls: Any, config: dict[str, Any], part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = generator(cls, config).double()
    z, c = torch.randn(3, *network.latent_shape, dtype=torch.float64), torch.tensor([2, 0, 1])
    with torch.no_grad():
        want = network(z, c)
        made: list[int] = []
        monkeypatch.setattr("ganzoo_biggan.ending.LARGE", 1)
        monkeypatch.setattr("ganzoo_biggan.ending.PART", part)
        rows = Ending._rows
        monkeypatch.setattr(Ending, "_rows", lambda *given: made.append(given[-1] - given[-2]) or rows(*given))
        assert torch.allclose(network(z, c), want, atol=1e-12)
        assert sum(made) == 3 * want.shape[2] and (len(made) == 3) == (part == 10**6)
        made.clear()
        network.blocks[-1].register_forward_hook(lambda *hooked: None)
        assert torch.allclose(network(z, c), want, atol=1e-12) and not made  # who looks at a block sees all of it
    assert torch.allclose(network(z, c), want, atol=1e-12) and not made


def test_statistics_are_those_of_whole_batches_however_large_images_are(monkeypatch: pytest.MonkeyPatch) -> None:
    whole: Any = randomised(build_random(BigGANGenerator, SMALL, seed=1))
    parted = copy.deepcopy(whole)
    accumulate_statistics(whole, batches=3, batch_size=4, seed=5)
    monkeypatch.setattr("ganzoo_biggan.ending.LARGE", 1)
    monkeypatch.setattr("ganzoo_biggan.ending.PART", 700)
    accumulate_statistics(parted, batches=3, batch_size=4, seed=5)
    for name, buffer in whole.named_buffers():
        assert torch.allclose(buffer, parted.get_buffer(name)), name


@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=IDS)
def test_whoever_looks_at_a_normalisation_sees_what_it_returns(cls: Any, config: dict[str, Any]) -> None:
    """Also where its gain would be multiplied into the convolution before it."""
    network, seen = generator(cls, config).double(), list[Tensor]()
    norms = [module for module in network.modules() if isinstance(module, Normalisation)]
    z = network.latents([1]).double()
    with torch.no_grad():
        want = network(z, 1)
        for norm in norms:
            norm.register_forward_hook(lambda *hooked: seen.append(hooked[2]))
        assert torch.allclose(network(z, 1), want, atol=1e-12)
    assert len(seen) == len(norms) and all(bool((y >= 0).all()) for y in seen)


def test_attention_after_the_last_block_sees_whole_feature_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    network = generator(BigGANDeepGenerator, {**SMALL, "width": 8, "attention": [32]}).double()
    z, c = torch.randn(2, 8, dtype=torch.float64), torch.tensor([2, 0])
    with torch.no_grad():
        want = network(z, c)
        monkeypatch.setattr("ganzoo_biggan.ending.LARGE", 1)
        monkeypatch.setattr("ganzoo_biggan.ending.PART", 1)
        assert torch.equal(network(z, c), want)


@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=IDS)
def test_a_class_by_number_by_name_and_as_a_mixture(cls: Any, config: dict[str, Any]) -> None:
    network = generator(cls, config)
    same = [2, "cat", torch.tensor([2, 2]), [2, 2], ["cat", 2], torch.tensor([[0.0, 0.0, 1.0]]).double()]
    first, *others = (network.sample(2, seed=1, c=c).tensor for c in same)
    assert all(torch.allclose(first, other, atol=1e-6) for other in others)
    assert not torch.allclose(first, network.sample(2, seed=1, c="bee").tensor, atol=1e-3)
    z = network.latents([5, 6]).double()
    shares = torch.tensor([[0.3, 0.7, 0.0], [0.0, 0.5, 0.5]]).double()
    mixed = network(z, shares)
    if getattr(network, "embedding", None) is not None:
        rows = torch.stack([network.embed(k, z[:1])[0] for k in range(3)])
        assert torch.allclose(network.from_embedding(z, shares @ rows), mixed, atol=1e-9)
    assert not torch.allclose(mixed, network(z, 1), atol=1e-3)


@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=IDS)
def test_classes_that_there_are_not(cls: Any, config: dict[str, Any]) -> None:
    network = generator(cls, config)
    with pytest.raises(UnknownNameError, match="'bea'") as caught:
        network.sample(1, seed=0, c="bea")
    assert caught.value.close == ("bee",)
    z = network.latents([1]).double()
    with pytest.raises(InvalidValueError, match="needs a class"):
        network(z)
    with pytest.raises(InvalidValueError, match="out of range"):
        network(z, 3)
    with pytest.raises(InvalidValueError, match=r"not \[1, 2\]"):
        network(z, torch.ones(1, 2).double())
    nameless = build_random(cls, config, seed=1)
    with pytest.raises(UnknownNameError, match="cat") as caught:
        nameless.sample(1, seed=0, c="cat")
    assert "number" in str(caught.value.hint)


@pytest.mark.parametrize("hierarchical", [True, False])
def test_without_classes(hierarchical: bool) -> None:
    config = {**SMALL, "num_classes": 0, "hierarchical": hierarchical}
    network: Any = randomised(build_random(BigGANGenerator, config, seed=1))
    assert not torch.equal(*network.sample(2, seed=0).tensor.split(1))
    reader = layouts.BigGANGeneratorReader()
    state = reader.export(network.state_dict(), network.config)
    told = reader.config({key: tuple(value.shape) for key, value in state.items()})
    assert told is not None and told["num_classes"] == 0 and told["hierarchical"] == hierarchical
    assert set(reader.keys({**network.config, **told}).values()) == set(network.state_dict())
    deep = build_random(BigGANDeepGenerator, {**SMALL, "num_classes": 0}, seed=1)
    assert deep.sample(1, seed=0).tensor.shape == (1, 3, 32, 32)
    for cls in (BigGANDiscriminator, BigGANDeepDiscriminator):
        judged = build_random(cls, {"image_size": 32, "width": 2}, seed=1).judge(torch.randn(3, 3, 32, 32))
        assert judged.scores.shape == (3,)


def test_a_chunk_of_the_latent_enters_each_stage() -> None:
    network = generator(BigGANGenerator, SMALL)
    assert network.latent_shape == (8,)
    assert build_random(BigGANGenerator, {**SMALL, "latent_size": 11}, seed=1).latent_shape == (8,)
    seen: list[Tensor] = []
    for block in network.blocks:
        block.register_forward_hook(lambda *hooked: seen.append(hooked[2].clone()))
    z = network.latents([1]).double()
    changed = z.clone()
    changed[:, 4:6] += 1  # the third of four chunks
    network(z, 1), network(changed, 1)
    assert torch.equal(seen[0], seen[3])
    assert not torch.allclose(seen[1], seen[4], atol=1e-6)


# --- truncation and tabulated statistics ------------------------------------------------------------------------------


def test_truncation_resamples_what_lies_outside() -> None:
    network = build_random(BigGANGenerator, {**SMALL, "latent_size": 400}, seed=1)
    full, cut = network.latents([1]), network.latents([1], truncation=0.5)
    inside = full.abs() <= 0.5
    assert torch.equal(full[inside], cut[inside])
    assert float(cut.abs().max()) <= 0.5 < float(full.abs().max())


def test_the_tabulated_networks_latents_are_cut_at_two_and_scaled() -> None:
    network = build_random(BigGANDeepTabulatedGenerator, {**TABLE, "latent_size": 400}, seed=1)
    full, half, one = (network.latents([1], truncation=t) for t in (None, 0.5, 1.0))
    assert torch.allclose(2 * half, one)
    inside = full.abs() <= 2
    assert torch.equal(one[inside], full[inside])
    assert float(one.abs().max()) <= 2 < float(full.abs().max())


def test_truncation_chooses_the_statistics() -> None:
    network = generator(BigGANDeepTabulatedGenerator, TABLE)
    z = network.latents([7], truncation=0.4).double()
    assert torch.allclose(network.sample(seeds=[7], truncation=0.4, c=1).tensor, network(z, 1, 0.4).float(), atol=1e-6)
    assert torch.allclose(
        network.sample(seeds=[7], truncation=0.4, c=1, statistics=0.8).tensor, network(z, 1, 0.8).float(), atol=1e-6
    )
    plain = network.latents([7]).double()
    assert torch.allclose(network.sample(seeds=[7], c=1).tensor, network(plain, 1, 1.0).float(), atol=1e-6)
    for wrong in (1.1, -0.1, math.nan, "0.5"):
        with pytest.raises(InvalidValueError, match="from 0 to 1"):
            network(z, 1, wrong)
        with pytest.raises(InvalidValueError, match="from 0 to 1"):
            network.sample(1, seed=0, truncation=wrong, c=1)


def test_rows_of_the_table() -> None:
    assert table_place(0.4, 51, exact=False) == (20, 0.0)
    row, share = table_place(0.58, 51, exact=False)  # 0.58 / 0.02 is a little less than 29
    assert row == 28 and 1 - share < 1e-9
    assert table_place(0.58, 51, exact=True) == (29, 0)
    assert table_place(1, 51, exact=False) == table_place(1, 51, exact=True) == (50, 0.0)
    assert table_place(0, 51, exact=True) == (0, 0)
    table = TabulatedStatistics(1, 51, exact=False)
    table.means.copy_(torch.arange(51.0)[:, None])
    missed = [t for t in (round(i * 0.02, 2) for i in range(51)) if abs(float(table.stored(t)[0]) - 50 * t) > 0.5]
    assert missed == [0.14, 0.28, 0.56, 0.58, 0.94]  # a row too far, where the rounding meets the swapped weights
    assert all(table_place(round(i * 0.02, 2), 51, exact=True) == (i, 0) for i in range(51))
    assert table_place(0.43, 51, exact=True) == (21, pytest.approx(0.5))


def test_interpolation_of_statistics() -> None:
    for exact, want in ((True, 10.0 + 0.25 * 20), (False, 10.0 * 0.25 + 30 * 0.75)):
        table = TabulatedStatistics(1, 3, exact=exact)
        table.means.copy_(torch.tensor([[0.0], [10.0], [30.0]]))
        table.variances.copy_(table.means + 1)
        mean, var = table.stored(0.625)  # a quarter of the way from the row of 0.5 to that of 1
        assert (float(mean), float(var)) == (pytest.approx(want), pytest.approx(want + 1))


def test_the_choice_of_interpolation_changes_images_between_rows_only() -> None:
    network = generator(BigGANDeepTabulatedGenerator, TABLE)
    right = BigGANDeepTabulatedGenerator(**{**network.config, "exact_statistics": True}).double().eval()
    right.load_state_dict(network.state_dict())
    z = network.latents([1]).double()
    assert torch.allclose(network(z, 0, 0.5), right(z, 0, 0.5), atol=1e-9)
    assert not torch.allclose(network(z, 0, 0.505), right(z, 0, 0.505), atol=1e-6)


# --- statistics -------------------------------------------------------------------------------------------------------


def test_training_moves_the_statistics_and_uses_the_batchs() -> None:
    network: Any = build_random(BigGANGenerator, SMALL, seed=1)
    z, c = network.latents([1, 2, 3, 4]), torch.tensor([0, 1, 2, 0])
    seen: list[Tensor] = []
    network.blocks[0].norm1.register_forward_pre_hook(lambda *hooked: seen.append(hooked[1][0].detach()))
    network.train()(z, c)
    moved = network.blocks[0].norm1.statistics
    assert torch.allclose(moved.mean, 0.1 * seen[0].mean((0, 2, 3)), atol=1e-6)
    assert torch.allclose(moved.var, 0.9 + 0.1 * seen[0].transpose(0, 1).flatten(1).var(1), atol=1e-6)
    assert not torch.allclose(network(z, c), network.eval()(z, c), atol=1e-4)


@pytest.mark.parametrize("statistics", ["running", "standing"])
def test_accumulated_statistics_are_averages_over_batches(statistics: str) -> None:
    network: Any = randomised(build_random(BigGANGenerator, {**SMALL, "statistics": statistics}, seed=1))
    weights = {name: p.clone() for name, p in network.state_dict().items() if ".statistics." not in name}
    seen: list[Tensor] = []
    network.norm.register_forward_pre_hook(lambda *hooked: seen.append(hooked[1][0].detach()))
    accumulate_statistics(network, batches=3, batch_size=4, seed=5)
    found = network.norm.statistics
    assert len(seen) == 3 and not found.training and found.momentum == 0.1
    mean, var = found.stored(1.0)
    assert torch.allclose(mean, torch.stack([x.mean((0, 2, 3)) for x in seen]).mean(0))
    assert torch.allclose(var, torch.stack([x.transpose(0, 1).flatten(1).var(1) for x in seen]).mean(0))
    assert all(torch.equal(network.state_dict()[name], value) for name, value in weights.items())
    twin: Any = randomised(build_random(BigGANGenerator, {**SMALL, "statistics": statistics}, seed=1))
    accumulate_statistics(twin, batches=3, batch_size=4, seed=5)
    assert torch.equal(twin.norm.statistics.mean, found.mean)


@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=IDS)
def test_latents_of_another_shape(cls: Any, config: dict[str, Any]) -> None:
    network = generator(cls, config)
    size = network.latent_size
    for bad in (torch.zeros(1, size + 1), torch.zeros(1, size, 1), torch.zeros(size), [0.0] * size):
        with pytest.raises(InvalidValueError, match=rf"are \[N, {size}\]"):
            network(bad, 0)


def test_counted_statistics_are_divided_only_when_they_stand() -> None:
    config = {**SMALL, "statistics": "counted"}
    counted: Any = randomised(build_random(BigGANGenerator, config, seed=1))
    standing = BigGANGenerator(**{**counted.config, "statistics": "standing"}).double().eval()
    standing.load_state_dict(counted.state_dict())
    running = BigGANGenerator(**{**counted.config, "statistics": "running"}).double().eval()
    z = counted.latents([1]).double()
    sums = {name: value for name, value in counted.state_dict().items() if not name.endswith("count")}
    running.load_state_dict(sums)
    assert torch.equal(counted(z, 1), running(z, 1))
    for name, module in running.named_modules():
        if isinstance(module, Statistics):
            count = counted.get_submodule(name).count
            module.mean.div_(count), module.var.div_(count)
    assert torch.allclose(standing(z, 1), running(z, 1), atol=1e-9)
    assert not torch.allclose(standing(z, 1), counted(z, 1), atol=1e-3)


# --- errors, files, training ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "config", "words"),
    [
        (BigGANGenerator, {"image_size": 48}, "48 pixels"),
        (BigGANGenerator, {"width": 0}, "width of 0"),
        (BigGANGenerator, {"attention": [7]}, "7 pixels"),
        (BigGANGenerator, {"image_size": 32, "width": 1, "attention": [16]}, "8 channels"),
        (BigGANGenerator, {"num_classes": 3, "shared": False}, "shared=true"),
        (BigGANGenerator, {"latent_size": 3}, "latent of 0"),
        (BigGANGenerator, {"statistics": "none"}, "'none'"),
        (BigGANDiscriminator, {"image_size": 100}, "100 pixels"),
        (BigGANDiscriminator, {"initialisation": "zero"}, "'zero'"),
        (BigGANDeepGenerator, {"depth": 0}, "at least one block"),
        (BigGANDeepDiscriminator, {"depth": 0}, "at least one block"),
        (BigGANDeepTabulatedGenerator, {"layers": [[False, 16, 16], [True, 8, 4]]}, "Layer 1"),
        (BigGANDeepTabulatedGenerator, {"layers": [[False, 16, 32]]}, "Layer 0"),
        (BigGANDeepTabulatedGenerator, {"layers": []}, "doubles"),
        (BigGANDeepTabulatedGenerator, {"attention": 10}, "not 10"),
        (BigGANDeepTabulatedGenerator, {"rows": 1}, "two rows"),
    ],
)
def test_bad_configurations(cls: type[Network], config: dict[str, Any], words: str) -> None:
    small = {"width": 2} if cls is not BigGANDeepTabulatedGenerator else {"width": 1}
    if cls in (BigGANGenerator, BigGANDiscriminator) and "image_size" not in config:
        small["image_size"] = 32
    with pytest.raises(ConfigError) as caught:
        build_random(cls, {**small, **config}, seed=1)
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_published_sizes() -> None:
    """Parameters in millions, as the references' networks have them."""
    want = {
        (BigGANGenerator, 128, 96): 70.43,
        (BigGANDiscriminator, 128, 96): 87.98,
        (BigGANDeepGenerator, 128, 128): 50.24,
        (BigGANDeepDiscriminator, 128, 128): 34.59,
    }
    for (cls, size, width), millions in want.items():
        with torch.device("meta"):
            network = cls(image_size=size, width=width, num_classes=1000, initialisation="xavier")
        assert network.parameter_count() / 1e6 == pytest.approx(millions, abs=0.006)
    with torch.device("meta"):
        tabulated = BigGANDeepTabulatedGenerator(initialisation="xavier")
    assert tabulated.parameter_count() / 1e6 == pytest.approx(50.4, abs=0.06)


def test_a_file_is_loaded_sampled_and_says_what_differs(tmp_path: Path) -> None:
    network = generator(
        BigGANDeepTabulatedGenerator, {**TABLE, "layers": [[False, 16, 16], [False, 16, 8], [True, 8, 4]]}
    ).float()
    state = TabulatedGeneratorReader().export(network.state_dict(), network.config)
    torch.save(state, tmp_path / "pytorch_model.bin")
    told = {"layers": network.config["layers"], "norm_eps": 1e-4}
    loaded: Any = ganzoo.load(tmp_path / "pytorch_model.bin", config=told)
    assert torch.equal(
        loaded.sample(1, seed=1, c=1, truncation=0.5).tensor, network.sample(1, seed=1, c=1, truncation=0.5).tensor
    )
    assert ganzoo.load(tmp_path / "pytorch_model.bin").output_shape == (3, 16, 16)  # the guess
    half = {key: value for number, (key, value) in enumerate(state.items()) if number % 2}
    torch.save(half, tmp_path / "half.pth")
    with pytest.raises(UnrecognisedCheckpointError, match="missing"):
        ganzoo.load(tmp_path / "half.pth", architecture="biggan-deep-hf")


@pytest.mark.parametrize("deep", [False, True], ids=["biggan", "biggan-deep"])
@pytest.mark.parametrize("recipe", [BIGGAN_RECIPE, PAPER_RECIPE], ids=["default", "paper"])
def test_two_steps_of_training(deep: bool, recipe: Any) -> None:
    config = {"image_size": 32, "width": 2, "num_classes": 3}
    G: Any = build_random(BigGANDeepGenerator if deep else BigGANGenerator, {**SMALL, **config}, seed=1)
    D: Any = build_random(BigGANDeepDiscriminator if deep else BigGANDiscriminator, config, seed=2)
    before = [{name: value.clone() for name, value in network.state_dict().items()} for network in (G, D)]
    pictures = torch.randint(0, 255, (12, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    data, labels = TensorDataset(pictures, "noise"), torch.arange(12) % 3
    short = msgspec.structs.replace(recipe, batch_size=4, accumulate=1, images=8 * recipe.discriminator_steps)
    engine = Engine(G, D, data.prepare((3, 32, 32)), short, seed=0, labels=labels)
    while engine.images < short.images:
        engine.step()
    for network, old in zip((G, D), before, strict=True):
        parameters = dict(network.named_parameters())
        changed = {name for name, value in network.state_dict().items() if not torch.equal(value, old[name])}
        assert {name for name in parameters if "attention" not in name} <= changed
        assert all(value.isfinite().all() for value in network.state_dict().values())
    assert engine.average.generator.sample(2, seed=0, c=1).tensor.isfinite().all()
