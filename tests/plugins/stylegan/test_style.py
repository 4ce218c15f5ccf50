"""What all generators with a style share: noise of a seed, mixed styles under truncation, precision."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build_random
from ganzoo.models.seeds import sample_seeds
from ganzoo_stylegan.noise import noise_source
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.precision import Precise

SMALL: dict[str, Any] = {"image_size": 16, "z_dim": 6, "w_dim": 5, "widths": [7, 6, 4], "mapping_layers": 2}


@pytest.fixture
def made() -> StyleGAN2Generator:
    network = build_random(StyleGAN2Generator, SMALL, seed=1).eval()
    with torch.no_grad():
        network.w_avg.normal_()
    return network


def test_the_noise_of_a_seed_is_neither_its_latent_nor_that_of_another_sample(made: StyleGAN2Generator) -> None:
    """The first numbers that a seed gives are the latent; noise made of them would show it."""
    seeds = sample_seeds(50, 3)
    drawn = noise_source("random", seeds)(50, torch.zeros(1, made.z_dim))
    assert isinstance(drawn, Tensor)
    noise, latents = drawn.flatten(1), made.latents(seeds)
    assert noise.shape == latents.shape
    assert not set(noise.flatten().tolist()) & set(latents.flatten().tolist())
    assert len(set(noise[:, 0].tolist())) == 50


def test_both_mixed_styles_are_truncated_and_only_up_to_the_cutoff(made: StyleGAN2Generator) -> None:
    z, other = torch.randn(2, 2, 6, generator=torch.Generator().manual_seed(0))
    ws = made.map(z).clone()
    ws[:, 2:5] = made.map(other)[:, 2:5]
    wanted = torch.cat([made.w_avg + 0.3 * (ws[:, :4] - made.w_avg), ws[:, 4:]], 1)
    found = made.styles(z, None, 0.3, 4, other, range(2, 5))
    assert torch.allclose(found, wanted, atol=1e-6)
    assert torch.equal(made(z, None, 0.3, 4, other, range(2, 5)), made.synthesise(found))


def test_double_precision_is_never_halved() -> None:
    precision = Precise({8})
    precision.half_on_cpu = True
    for dtype, wanted in ((torch.float32, torch.float16), (torch.float64, torch.float64), (torch.bfloat16, torch.bfloat16)):
        assert precision.dtype_at(8, torch.zeros(1, dtype=dtype)) == wanted
        assert precision.dtype_at(4, torch.zeros(1, dtype=dtype)) == dtype
