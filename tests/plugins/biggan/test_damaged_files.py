"""BigGAN's files, cut, flipped, halved or no numbers: an error in words, or other weights; never anything else."""

import pickle
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import ganzoo
from ganzoo.errors import CheckpointError, CorruptFileError, HostileFileError, UnrecognisedCheckpointError
from ganzoo.exchange import convert_file
from ganzoo_biggan.deep import BigGANDeepDiscriminator, BigGANDeepGenerator
from ganzoo_biggan.layouts import (
    BigGANDeepDiscriminatorReader,
    BigGANDeepGeneratorReader,
    BigGANDiscriminatorReader,
    BigGANGeneratorReader,
)
from ganzoo_biggan.networks import BigGANDiscriminator, BigGANGenerator
from ganzoo_biggan.tabulated import BigGANDeepTabulatedGenerator
from ganzoo_biggan.tabulated_layouts import TabulatedGeneratorReader
from tests.plugins.biggan.test_conformance import SMALL, TABLE, generator
from tests.plugins.biggan.test_references import build_random, randomised
from tests.support.damage import check_damaged

JUDGE = {"image_size": 32, "width": 2, "num_classes": 3}
KINDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "biggan": (BigGANGenerator, BigGANGeneratorReader, SMALL),
    "biggan-deep": (BigGANDeepGenerator, BigGANDeepGeneratorReader, SMALL),
    "biggan-deep-hf": (
        BigGANDeepTabulatedGenerator,
        TabulatedGeneratorReader,
        TABLE,
    ),
    "discriminator": (BigGANDiscriminator, BigGANDiscriminatorReader, JUDGE),
    "deep discriminator": (BigGANDeepDiscriminator, BigGANDeepDiscriminatorReader, JUDGE),
}
POSITIONS = 12


class Unheard:
    """A class of somebody's program."""


def state_of(kind: str) -> dict[str, Tensor]:
    """As the program would store it."""
    cls, reader, config = KINDS[kind]
    network = randomised(build_random(cls, config, seed=1)).float() if "disc" in kind else generator(cls, config).float()
    return {key: tensor.clone() for key, tensor in reader().export(network.state_dict(), network.config).items()}


@pytest.mark.parametrize("kind", KINDS)
def test_damage_anywhere_ends_in_words(kind: str, tmp_path: Path) -> None:
    path, rng = tmp_path / "G_ema.pth", random.Random(3)
    for zipped in (True, False):
        torch.save(state_of(kind), path, _use_new_zipfile_serialization=zipped)
        check_damaged(path, path.read_bytes(), rng, POSITIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_half_of_the_keys_and_shapes_that_nothing_explains(kind: str, tmp_path: Path) -> None:
    state, path = state_of(kind), tmp_path / "G.pth"
    for content in (
        dict(list(state.items())[::2]),
        dict(list(state.items())[: len(state) // 2]),
        {key: tensor.flatten()[:1] for key, tensor in state.items()},
        {key: torch.tensor(1.0) for key in state},
        {**state, "encoder.weight": torch.ones(2)},
    ):
        torch.save(content, path)
        with pytest.raises(UnrecognisedCheckpointError, match="differ|fits no architecture"):
            ganzoo.load(path)


@pytest.mark.parametrize("kind", KINDS)
def test_readers_look_at_any_shapes_without_failing(kind: str) -> None:
    state, rng = state_of(kind), random.Random(1)
    for i in range(150):
        kept = {key: tuple(t.shape) for key, t in state.items() if rng.random() < 0.5 or i % 3 == 0}
        odd = {
            key: rng.choice([(), shape[:-1], (*shape, 2), tuple(rng.choice([0, 1, 10**6]) for _ in shape)])
            for key, shape in kept.items()
        }
        shapes = {key: odd[key] if rng.random() < 0.2 else shape for key, shape in kept.items()}
        for _, reader, _ in KINDS.values():
            config = reader().config(shapes)
            assert config is None or isinstance(config, dict)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_no_numbers(kind: str, tmp_path: Path) -> None:
    state = state_of(kind)
    next(tensor for key, tensor in state.items() if key.endswith("bias") and tensor.dim()).view(-1)[0] = float("nan")
    torch.save(state, tmp_path / "G.pth")
    with pytest.raises(CheckpointError, match="NaN"):
        ganzoo.load(tmp_path / "G.pth")
    with pytest.raises(CheckpointError, match="NaN"):
        convert_file(tmp_path / "G.pth", tmp_path / "out")
    assert ganzoo.load(tmp_path / "G.pth", allow_nan=True).config


def test_what_is_no_checkpoint_at_all(tmp_path: Path) -> None:
    path = tmp_path / "G_ema.pth"
    for content, words in ((b"", "is empty"), (b"<html><body>Quota exceeded", "web page")):
        path.write_bytes(content)
        with pytest.raises(CorruptFileError, match=words):
            ganzoo.load(path)
    path.write_bytes(pickle.dumps({"shared.weight": Unheard()}))
    with pytest.raises(HostileFileError, match="Unheard"):
        ganzoo.load(path)
