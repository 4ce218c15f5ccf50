"""The recipe of mlp-gan finds every mode; plain minimax from the same start does not."""

import msgspec
import pytest
import torch

from ganzoo.building import build_random
from ganzoo.models import VectorSamples
from ganzoo.spec import Recipe
from ganzoo.training import Engine
from ganzoo_toys.modes import SAMPLES, ModeCoverage, mode_coverage
from ganzoo_toys.networks import MLPDiscriminator, MLPGenerator
from ganzoo_toys.points import MixtureDataset, gaussians_8, gaussians_25
from ganzoo_toys.recipe import MLP_RECIPE


def train(data: MixtureDataset, recipe: Recipe, seed: int = 0) -> VectorSamples:
    """Points of the averaged generator, networks and draws from ``seed``."""
    generator = build_random(MLPGenerator, {}, seed=seed)
    discriminator = build_random(MLPDiscriminator, {}, seed=seed + 1)
    engine = Engine(generator, discriminator, data.prepare((2,)), recipe, seed=seed)
    while engine.images < recipe.images:
        engine.step()
    return engine.average.generator.sample(SAMPLES, seed=seed)


def measure(data: MixtureDataset, recipe: Recipe) -> ModeCoverage:
    return mode_coverage(train(data, recipe).tensor, data.centres, data.sigma)


def test_the_same_seed_trains_to_the_same_points_and_another_to_others() -> None:
    short = msgspec.structs.replace(MLP_RECIPE, images=20 * MLP_RECIPE.batch_size)
    first, again, other = (train(gaussians_8(), short, seed).tensor for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.slow
def test_the_recipe_captures_25_of_25_modes() -> None:
    found = measure(gaussians_25(), MLP_RECIPE)
    assert found.modes == 25
    assert found.high_quality >= 0.95
    assert found.reverse_kl < 0.05


@pytest.mark.slow
def test_eight_modes_need_fewer_steps_and_minimax_loses_some() -> None:
    recipe = msgspec.structs.replace(MLP_RECIPE, images=768_000)
    found = measure(gaussians_8(), recipe)
    assert found.modes == 8
    assert found.high_quality >= 0.94
    collapsed = measure(gaussians_8(), msgspec.structs.replace(recipe, loss="minimax", regularizers={}))
    assert collapsed.modes < 8
