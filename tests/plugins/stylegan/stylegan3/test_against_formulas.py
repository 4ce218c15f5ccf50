"""Generators of every kind agree with straight formulas, and their sizes with the paper's rules."""

import math

import pytest
import torch
from torch import Tensor

from ganzoo_stylegan.stylegan3.fourier import FourierFeatures
from ganzoo_stylegan.stylegan3.geometry import Band, Rules
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator
from tests.plugins.stylegan.stylegan3 import plain
from tests.plugins.stylegan.stylegan3.small import CONFIGS, generator, inputs


def bands(config: dict) -> list[tuple[float, float, int, int]]:
    """Cutoff, stop band, rate and size of every layer, by the formulas of appendix C."""
    size, count = config["image_size"], config["layers"]
    first, stop = config.get("first_cutoff", 2), config.get("first_stopband", 2**2.1)
    critical, margin = count - config.get("critical_layers", 2), config.get("margin", 10)
    found = []
    for i in range(count + 1):
        share = min(i / critical, 1)
        cutoff = first * (size / 2 / first) ** share
        stopband = stop * (size / 2 * config.get("last_stopband", 2**0.3) / stop) ** share
        rate = 1
        while rate < min(2 * stopband, size) - 1e-9:
            rate *= 2
        found.append((cutoff, stopband, rate, size if i >= count - 1 else rate + 2 * margin))
    return found


def by_formulas(made: StyleGAN3Generator, config: dict, z: Tensor, c: Tensor | None) -> Tensor:
    state = {name: tensor.detach() for name, tensor in made.state_dict().items()}
    w = plain.mapped(state, z, c, layers=config.get("mapping_layers", 2), lr=config.get("mapping_lr", 0.01))
    sizes = bands(config)
    cutoff, _, rate, size = sizes[0]
    x = plain.features(state, w, size=size, rate=rate, cutoff=cutoff)
    names = sorted({key.split(".")[1] for key in state if ".L" in key}, key=lambda name: int(name.split("_")[0][1:]))
    for i, name in enumerate(names):
        last = i == len(names) - 1
        before, after = sizes[max(i - 1, 0)], sizes[i]
        middle = max(before[2], after[2]) * (1 if last else config.get("oversampling", 2))
        x = plain.layer(
            state,
            f"synthesis.{name}",
            x,
            w,
            after=after[3],
            up=middle // before[2],
            down=middle // after[2],
            to_image=last,
            clamp=config.get("conv_clamp", 256),
        )
    return x * config.get("output_scale", 0.25)


@pytest.mark.parametrize("name", CONFIGS)
def test_images_are_those_of_the_formulas(name: str) -> None:
    made = generator(name)
    for count in (1, 2):
        z, c = inputs(made, count)
        with torch.no_grad():
            got, want = made(z, c), by_formulas(made, CONFIGS[name], z, c)
        assert got.shape == (count, *made.output_shape) == want.shape
        assert float((got - want).abs().max()) <= 1e-10 * float(want.abs().max())
        assert float(want.std()) > 1e-3


def test_the_sizes_of_the_published_networks() -> None:
    names = [plan.name for plan in Rules(image_size=1024).plans]
    assert names == [
        *("L0_36_512", "L1_36_512", "L2_52_512", "L3_52_512", "L4_84_512", "L5_148_512", "L6_148_512"),
        *("L7_276_323", "L8_276_203", "L9_532_128", "L10_1044_81", "L11_1044_51", "L12_1044_32", "L13_1024_32", "L14_1024_3"),
    ]
    r = {"kernel_size": 1, "radial": True, "channel_max": 1024}
    published = {  # millions of parameters
        22.313: Rules(image_size=1024),
        24.874: Rules(image_size=512),
        23.320: Rules(image_size=256, channel_base=16384),
        15.093: Rules(image_size=1024, channel_base=65536, **r),
        15.780: Rules(image_size=256, channel_base=32768, **r),
    }
    for millions, rules in published.items():
        assert parameters(rules) / 1e6 == pytest.approx(millions, abs=6e-4)


def parameters(rules: Rules, w_dim: int = 512) -> int:
    """Of a generator: mapping network of two layers, Fourier features, layers with an affine map of the style each."""
    first = rules.bands[0].channels
    count = 2 * (w_dim * w_dim + w_dim) + first * first + 4 * w_dim + 4
    for plan in rules.plans:
        before, after = plan.before.channels, plan.after.channels
        count += before * after * plan.kernel_size**2 + after + before * w_dim + before
    return count


def test_the_moving_averages_follow_in_training_only() -> None:
    made = generator("t", magnitude_beta=0.75, w_avg_beta=0.5)
    z, _ = inputs(made)
    averages = {name: buffer.clone() for name, buffer in made.named_buffers() if name.endswith(("magnitude_ema", "w_avg"))}
    made(z)
    assert all(torch.equal(made.get_buffer(name), before) for name, before in averages.items())
    seen: dict[str, Tensor] = {}
    for name, layer in zip(made.synthesis.names, made.synthesis.layers, strict=True):
        layer.register_forward_pre_hook(lambda _, given, name=name: seen.update({name: given[0].detach().square().mean()}))
    made.train()(z)
    for name, power in seen.items():
        before = averages[f"synthesis.{name}.magnitude_ema"]
        assert float(made.get_submodule(f"synthesis.{name}").magnitude_ema) == pytest.approx(0.75 * before + 0.25 * power)
    mean = made.mapping(z).mean(0)
    assert torch.allclose(made.w_avg, 0.5 * averages["mapping.w_avg"] + 0.5 * mean)
    new = generator("t")  # the new magnitude counts in the very same pass
    for name in made.synthesis.names:
        new.get_submodule(f"synthesis.{name}").magnitude_ema.copy_(made.get_submodule(f"synthesis.{name}").magnitude_ema)
    assert torch.allclose(new(z), _as_trained(made, averages, z))


def _as_trained(made: StyleGAN3Generator, averages: dict[str, Tensor], z: Tensor) -> Tensor:
    for name, before in averages.items():
        made.get_buffer(name).copy_(before)
    return made.train()(z)


def test_frequencies_are_uniform_in_a_disc() -> None:
    torch.manual_seed(0)
    made = FourierFeatures(4, Band(2000, 36, 16, cutoff=2, half_width=2))
    radii = made.freqs.norm(dim=1) / 2
    assert float(radii.max()) < 1
    for share in (0.25, 0.5, 0.75):  # of the disc's area
        assert float((radii < math.sqrt(share)).float().mean()) == pytest.approx(share, abs=0.04)
