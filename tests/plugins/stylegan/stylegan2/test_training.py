"""The recipe trains: both lazy regularisers are due within two steps, and everything that should move has moved."""

import math
from pathlib import Path

import msgspec
import pytest
import torch

from ganzoo.building import network_class
from ganzoo.data import TensorDataset
from ganzoo.spec import Recipe
from ganzoo.training import Options, train
from ganzoo_stylegan.stylegan2.declaration import STYLEGAN2
from ganzoo_stylegan.stylegan2.recipe import RECIPES, STYLEGAN2_RECIPE

SHARED = {"image_size": 8, "widths": [6, 4], "num_classes": 2, "mapping_layers": 2}


@pytest.mark.parametrize("recipe", [STYLEGAN2_RECIPE, RECIPES["ada-256"]], ids=["default", "ada-256"])
def test_two_steps(recipe: Recipe, tmp_path: Path) -> None:
    images = torch.randint(0, 256, (8, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    data = TensorDataset(images, "noise", labels=torch.arange(8) % 2)
    short = msgspec.structs.replace(recipe, batch_size=4, images=8)
    run = train(
        STYLEGAN2,
        {role: network_class(STYLEGAN2, role) for role in STYLEGAN2.networks},
        data,
        tmp_path / "run",
        recipe=short,
        config={"generator": {**SHARED, "z_dim": 5, "w_dim": 6}, "discriminator": SHARED},
        options=Options(seed=1, intervals={"log": 1}),
        plugin="stylegan",
    )
    lines = [msgspec.json.decode(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    figures = {key: value for line in lines for key, value in line.items() if isinstance(value, float)}
    assert all(math.isfinite(value) for value in figures.values())
    assert any("r1" in key for key in figures) and any("path" in key for key in figures)
    assert run.model is not None


def test_recipes_are_the_papers() -> None:
    for recipe in (STYLEGAN2_RECIPE, *RECIPES.values()):
        assert isinstance(recipe, Recipe)
        assert {name: each.every for name, each in recipe.regularizers.items()} == {"r1": 16, "path-length": 4}
        assert recipe.loss == "non-saturating" and recipe.generator.betas == (0.0, 0.99)
