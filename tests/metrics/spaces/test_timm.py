"""Backbones of timm, with weights from a file and from a Hub on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from ganzoo.errors import CheckpointError, CorruptFileError, DataError, HostileFileError, InvalidValueError, UnknownNameError
from ganzoo.metrics.features import state_sha256
from tests.fakehub import FakeHub

timm = pytest.importorskip("timm")
TimmFeatures = pytest.importorskip("ganzoo.metrics.spaces.timm").TimmFeatures

BACKBONE = "test_resnet"  # of 500,000 parameters, made for tests; 160 x 160
GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    made: torch.nn.Module = timm.create_model(BACKBONE, pretrained=False).eval()
    return made


@pytest.fixture(scope="module")
def weights(network: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "backbone.safetensors"
    save_file(network.state_dict(), file)
    return file


def test_features_and_scores_are_the_backbones_own(network: torch.nn.Module, weights: Path) -> None:
    space = TimmFeatures(BACKBONE, weights=weights)
    images = torch.rand(3, 3, 160, 160, generator=torch.Generator().manual_seed(1)) * 2 - 1
    config = network.pretrained_cfg
    mean, deviation = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    x = ((images + 1) / 2 - mean) / deviation
    with torch.no_grad():
        pooled = network.forward_features(x).mean((2, 3))
        logits = network(x)
    found = space(images)
    assert found.scores is not None
    assert torch.allclose(found.features, pooled, atol=1e-4) and torch.allclose(found.scores, logits, atol=1e-4)
    assert len(space.classes) == found.scores.shape[1] == 1000


def test_any_size_and_grey_are_brought_to_what_it_expects(weights: Path) -> None:
    space = TimmFeatures(BACKBONE, weights=weights)
    grey = torch.rand(2, 1, 20, 20) * 2 - 1
    scaled = torch.nn.functional.interpolate(grey, size=(160, 160), mode="bilinear", antialias=True).clamp(-1, 1)
    assert torch.allclose(space(grey).features, space(scaled.expand(-1, 3, -1, -1)).features, atol=1e-5)
    for word in ("160x160", "bilinear with antialiasing", "mean 0.5/0.5/0.5", "backbone.safetensors"):
        assert word in space.preprocessing
    with pytest.raises(DataError, match="needs images"):
        space(torch.zeros(3, 2))


def test_the_hash_is_that_of_the_weights_whatever_file_they_come_from(
    network: torch.nn.Module, weights: Path, tmp_path: Path
) -> None:
    torch.save({"state_dict": network.state_dict(), "epoch": 3}, tmp_path / "checkpoint.pth")
    one, two = TimmFeatures(BACKBONE, weights=weights), TimmFeatures(BACKBONE, weights=tmp_path / "checkpoint.pth")
    assert one.sha256 == two.sha256 == state_sha256(network.state_dict())
    changed = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    changed["fc.bias"][0] += 1
    save_file(changed, tmp_path / "other.safetensors")
    assert TimmFeatures(BACKBONE, weights=tmp_path / "other.safetensors").sha256 != one.sha256


def test_files_that_cannot_be_used(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"backbone\.safetensors do not fit the backbone 'test_vit'"):
        TimmFeatures("test_vit", weights=weights)
    (tmp_path / "cut.safetensors").write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(CorruptFileError, match="truncated"):
        TimmFeatures(BACKBONE, weights=tmp_path / "cut.safetensors")
    with pytest.raises(HostileFileError, match="Nothing of it was executed"):
        TimmFeatures(BACKBONE, weights=GOLDEN / "malicious.pkl")


def test_names_that_are_not_there() -> None:
    with pytest.raises(UnknownNameError, match="no backbone in timm named 'test_resnett'") as caught:
        TimmFeatures("test_resnett")
    assert "test_resnet" in caught.value.close
    with pytest.raises(UnknownNameError) as tag:
        TimmFeatures("test_resnet.nonsense")
    assert tag.value.close == ("test_resnet.r160_in1k",)
    with pytest.raises(InvalidValueError, match="needs its name"):
        TimmFeatures()


DRIVER = """
import json, sys
from ganzoo.errors import GanzooError
from ganzoo.resources import open_features
for text in sys.argv[1:]:
    try:
        space = open_features(text)
        print(json.dumps([space.sha256, space.preprocessing]))
    except GanzooError as e:
        print(json.dumps([type(e).__name__, str(e)]))
"""


def test_weights_come_from_the_hub_with_their_revision_and_stay(network: torch.nn.Module, tmp_path: Path) -> None:
    with FakeHub() as hub:
        repository = hub.repository("timm/test_resnet.r160_in1k")
        commit = repository.commit({"model.safetensors": save(network.state_dict()), "config.json": b"{}"})
        here = {"HF_HOME": str(tmp_path), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
        names = [f"timm:{BACKBONE}", f"timm:{BACKBONE}@{commit}", "timm:test_vit", "timm:test_resnet@nowhere"]
        # In a process of its own, because the client reads its environment when it is imported.
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, *names], capture_output=True, text=True, env={**os.environ, **here}, check=True
        )
        assert hub.count(kind="cdn") == 1  # the second time, the file was there
    first, second, missing, unknown = (json.loads(line) for line in done.stdout.splitlines())
    assert first == second
    assert first[0] == state_sha256(network.state_dict())
    assert f"weights timm/test_resnet.r160_in1k@{commit[:10]}" in first[1]
    assert missing[0] == "RepositoryNotFoundError" and "timm/test_vit.r160_in1k" in missing[1]
    assert unknown[0] == "RevisionNotFoundError" and "nowhere" in unknown[1]
