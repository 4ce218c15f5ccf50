"""Keys and shapes alone tell what a checkpoint is; every key is accounted for."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor, nn

from ganzoo.building import build, build_random
from ganzoo.checkpoint import LayoutReader, Match, best_matches, read_checkpoint, recognise
from ganzoo.errors import (
    CheckpointError,
    ConfigError,
    MissingExtraError,
    PluginError,
    PluginWarning,
    UnknownNameError,
    UnrecognisedCheckpointError,
)
from ganzoo.models import ImageGenerator
from ganzoo.spec import Architecture, ConfigField, Layout
from ganzoo_dcgan import ganzoo_architectures
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator

SMALL = {"image_size": 16, "channels": 1, "latent_size": 5, "width": 4}
REAL = [("dcgan", architecture) for architecture in ganzoo_architectures()]


class Turned(ImageGenerator):
    """Stores its weight transposed in the foreign layout, and has a buffer that old files lack."""

    def __init__(self, size: int = 3, depth: int = 2, slope: float = 0.2) -> None:
        super().__init__()
        self.layer = nn.Linear(depth, size)
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.latent, self.slope = depth, slope

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.latent,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (1, 1, 1)


class TurnedReader(LayoutReader):
    def config(self, shapes: Any) -> dict[str, Any] | None:
        return {"depth": shapes["W"][0], "size": shapes["W"][1]} if len(shapes.get("W", ())) == 2 else None

    def keys(self, config: Any) -> dict[str, str]:
        return {"W": "layer.weight", "b": "layer.bias", "bn.num_batches_tracked": "count"}

    def convert(self, state: Any, config: Any) -> dict[str, Tensor]:
        renamed = super().convert(state, config)
        return {**renamed, "layer.weight": renamed["layer.weight"].t()}

    def export(self, state: Any, config: Any) -> dict[str, Tensor]:
        renamed = super().export(state, config)
        return {**renamed, "W": renamed["W"].t()}


class Confused(LayoutReader):
    def config(self, shapes: Any) -> dict[str, Any] | None:
        raise KeyError("W")


def architecture(name: str, reader: str = "TurnedReader", **changes: Any) -> Architecture:
    layout = Layout(id="foreign", role="generator", reader=f"{__name__}:{reader}")
    fields = tuple(ConfigField(name=key, default=value, doc="…") for key, value in (("size", 3), ("depth", 2), ("slope", 0.2)))
    given = {"networks": {"generator": f"{__name__}:Turned"}, "layouts": (layout,), "config": fields, **changes}
    return Architecture(id=name, summary="…", modality="image", task="…", **given)


def saved(content: Any, tmp_path: Path) -> Any:
    torch.save(content, tmp_path / "file.pt")
    return read_checkpoint(tmp_path / "file.pt")


@pytest.fixture
def generator() -> DCGANGenerator:
    return build_random(DCGANGenerator, SMALL, seed=1)


def test_both_networks_of_a_training_checkpoint(generator: DCGANGenerator, tmp_path: Path) -> None:
    D = build_random(DCGANDiscriminator, {"image_size": 16, "width": 4}, seed=2)
    matches = recognise(saved({"netG": generator.state_dict(), "netD": D.state_dict()}, tmp_path), REAL)
    assert [(m.role, m.place, m.layout) for m in matches] == [
        ("generator", "netG", "pytorch-tutorial"),
        ("discriminator", "netD", "pytorch-tutorial"),
    ]
    assert matches[0].config == {**SMALL, "widths": None, "num_classes": 0, "conditioning": None}
    assert matches[0].qualified_name == "dcgan/dcgan"
    rebuilt = build(DCGANGenerator, matches[0].config, matches[0].state)
    assert all(torch.equal(a, b) for a, b in zip(rebuilt.state_dict().values(), generator.state_dict().values(), strict=True))


def test_one_network_beside_the_other(generator: DCGANGenerator, tmp_path: Path) -> None:
    D = build_random(DCGANDiscriminator, {"image_size": 16, "width": 4}, seed=2)
    matches = recognise(saved({**generator.state_dict(), "netD": D.state_dict()}, tmp_path), REAL)
    assert [(m.role, m.place) for m in matches] == [("generator", ""), ("discriminator", "netD")]


@pytest.mark.parametrize("place", ["g_ema", "generator_smooth", "Gs"])
def test_averaged_weights_win(place: str, generator: DCGANGenerator, tmp_path: Path) -> None:
    other = build_random(DCGANGenerator, SMALL, seed=3)
    matches = recognise(saved({"G": other.state_dict(), place: generator.state_dict()}, tmp_path), REAL)
    assert [m.is_average for m in matches] == [False, True]
    assert best_matches(matches)["generator"].place == place


@pytest.mark.parametrize("counted", [True, False])
def test_a_layout_that_changes_values_and_lacks_a_counter(counted: bool, tmp_path: Path) -> None:
    weight = torch.arange(8.0).view(2, 4)
    content = {"W": weight, "b": torch.zeros(4)} | ({"bn.num_batches_tracked": torch.tensor(9)} if counted else {})
    (match,) = recognise(saved(content, tmp_path), [("p", architecture("turned"))], config={"slope": 0.5})
    assert match.config == {"size": 4, "depth": 2, "slope": 0.5}
    assert torch.equal(match.state["layer.weight"], weight.t())
    assert match.state["count"] == (9 if counted else 0)
    assert match.state["count"].dtype == torch.int64
    back = match.reader.export(match.state, match.config)
    assert torch.equal(back["W"], weight)


def edit(generator: DCGANGenerator, **changes: Tensor | None) -> dict[str, Tensor]:
    state = {**generator.state_dict(), **{name.replace("_", "."): tensor for name, tensor in changes.items()}}
    return {name: tensor for name, tensor in state.items() if tensor is not None}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"main_1_weight": None}, ["missing: main.1.weight"]),
        ({"main_3_weight": None}, ["missing: main.3.weight\n"]),
        ({"other_key": torch.ones(1)}, ["unexpected: other.key"]),
        ({"main_1_weight": torch.ones(7)}, [r"wrong shape: main.1.weight \[7\] instead of \[8\]"]),
        (
            {"main_1_weight": torch.ones(7), "other_key": torch.ones(1)},
            ["unexpected: other.key", r"main.1.weight \[7\] instead"],
        ),
    ],
)
def test_what_does_not_fit_is_said_key_by_key(changes: Any, lines: list[str], generator: Any, tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError, match="nearest are dcgan/dcgan") as caught:
        recognise(saved({"netG": edit(generator, **changes)}, tmp_path), REAL)
    for line in lines:
        caught.match(line)
    caught.match("'netG'")


def test_a_stranger_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError, match="none of its keys is known.*encoder.weight"):
        recognise(saved({"encoder.weight": torch.ones(3)}, tmp_path), REAL)


@pytest.mark.parametrize("key", ["\x1b[31mred", "main.0.\x1b]0;title\x07"])
def test_a_key_or_place_cannot_paint_the_terminal(key: str, generator: DCGANGenerator, tmp_path: Path) -> None:
    for content in ({key: torch.ones(3)}, {key: {**generator.state_dict(), key: torch.ones(3)}}):
        with pytest.raises(UnrecognisedCheckpointError, match=r"\\x1b") as caught:
            recognise(saved(content, tmp_path), REAL)
        assert "\x1b" not in str(caught.value)


def test_many_differences_are_counted_and_not_listed(generator: DCGANGenerator, tmp_path: Path) -> None:
    extra = {f"extra.{i}": torch.ones(1) for i in range(40)}
    with pytest.raises(UnrecognisedCheckpointError, match="extra.4 and 35 more"):
        recognise(saved({**generator.state_dict(), **extra}, tmp_path), REAL)


def test_two_architectures_that_both_fit(tmp_path: Path) -> None:
    content = saved({"W": torch.ones(2, 4), "b": torch.zeros(4)}, tmp_path)
    both = [("p", architecture("one")), ("q", architecture("two"))]
    with pytest.raises(CheckpointError, match="several architectures: p/one and q/two"):
        recognise(content, both)
    for asked in ("two", "q/two"):
        (match,) = recognise(content, both, architecture=asked)
        assert match.qualified_name == "q/two"
    with pytest.raises(UnknownNameError, match="Did you mean 'two'"):
        recognise(content, both, architecture="twoo")


def test_of_architectures_of_one_plugin_that_share_a_network_the_file_decides(tmp_path: Path) -> None:
    """As StyleGAN3 has StyleGAN2's discriminator."""
    old, judge = architecture("old"), {"W": torch.ones(2, 4), "b": torch.zeros(4)}
    other = msgspec.structs.replace(
        REAL[0][1],
        id="new",
        networks={**REAL[0][1].networks, "encoder": old.networks["generator"]},
        layouts=(*REAL[0][1].layouts, msgspec.structs.replace(old.layouts[0], role="encoder")),
    )
    G = build_random(DCGANGenerator, SMALL, seed=0).state_dict()
    for order in (("p", old), ("p", other)), (("p", other), ("p", old)):
        alone = recognise(saved(judge, tmp_path), order)
        assert [match.qualified_name for match in alone] == [f"p/{order[0][1].id}"]
        whole = recognise(saved({"netG": G, "part": judge}, tmp_path), order)
        assert {match.qualified_name for match in whole} == {"p/new"} and len(whole) == 2


