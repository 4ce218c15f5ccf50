"""What the plugin declares is what its code does, and the commands work with points."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from ganzoo import __version__
from ganzoo.building import build_random, network_class
from ganzoo.checkpoint import ModelConfig, write_model
from ganzoo.cli import cli
from ganzoo.data import VectorDataset
from ganzoo.errors import DataError, OutputError
from ganzoo.metrics import FeatureBatch, Sets
from ganzoo.models.network import json_value
from ganzoo.resources import open_dataset, open_features
from ganzoo_toys import ganzoo_architectures, ganzoo_datasets
from ganzoo_toys.modes import gaussian_modes
from ganzoo_toys.networks import MLPGenerator
from ganzoo_toys.points import MixtureDataset, gaussians_8, swiss_roll

(MLP,) = ganzoo_architectures()


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_declared_arguments_are_the_constructors(role: Any) -> None:
    parameters = list(inspect.signature(network_class(MLP, role).__init__).parameters.values())[1:]
    declared = {field.name: json_value(field.default, field.name) for field in MLP.config if role in field.roles}
    assert declared == {p.name: p.default for p in parameters}
    assert list(declared) == [p.name for p in parameters]


@pytest.mark.parametrize("part", ganzoo_datasets(), ids=lambda part: part.id)
def test_data_sets_open_by_name(part: Any) -> None:
    data = open_dataset(f"{part.id}:test")
    assert (data.name, data.modality, len(data)) == (f"{part.id}/test", "vector", 100_000)
    assert data.prepare((2,))[torch.tensor([3, 1])].shape == (2, 2)


def sets(points: torch.Tensor, data: VectorDataset) -> Sets:
    nothing = FeatureBatch(torch.zeros(0, 2))
    return Sets(nothing, nothing, open_features("raw"), points.split(1000), data, None, 0)


def test_the_metric_sees_the_points_and_the_modes_of_the_data() -> None:
    data = gaussians_8(split="test")
    assert isinstance(data, MixtureDataset)
    half = data.points[:2500][torch.arange(2500) % 8 < 4]  # the first four modes only
    figures = gaussian_modes(sets(half, data))
    assert figures["gaussian-modes"] == 4
    assert figures["high-quality"] == pytest.approx(0.989, abs=0.01)
    assert figures["reverse-kl"] == pytest.approx(np.log(2), abs=1e-3)


def test_the_metric_needs_data_with_modes() -> None:
    with pytest.raises(DataError, match="swiss-roll/train[\\s\\S]*gaussians-25"):
        gaussian_modes(sets(torch.zeros(5, 2), swiss_roll()))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder in ganzoo's layout with a generator at random initialisation."""
    generator = build_random(MLPGenerator, {"width": 8}, seed=0)
    folder = tmp_path / "model"
    config = ModelConfig(
        library_name="ganzoo",
        ganzoo_version=__version__,
        architecture="mlp-gan",
        plugin="toys",
        generator=generator.config,
    )
    write_model(folder, config, {"generator": generator.state_dict()})
    return folder


def generate(model: Path, target: Path) -> Result:
    return CliRunner().invoke(cli, ["generate", str(model), "-n", "50", "--seed", "3", "-o", str(target)])


def test_generate_writes_tables_arrays_and_pictures(tmp_path: Path, model: Path) -> None:
    for name in ("points.csv", "points.npy", "points.png"):
        told = generate(model, tmp_path / name)
        assert told.exit_code == 0, told.output
    array = np.load(tmp_path / "points.npy")
    assert array.shape == (50, 2)
    assert np.array_equal(np.loadtxt(tmp_path / "points.csv", delimiter=",", dtype=np.float32), array)
    with Image.open(tmp_path / "points.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (256, 256))


def test_generate_refuses_a_photograph_of_points(tmp_path: Path, model: Path) -> None:
    error = generate(model, tmp_path / "points.jpg").exception
    assert isinstance(error, OutputError)
    assert "'.jpg'" in str(error)
    assert ".csv, .npy, .png" in str(error)
