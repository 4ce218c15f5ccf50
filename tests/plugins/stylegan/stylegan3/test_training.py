"""StyleGAN3 can be trained: two steps of its recipes, and the blur that R begins with."""

import math
from typing import Any

import msgspec
import pytest
import torch

from ganzoo.building import build_random
from ganzoo.data import TensorExamples
from ganzoo.training import Draws, Engine
from ganzoo.training.augment import build_pipeline
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan3.blur import blur
from ganzoo_stylegan.stylegan3.declaration import ARCHITECTURES, AUGMENTATIONS
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator
from ganzoo_stylegan.stylegan3.recipe import RECIPES, STYLEGAN3_RECIPE
from tests.plugins.stylegan.stylegan3.small import CONFIGS


@pytest.mark.parametrize("classes", [0, 3])
def test_two_steps(classes: int) -> None:
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8)
    labels = torch.arange(8) % classes if classes else None
    config: dict[str, Any] = {**CONFIGS["t"], "num_classes": classes}
    G = build_random(StyleGAN3Generator, config, seed=0)
    D = build_random(StyleGAN2Discriminator, {"image_size": 16, "channel_max": 8, "num_classes": classes}, seed=1)
    before = {name: tensor.clone() for name, tensor in G.state_dict().items()}
    recipe = msgspec.structs.replace(STYLEGAN3_RECIPE, batch_size=4, images=8)
    engine = Engine(G, D, TensorExamples(pixels), recipe, seed=1, labels=labels)
    figures = [engine.step().figures for _ in range(2)]
    engine.close()
    assert all(math.isfinite(value) for each in figures for value in each.values())
    assert figures[0]["d_loss"] == pytest.approx(2 * math.log(2), abs=1.0)
    same = {name for name, tensor in G.state_dict().items() if torch.equal(tensor, before[name])}
    fixed = {"synthesis.input.transform", "synthesis.input.freqs", "synthesis.input.phases"}
    assert same == fixed | {name for name in before if name.endswith("_filter")}
    assert engine.grid([1, 2, 3]).tensor.isfinite().all()


def test_recipes() -> None:
    (architecture,) = ARCHITECTURES
    assert architecture.recipe is STYLEGAN3_RECIPE and dict(architecture.recipes) == RECIPES
    for name, recipe in RECIPES.items():
        kind, size = name.split("-")
        assert recipe.regularizers["r1"].weight == 2 * (int(size) / 256) ** 2
        assert set(recipe.regularizers) == {"r1"} and recipe.regularizers["r1"].every == 16
        assert (recipe.generator.lr, recipe.discriminator.lr) == (2.5e-3, 2e-3)
        assert recipe.generator.betas == recipe.discriminator.betas == (0.0, 0.99)
        assert bool(recipe.augment.pipeline) == (kind == "r")
    (part,) = AUGMENTATIONS
    assert list(RECIPES["r-256"].augment.pipeline) == [part.id]


def test_the_blur_is_a_bell_that_shrinks() -> None:
    draws = Draws(torch.Generator())
    image = torch.zeros(1, 1, 65, 65, dtype=torch.float64)
    image[0, 0, 32, 32] = 1
    half = blur(image, draws, 0.5)  # 5 pixels, reaching 15
    assert float(half.sum()) == pytest.approx(1)
    assert float(half[0, 0, 32, 37] / half[0, 0, 32, 32]) == pytest.approx(0.5)
    assert float(half[0, 0, 37, 37] / half[0, 0, 32, 32]) == pytest.approx(0.25)
    assert float(half[0, 0, 32, 47]) > 0 == float(half[0, 0, 32, 48])
    assert blur(image, draws, 0.03) is image
    assert blur(image, draws, 0.0) is image


def test_the_blur_serves_as_an_augmentation() -> None:
    recipe = RECIPES["r-256"]
    pipeline = build_pipeline(recipe.augment.pipeline, find=lambda name: {AUGMENTATIONS[0].id: blur}[name])
    images = torch.randn(2, 3, 16, 16)
    for p in (1.0, 0.4):
        assert torch.allclose(pipeline(images, Draws(torch.Generator()), p), blur(images, Draws(torch.Generator()), p))