def test_an_argument_that_nobody_has(generator: DCGANGenerator, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'activation'"):
        recognise(saved(generator.state_dict(), tmp_path), REAL, config={"activatoin": "ELU"})


@pytest.mark.parametrize("reader", ["Confused", "Missing", "Turned"])
def test_a_broken_layout_reader_is_the_plugins_fault(reader: str, tmp_path: Path) -> None:
    content = saved({"W": torch.ones(2, 4)}, tmp_path)
    with pytest.raises(PluginError, match=reader):
        recognise(content, [("p", architecture("one", reader))])


def test_a_broken_layout_reader_keeps_no_other_architecture_from_being_tried(tmp_path: Path) -> None:
    content = saved({"W": torch.ones(2, 4), "b": torch.ones(4)}, tmp_path)
    both = [("p", architecture("one", "Missing")), ("q", architecture("two"))]
    with pytest.warns(PluginWarning, match="'p/one'.*Missing"):
        (match,) = recognise(content, both)
    assert match.qualified_name == "q/two"


def test_a_network_whose_extra_is_missing_is_no_obstacle_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zoo_hungry.py").write_text("import package_that_an_extra_brings")
    monkeypatch.syspath_prepend(str(tmp_path))
    content = saved({"W": torch.ones(2, 4), "b": torch.ones(4)}, tmp_path)
    hungry = architecture("one", networks={"generator": "zoo_hungry:X"}, extra="faces")
    (match,) = recognise(content, [("p", hungry), ("q", architecture("two"))])
    assert match.qualified_name == "q/two"
    with pytest.raises(MissingExtraError, match="faces"):
        recognise(content, [("p", hungry)])


def test_shapes_that_no_network_can_have(tmp_path: Path) -> None:
    state = {"main.0.weight": torch.ones(0, 0, 4, 4), "main.3.weight": torch.ones(0, 0, 4, 4)}
    with pytest.raises(UnrecognisedCheckpointError):
        recognise(saved(state, tmp_path), REAL)


def test_weights_are_converted_only_when_asked_for(generator: DCGANGenerator, tmp_path: Path) -> None:
    (match,) = recognise(saved(generator.state_dict(), tmp_path), REAL)
    assert "state" not in vars(match)
    assert isinstance(match, Match)
    assert match.state is match.state
