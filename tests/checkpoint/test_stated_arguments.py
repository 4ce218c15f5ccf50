"""What a file states completes what its shapes tell; keys and shapes still decide."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ganzoo.checkpoint import LayoutReader, Stated, convert, read_checkpoint, read_model, recognise
from ganzoo.errors import ConfigError, PluginError, UnrecognisedCheckpointError
from ganzoo.models import ImageGenerator
from ganzoo.spec import Architecture, ConfigField, Layout
from tests.checkpoint.nvidia_files import Persistent, dumps


class Ours(ImageGenerator):
    """Two layers, a slope that no shape tells, and a clamp."""

    def __init__(self, size: int = 3, depth: int = 2, slope: float = 0.2, clamp: float | None = None) -> None:
        super().__init__()
        if not slope > 0:
            raise ConfigError(f"slope is {slope}; it must be positive.")
        self.fc = nn.Linear(depth, size)
        self.out = nn.Linear(size, size)
        self.latent, self.slope, self.clamp = depth, slope, clamp

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.latent,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (1, 1, 1)


class Reader(LayoutReader):
    def config(self, shapes: Any) -> dict[str, Any] | None:
        weight = shapes.get("mapping.weight", ())
        return {"size": weight[0], "depth": weight[1]} if len(weight) == 2 else None

    def refine(self, config: dict[str, Any], stated: Stated) -> dict[str, Any] | None:
        if stated.name == "Another":
            return None
        if stated.arguments.get("architecture", "skip") != "skip":
            raise ConfigError("The file has another architecture than 'skip'.")
        part = stated.part("mapping")
        clamp = part.attributes.get("clamp") if part else None
        return {**config, "slope": stated.arguments.get("slope", 0.2), "clamp": clamp}

    def keys(self, config: Any) -> dict[str, str]:
        return {f"{theirs}.{part}": f"{ours}.{part}" for theirs, ours in NAMES.items() for part in ("weight", "bias")}


class Careless(Reader):
    def refine(self, config: dict[str, Any], stated: Stated) -> dict[str, Any] | None:
        return {**config, "slope": stated.arguments["nothing"]}


NAMES = {"mapping": "fc", "synthesis": "out"}


class Part(Persistent):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.weight, self.bias = nn.Parameter(torch.randn(outputs, inputs)), nn.Parameter(torch.randn(outputs))
        self.clamp = 256


class Generator(Persistent):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.mapping, self.synthesis = Part(4, 6), Part(6, 6)


class Another(Generator):
    pass


def known(reader: str = "Reader") -> list[tuple[str, Architecture]]:
    layout = Layout(id="foreign", role="generator", reader=f"{__name__}:{reader}")
    defaults = {"size": 3, "depth": 2, "slope": 0.2, "clamp": None}
    fields = tuple(ConfigField(name=key, default=value, doc="…") for key, value in defaults.items())
    networks: Any = {"generator": f"{__name__}:Ours"}
    made = Architecture(id="ours", summary="…", modality="image", task="…", networks=networks, layouts=(layout,), config=fields)
    return [("p", made)]


def saved(network: nn.Module, tmp_path: Path) -> Any:
    (tmp_path / "x.pkl").write_bytes(dumps({"G_ema": network}))
    return read_checkpoint(tmp_path / "x.pkl")


def test_what_shapes_cannot_tell_is_taken_from_the_file(tmp_path: Path) -> None:
    network = Generator(slope=0.7)
    (match,) = recognise(saved(network, tmp_path), known())
    assert match.config == {"size": 6, "depth": 4, "slope": 0.7, "clamp": 256}
    assert torch.equal(match.state["out.weight"], network.synthesis.weight)
    stored = convert(tmp_path / "x.pkl", tmp_path / "model", known())
    assert read_model(tmp_path / "model").config == stored.config
    assert stored.config.generator == dict(match.config)


def test_what_the_user_gives_wins(tmp_path: Path) -> None:
    (match,) = recognise(saved(Generator(slope=0.7), tmp_path), known(), config={"slope": 0.5})
    assert match.config["slope"] == 0.5


def test_a_state_dict_states_nothing(tmp_path: Path) -> None:
    torch.save(Generator(slope=0.7).state_dict(), tmp_path / "x.pt")
    checkpoint = read_checkpoint(tmp_path / "x.pt")
    assert checkpoint.states[0].stated is None
    (match,) = recognise(checkpoint, known())
    assert match.config == {"size": 6, "depth": 4, "slope": 0.2, "clamp": None}


def test_a_reader_may_turn_the_file_down(tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError):
        recognise(saved(Another(), tmp_path), known())


def test_why_a_file_is_turned_down_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError, match="nearest are p/ours.*\n.*\n.*another architecture than 'skip'"):
        recognise(saved(Generator(architecture="orig"), tmp_path), known())


def test_nonsense_that_a_file_states_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError, match="slope is -1"):
        recognise(saved(Generator(slope=-1), tmp_path), known())
    with pytest.raises(PluginError, match="Careless.*KeyError"):
        recognise(saved(Generator(), tmp_path), known("Careless"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: g.register_parameter("head", nn.Parameter(torch.ones(3))), "unexpected: head"),
        (lambda g: g.add_module("attention", Part(2, 2)), "unexpected: attention.weight, attention.bias"),
        (lambda g: delattr(g.synthesis, "bias"), r"missing: synthesis\.bias"),
        (lambda g: delattr(g, "synthesis"), r"missing: synthesis\.weight, synthesis\.bias"),
        (
            lambda g: setattr(g, "synthesis", Part(6, 5)),
            r"wrong shape: synthesis\.weight \[5, 6\] instead of \[6, 6\], synthesis\.bias \[5\] instead of \[6\]",
        ),
    ],
)
def test_a_network_that_differs_from_the_stock_one(change: Any, words: str, tmp_path: Path) -> None:
    network = Generator()
    change(network)
    with pytest.raises(UnrecognisedCheckpointError, match=words) as caught:
        recognise(saved(network, tmp_path), known())
    caught.match("'G_ema'")
