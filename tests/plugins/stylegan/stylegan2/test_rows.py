"""Large feature maps are made some rows of an image at a time: the same numbers, in less memory."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build_random
from ganzoo_stylegan.stylegan2 import rows
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.synthesis import SynthesisBlock

CONFIGS: list[dict[str, Any]] = [
    {},
    {"architecture": "orig"},
    {"architecture": "resnet"},
    {"kernel_size": 1},
    {"kernel_size": 5, "resample_filter": [1, 2, 1]},
    {"resample_filter": None, "activation": "swish", "conv_clamp": 0.5},
    {"resample_filter": [1, 4, 7, 9, 9, 7, 4, 1]},  # kept as a line
    {"resample_filter": [[1.0, 2, 3], [4, 5, 7], [1, 0, 2], [2, 1, 1], [0, 0, 3]]},
    {"use_noise": False, "num_fp16_res": 1},
]


def generator(**config: Any) -> StyleGAN2Generator:
    sizes = {"image_size": 32, "widths": [9, 8, 7, 6], "z_dim": 6, "w_dim": 5, "mapping_layers": 2}
    G: StyleGAN2Generator = build_random(StyleGAN2Generator, {**sizes, **config}, seed=0).double().eval()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in G.named_parameters():
            if "noise" in name or ("bias" in name and "affine" not in name):
                parameter.copy_(torch.randn(parameter.shape, generator=rng, dtype=torch.float64))
    return G


def parted(monkeypatch: pytest.MonkeyPatch, part: int) -> list[tuple[int, int]]:
    """Lets every block work in parts of so many numbers; records in which block and of which rows."""
    monkeypatch.setattr(rows, "LARGE", 1)
    monkeypatch.setattr(rows, "PART", part)
    monkeypatch.setattr("ganzoo_stylegan.stylegan2.synthesis.large", lambda count, channels, size, weight: True)
    made: list[tuple[int, int]] = []
    in_parts = SynthesisBlock.in_parts

    def spied(block: SynthesisBlock, x: Tensor, *others: Any) -> Any:
        made.append((len(x), x.shape[2]))
        return in_parts(block, x, *others)

    monkeypatch.setattr(SynthesisBlock, "in_parts", spied)
    return made


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("part", [1, 600, 10**6])  # single rows, a few, all
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_parts_are_the_same_as_the_whole(
    config: dict[str, Any], part: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    G = generator(**config)
    z = torch.randn(batch, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for noise in ({}, {"noise_mode": "random", "noise_seeds": range(batch)}):
        with torch.no_grad():
            want = G(z, **noise)
            with monkeypatch.context() as patched:
                made = parted(patched, part)
                got = G(z, **noise)
        assert made == ([] if config.get("architecture") == "resnet" else [(batch, 4), (batch, 8), (batch, 16)])
        assert torch.allclose(got, want, rtol=1e-10, atol=1e-10 * float(want.abs().max()))


def test_what_is_recorded_is_made_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    G = generator()
    z = torch.randn(2, 6, dtype=torch.float64, requires_grad=True)
    want = torch.autograd.grad(G(z).square().sum(), z)[0]
    made = parted(monkeypatch, 600)
    image = G(z)
    assert not made
    assert torch.allclose(torch.autograd.grad(image.square().sum(), z)[0], want)


def test_who_looks_at_a_layer_sees_all_of_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    G, z = generator(), torch.randn(1, 6, dtype=torch.float64)
    made = parted(monkeypatch, 600)
    seen: list[Tensor] = []
    handle = G.synthesis.b16.conv0.register_forward_hook(lambda *hooked: seen.append(hooked[2]))
    with torch.no_grad():
        want = G(z)
        assert [x.shape for x in seen] == [(1, 7, 16, 16)] and made == [(1, 4), (1, 16)]
        handle.remove()
        assert torch.allclose(G(z), want)
    assert len(made) == 5


def test_half_precision_works_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    G = generator(num_fp16_res=2, conv_clamp=256.0).float()
    G.synthesis.half_on_cpu = True
    z = torch.randn(2, 6)
    with torch.no_grad():
        want = G(z)
        made = parted(monkeypatch, 600)
        got = G(z)
    assert len(made) == 3 and got.dtype == torch.float32
    assert torch.allclose(got, want, atol=1e-2 * float(want.abs().max()))


def test_only_large_maps_of_layers_with_smaller_weights_are_made_in_parts() -> None:
    weight = torch.empty(64, 64, 3, 3)
    assert rows.large(1, 64, 256, weight) and not rows.large(1, 64, 128, weight)
    assert rows.large(4, 64, 128, weight)
    assert not rows.large(64, 512, 16, torch.empty(512, 512, 3, 3))  # each image would read a larger weight
    assert not rows.large(1, 64, 256, weight.to("meta"))
    assert rows.parts(64, 128) == [(0, 128)]
    assert rows.parts(64, 256) == [(0, 128), (128, 256)]
    assert rows.parts(2**21, 5) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
