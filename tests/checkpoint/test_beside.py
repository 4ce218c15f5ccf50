"""Tensors that stand next to a network's own mapping, and those that a layout does not count among the network's."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.checkpoint import LayoutReader, read_checkpoint, recognise
from ganzoo.errors import PluginError, UnrecognisedCheckpointError
from tests.checkpoint.test_recognition import TurnedReader, architecture, saved


class Beside(TurnedReader):
    """Keeps its bias beside the network, where older files have none."""

    beside = frozenset({"loose_bias"})

    def keys(self, config: Any) -> dict[str, str]:
        return {"W": "layer.weight", "loose_bias": "layer.bias", "n": "count"}

    def optional(self, config: Any) -> dict[str, float]:
        return {"n": 0}


class Picking(TurnedReader):
    """Its program stores what it never trained."""

    def pick(self, state: Any) -> Any:
        return {key: tensor for key, tensor in state.items() if tensor.any() or key == "bn.num_batches_tracked"}


class PickingBadly(LayoutReader):
    def pick(self, state: Any) -> Any:
        raise KeyError("W")

    def config(self, shapes: Any) -> dict[str, Any] | None:
        return None

    def keys(self, config: Any) -> dict[str, str]:
        return {}


def kind(reader: str) -> list[Any]:
    made = architecture("odd")
    layout = made.layouts[0]
    return [("p", architecture("odd", layouts=(type(layout)(id="x", role="generator", reader=f"{__name__}:{reader}"),)))]


W, BIAS = torch.arange(8.0).view(2, 4), torch.ones(4)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"g": {"W": W}, "loose_bias": BIAS, "other": BIAS}, "g"),
        ({"models": {"g": {"W": W}, "loose_bias": BIAS}}, "models.g"),
        ({"W": W, "loose_bias": BIAS}, ""),
        ({"generator.W": W, "discriminator.V": W, "g": {"W": W}, "loose_bias": BIAS}, "g"),
    ],
    ids=str,
)
def test_a_tensor_next_to_the_network_is_its_own(content: Any, place: str, tmp_path: Path) -> None:
    (match,) = recognise(saved(content, tmp_path), kind("Beside"))
    assert match.place == place
    assert torch.equal(match.state["layer.bias"], BIAS) and torch.equal(match.state["layer.weight"], W.t())


@pytest.mark.parametrize(
    "content",
    [{"g": {"W": W}, "deeper": {"loose_bias": BIAS}}, {"g": [{"W": W}], "loose_bias": BIAS}, {"g": {"W": W}}],
    ids=str,
)
def test_a_tensor_elsewhere_is_not(content: Any, tmp_path: Path) -> None:
    with pytest.raises(UnrecognisedCheckpointError, match="missing: "):
        recognise(saved(content, tmp_path), kind("Beside"))


def test_what_a_network_has_itself_counts(tmp_path: Path) -> None:
    (match,) = recognise(saved({"g": {"W": W, "loose_bias": BIAS}, "loose_bias": BIAS + 1}, tmp_path), kind("Beside"))
    assert torch.equal(match.state["layer.bias"], BIAS)


def test_nothing_stands_beside_unless_asked_for(tmp_path: Path) -> None:
    checkpoint = saved({"g": {"W": W}, "loose_bias": BIAS, "epoch": 3}, tmp_path)
    beside = {state.place: set(state.beside) for state in checkpoint.states}
    assert beside == {"": set(), "g": {"loose_bias"}}
    assert all(set(state.including({"epoch"}).tensors) == set(state.tensors) for state in checkpoint.states)


def test_a_layout_sees_only_what_it_picks(tmp_path: Path) -> None:
    content: dict[str, Tensor] = {"W": W, "b": BIAS, "untrained.W": torch.zeros(2, 4), "untrained.b": torch.zeros(4)}
    (match,) = recognise(saved(content, tmp_path), kind("Picking"))
    assert torch.equal(match.state["layer.weight"], W.t())
    with pytest.raises(UnrecognisedCheckpointError, match=r"unexpected: untrained\.W"):
        recognise(saved({**content, "untrained.W": W}, tmp_path), kind("Picking"))


def test_a_reader_that_fails_to_pick_is_blamed(tmp_path: Path) -> None:
    torch.save({"W": W}, tmp_path / "x.pt")
    with pytest.raises(PluginError, match="PickingBadly' of 'p' failed: KeyError"):
        recognise(read_checkpoint(tmp_path / "x.pt"), kind("PickingBadly"))
