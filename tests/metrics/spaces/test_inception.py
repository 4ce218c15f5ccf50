"""The Inception network of torch-fidelity, with random weights; its own are too large for a test."""

from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from ganzoo.errors import CheckpointError, HostileFileError, InvalidValueError, OfflineError
from ganzoo.metrics import path_length
from ganzoo.metrics.features import state_sha256
from tests.metrics.toys import Flat, draws

fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
InceptionFeatures = pytest.importorskip("ganzoo.metrics.spaces.inception").InceptionFeatures

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    extractor = fidelity.FeatureExtractorInceptionV3
    with (
        patch.object(fidelity, "load_state_dict_from_url", lambda *args, **kwargs: {}),
        patch.object(extractor, "load_state_dict", lambda *args: None),
    ):
        made: torch.nn.Module = extractor("inception", ["2048", "logits_unbiased"], verbose=False)
    return made


@pytest.fixture(scope="module")
def weights(network: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(network.state_dict(), file)
    return file


def test_it_is_torch_fidelitys_network_on_8_bits(network: torch.nn.Module, weights: Path) -> None:
    space = InceptionFeatures(weights=weights)
    assert space.sha256 == state_sha256(network.state_dict())
    pixels = torch.randint(0, 256, (2, 3, 40, 40), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    with torch.no_grad():
        features, logits = network(pixels)
    found = space(pixels.float() / 127.5 - 1)
    assert found.scores is not None
    assert torch.allclose(found.features, features, atol=1e-5) and torch.allclose(found.scores, logits, atol=1e-5)
    assert (found.features.shape, found.scores.shape, len(space.classes)) == ((2, 2048), (2, 1008), 1008)
    space._network = lambda shown: (shown, shown)
    assert torch.equal(space(pixels.float() / 127.5 - 1).features, pixels)  # every value comes through the rounding
    assert space(torch.tensor([-9.0, 9.0, 0.5 / 127.5]).expand(1, 3, 2, 3)).features[0, 0, 0].tolist() == [0, 255, 128]


def test_grey_is_shown_as_colour_and_small_steps_are_refused(weights: Path) -> None:
    space = InceptionFeatures(weights=weights)
    pixels = torch.randint(0, 256, (2, 3, 40, 40), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    grey = pixels[:, :1].float() / 127.5 - 1
    assert torch.allclose(space(grey).features, space(grey.expand(-1, 3, -1, -1)).features)
    with pytest.raises(InvalidValueError, match="'inception' rounds images to 8 bits"):
        path_length(draws(Flat(), 3), space)


def test_a_pickle_is_never_executed(tmp_path: Path) -> None:
    with pytest.raises(HostileFileError, match="Nothing of it was executed"):
        InceptionFeatures(weights=GOLDEN / "malicious.pkl")


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(3)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other\.pth does not hold the weights of this Inception network"):
        InceptionFeatures(weights=tmp_path / "other.pth")


def test_without_a_network_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from ganzoo.hub import https

    monkeypatch.setattr(https, "is_offline", lambda: True)
    with pytest.raises(OfflineError, match="feature space 'inception' could not be had") as caught:
        InceptionFeatures()
    for word in ("inception@/path/to/", "weights-inception-2015-12-05-6726825d.pth", "digits"):
        assert word in str(caught.value)
