"""The feature space of sentences."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from ganzoo.errors import ConfigError, DataError
from ganzoo.metrics.features import Features
from ganzoo.metrics.frechet import frechet_from_features
from ganzoo.text.encoders import load_encoder
from ganzoo.text.features import EncoderFeatures
from tests.text.test_encoders import minilm
from tests.text.tiny_encoder import modules, write_encoder

pytest.importorskip("transformers", reason="the extra 'text' is not installed")

REAL = ["a man rides a horse", "a woman walks her dog in the park", "two children play on the beach", "a cat sleeps on a sofa"]
SHUFFLED = [" ".join(sorted(text.split(), key=lambda word: word[::-1])) for text in REAL]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = {"modules": modules("Transformer"), "sentence_bert_config": {"max_seq_length": 16}}
    return write_encoder(tmp_path_factory.mktemp("tiny") / "encoder", **settings)


def test_features_are_the_encoder_s_vectors(folder: Path) -> None:
    features = EncoderFeatures(weights=folder)
    batch = features(["the man", "a horse"])
    assert torch.equal(batch.features, load_encoder(str(folder)).embed(["the man", "a horse"])) and batch.scores is None
    assert batch.features.dtype == torch.float32 and batch.features.device.type == "cpu"
    assert features.name == f"encoder:{folder}"
    assert features.sha256 == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert features.preprocessing == "mean pooling, at most 16 word pieces"
    assert isinstance(features, Features) and features.modalities == ("text",)


@pytest.mark.parametrize("examples", [torch.zeros(2, 3, 8, 8), torch.zeros(4, 2)])
def test_images_and_points_are_refused(folder: Path, examples: Any) -> None:
    with pytest.raises(DataError, match="is of sentences, not of a tensor"):
        EncoderFeatures(weights=folder)(examples)


def test_no_such_encoder() -> None:
    with pytest.raises(ConfigError, match="There is no encoder 'minilm-l7'"):
        EncoderFeatures("minilm-l7")
    with pytest.raises(ConfigError, match="There is no encoder 'minilm@main'"):
        EncoderFeatures(revision="main")


@minilm
def test_minilm_puts_shuffled_sentences_further_away() -> None:
    features = EncoderFeatures()
    assert (features.name, features.preprocessing) == ("minilm", "mean pooling, normalised, at most 256 word pieces")
    assert features.sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    real = features(REAL).features
    again, shuffled = features(list(reversed(REAL))).features, features(SHUFFLED).features
    assert frechet_from_features(real, again) == pytest.approx(0, abs=1e-4)
    assert frechet_from_features(real, shuffled) > 0.01
