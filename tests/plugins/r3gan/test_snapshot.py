"""The authors' snapshots, pickles of whole networks, are read as weights: the averaged generator, and nothing is executed."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.building import build_random
from ganzoo.checkpoint import best_matches, convert, module_classes, read_checkpoint, read_model, recognise
from ganzoo.errors import CorruptFileError, HostileFileError
from ganzoo_r3gan import ganzoo_architectures
from ganzoo_r3gan.layouts import MODULES, WrappedDiscriminator, WrappedGenerator
from ganzoo_r3gan.networks import R3GANDiscriminator, R3GANGenerator
from tests.plugins.r3gan.snapshot import Pickled, snapshot

KNOWN = [("r3gan", architecture) for architecture in ganzoo_architectures()]
CONFIG = {"image_size": 16, "width": 8, "widths": [8, 8, 4], "num_classes": 3}


def state(cls: Any, seed: int) -> dict[str, Tensor]:
    network = build_random(cls, CONFIG, seed=seed)
    reader = WrappedGenerator() if cls is R3GANGenerator else WrappedDiscriminator()
    torch.manual_seed(seed)
    filled = {name: torch.randn_like(tensor) for name, tensor in network.state_dict().items()}
    return reader.export(filled, network.config)


G, D, G_EMA = state(R3GANGenerator, 1), state(R3GANDiscriminator, 2), state(R3GANGenerator, 3)
NETWORKS = {"G": ("generator", G), "D": ("discriminator", D), "G_ema": ("generator", G_EMA)}
SPELLINGS = [
    {"variant": "CUDA"},
    {"variant": "Reference", "protocol": 3},
    {"variant": "", "protocol": 5},
    {"package": "BaselineGAN", "wrapper": "training.networks_baseline"},
]


def same(found: Any, wanted: dict[str, Tensor]) -> None:
    assert set(found) == set(wanted)
    assert all(torch.equal(found[key], tensor) and found[key].dtype == tensor.dtype for key, tensor in wanted.items())


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_every_network_of_a_snapshot_is_recognised(spelling: dict[str, Any], tmp_path: Path) -> None:
    path = snapshot(tmp_path / "network-snapshot.pkl", NETWORKS, **spelling)
    checkpoint = read_checkpoint(path, classes=module_classes(KNOWN))
    matches = {match.place: match for match in recognise(checkpoint, KNOWN)}
    assert {place: (match.role, match.layout) for place, match in matches.items()} == {
        "G": ("generator", "r3gan"),
        "D": ("discriminator", "r3gan"),
        "G_ema": ("generator", "r3gan"),
    }
    for place, (_, wanted) in NETWORKS.items():
        same(matches[place].reader.export(matches[place].state, matches[place].config), wanted)
        assert matches[place].config["num_classes"] == 3
    best = best_matches(matches.values())
    assert (best["generator"].place, best["discriminator"].place) == ("G_ema", "D")
    assert best["generator"].is_average
    assert checkpoint.metadata["cur_nimg"] == 25_600


def test_python_itself_reads_it_as_those_networks(tmp_path: Path) -> None:
    """The file of the test is a real one: unpickled with its classes at hand, it gives the same state."""
    pickled = Pickled("R3GAN", "training.networks", "CUDA")
    network = pickled.network("generator", G)
    assert list(network.state_dict()) != []
    with pickled.importable():
        again = pickle.loads(pickle.dumps(network))
    same(again.state_dict(), G)
    assert {type(module).__qualname__ for module in again.modules()} >= {"GeneratorStage", "UpsampleLayer", "Conv2d", "Linear"}


def test_a_snapshot_is_loaded_and_converted(tmp_path: Path) -> None:
    path = snapshot(tmp_path / "x.pkl", NETWORKS)
    loaded = ganzoo.load(path)
    z, c = torch.randn(2, 64), torch.tensor([2, 0])
    wanted = R3GANGenerator(**loaded.config).eval()
    wanted.load_state_dict(WrappedGenerator().convert(G_EMA, loaded.config))
    same(loaded.state_dict(), wanted.state_dict())
    assert torch.allclose(loaded(z, c), wanted(z, c), rtol=1e-4, atol=1e-4 * wanted(z, c).abs().max().item())
    assert ganzoo.load(path, role="discriminator")(loaded(z, c), c).shape == (2,)
    convert(path, tmp_path / "out", KNOWN)
    model = read_model(tmp_path / "out")
    same(WrappedDiscriminator().export(model.state("discriminator"), model.config.arguments("discriminator") or {}), D)
    same(WrappedGenerator().export(model.state("generator"), model.config.arguments("generator") or {}), G_EMA)


def test_a_network_that_torch_saved_whole(tmp_path: Path) -> None:
    pickled = Pickled("R3GAN", "training.networks", "CUDA")
    network = pickled.network("discriminator", D)
    with pickled.importable():
        torch.save(network, tmp_path / "x.pt")
    with pytest.raises(HostileFileError):
        read_checkpoint(tmp_path / "x.pt")
    (match,) = recognise(read_checkpoint(tmp_path / "x.pt", classes=MODULES), KNOWN)
    assert (match.role, match.place) == ("discriminator", "")
    same(match.reader.export(match.state, match.config), D)


class Payload:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.system, (self.command,)


def test_a_snapshot_with_code_in_it_is_refused_whole(tmp_path: Path) -> None:
    path = snapshot(tmp_path / "x.pkl", NETWORKS, extra={"augment_pipe": Payload(f"touch {tmp_path / 'trace'}")})
    with pytest.raises(HostileFileError, match=r"posix\.system") as caught:
        ganzoo.load(path)
    assert caught.value.names == ("posix.system",)
    assert not (tmp_path / "trace").exists()


def test_a_class_that_is_not_on_the_list_is_refused(tmp_path: Path) -> None:
    for extra in (nn.ReLU(), nn.ModuleDict()):
        path = snapshot(tmp_path / "x.pkl", NETWORKS, extra={"augment_pipe": extra})
        with pytest.raises(HostileFileError, match=type(extra).__name__):
            ganzoo.load(path)


def test_a_snapshot_without_classes_of_a_plugin_is_refused(tmp_path: Path) -> None:
    path = snapshot(tmp_path / "x.pkl", NETWORKS)
    with pytest.raises(HostileFileError, match=r"training\.networks\.Generator"):
        read_checkpoint(path)


def test_a_snapshot_that_ends_early(tmp_path: Path) -> None:
    path = snapshot(tmp_path / "x.pkl", NETWORKS)
    whole = path.read_bytes()
    for end in (len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(CorruptFileError, match="truncated or damaged"):
            ganzoo.load(path)
