"""All configurations against the references' formulas in double precision; their arguments told from keys and shapes alone."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganzoo.building import build_random
from ganzoo_biggan import layouts
from ganzoo_biggan.deep import BigGANDeepDiscriminator, BigGANDeepGenerator
from ganzoo_biggan.networks import BigGANDiscriminator, BigGANGenerator
from ganzoo_biggan.tabulated import BigGANDeepTabulatedGenerator
from ganzoo_biggan.tabulated_layouts import TabulatedGeneratorReader, guess_doubling
from tests.plugins.biggan import reference

NOT_TOLD = {"norm_eps", "spectral_eps", "initialisation", "exact_statistics"}
LARGE = {"width": 2, "num_classes": 3, "latent_size": 17, "embedding_size": 4}
BIGGAN: list[dict[str, Any]] = [
    {"image_size": 32, "width": 3, "num_classes": 5, "embedding_size": 6, "latent_size": 9, "attention": [8, 32]},
    {"image_size": 32, "width": 2, "num_classes": 5, "embedding_size": 6, "latent_size": 9, "hierarchical": False},
    {"image_size": 32, "width": 3, "num_classes": 4, "shared": False, "hierarchical": False, "latent_size": 7},
    {"image_size": 32, "width": 2, "num_classes": 4, "embedding_size": 6, "latent_size": 9, "spectral_norm": False},
    {"image_size": 32, "width": 2, "num_classes": 4, "embedding_size": 6, "latent_size": 4, "statistics": "counted"},
    {"image_size": 32, "width": 2, "num_classes": 4, "embedding_size": 6, "latent_size": 4, "channels": 1, "bottom_width": 5},
    {"image_size": 64, "width": 4, "num_classes": 5, "embedding_size": 3, "latent_size": 12, "attention": [32, 64]},
    {"image_size": 128, **LARGE, "attention": [16], "norm_eps": 1e-4, "spectral_eps": 1e-4},
    {"image_size": 256, **LARGE, "attention": []},
    {"image_size": 512, **LARGE, "attention": [8, 64]},
]
DEEP: list[dict[str, Any]] = [
    {"image_size": 32, "width": 3, "depth": depth, "num_classes": 5, "embedding_size": 6, "latent_size": 9}
    for depth in (1, 2, 3)
]
DEEP += [
    {"image_size": 32, "width": 2, "num_classes": 3, "embedding_size": 6, "latent_size": 9, "attention": [8, 32]},
    {"image_size": 32, "width": 2, "num_classes": 3, "embedding_size": 6, "latent_size": 9, "spectral_norm": False},
    {"image_size": 64, "width": 4, "num_classes": 5, "embedding_size": 3, "latent_size": 12, "attention": [16]},
    {"image_size": 128, **LARGE, "width": 4, "attention": [], "norm_eps": 1e-3},
    {"image_size": 256, **LARGE, "width": 4, "attention": [64]},
]


def randomised(network: nn.Module) -> nn.Module:
    """In double precision and in evaluation, every parameter and buffer changed; singular vectors near those they become."""
    rng = torch.Generator().manual_seed(1)
    network.double().eval()
    with torch.no_grad():
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            draw = torch.randn(tensor.shape, generator=rng, dtype=torch.float64)
            if name.endswith(("var", "variances")):
                tensor.copy_(0.5 + draw.abs())
            elif name.endswith("gain") and draw.numel() == 1:
                tensor.copy_(draw + 1)
            elif not name.endswith(("weight_u", "weight_v", "weight_sigma", "count")):
                tensor.add_(0.1 * draw)
            elif name.endswith("count"):
                tensor.copy_(2 + draw.abs())
        for module in network.modules():
            if hasattr(module, "weight_v"):
                module._iterate(module._matrix(module.weight_orig))
    return network


def foreign(network: Any, reader: Any) -> dict[str, Tensor]:
    """The state in the reference's layout; what the layout tells of it, and its way back, are checked."""
    state = reader.export(network.state_dict(), network.config)
    told = reader.config({key: tuple(tensor.shape) for key, tensor in state.items()})
    assert told is not None
    assert {name: network.config[name] for name in told if name not in ("latent_size", "attention")} == {
        name: value for name, value in told.items() if name not in ("latent_size", "attention")
    }
    assert set(network.config) - set(told) <= NOT_TOLD | {"embedding_size", "shared", "hierarchical"}
    twin = type(network)(**{**told, **{name: network.config[name] for name in NOT_TOLD if name in network.config}})
    back = reader.convert(state, twin.config)
    twin.double().load_state_dict(back, strict=True)
    assert all(torch.equal(back[name], tensor) for name, tensor in network.state_dict().items())
    return state


def close(got: Tensor, want: Tensor) -> None:
    assert got.shape == want.shape
    assert float(want.abs().max()) > 1e-3
    assert float((got - want).abs().max()) < 1e-9 * max(1.0, float(want.abs().max()))


def both_ways(network: Any, want: Tensor, *arguments: Any) -> None:
    """With and without gradients, twice, so that kept weights are used too; and in single precision."""
    close(network(*arguments).detach(), want)
    with torch.inference_mode():
        for _ in range(2):
            close(network(*arguments), want)
        single = [a.float() if isinstance(a, Tensor) and a.is_floating_point() else a for a in arguments]
        got = network.float()(*single)
    assert float((got - want).abs().max()) < 1e-3 * max(1.0, float(want.abs().max()))


def latent_and_classes(network: Any, count: int = 2) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(3)
    z = torch.randn(count, *network.latent_shape, generator=rng, dtype=torch.float64)
    return z, torch.randint(network.num_classes, (count,), generator=rng)


@pytest.mark.parametrize("config", BIGGAN, ids=str)
def test_biggan_generators(config: dict[str, Any]) -> None:
    network: Any = randomised(build_random(BigGANGenerator, config, seed=1))
    state = foreign(network, layouts.BigGANGeneratorReader())
    z, c = latent_and_classes(network)
    plain = {key.replace(".bn.stored", ".stored"): tensor for key, tensor in state.items()}
    eps = {"norm_eps": config.get("norm_eps", 1e-5), "eps": config.get("spectral_eps", 1e-12)}
    want = reference.baseline().biggan(plain, z, c, bottom=config.get("bottom_width", 4), **eps)
    assert want.shape[1:] == network.output_shape
    both_ways(network, want, z, c)


@pytest.mark.parametrize("config", DEEP, ids=str)
def test_deep_generators(config: dict[str, Any]) -> None:
    network: Any = randomised(build_random(BigGANDeepGenerator, config, seed=1))
    state = foreign(network, layouts.BigGANDeepGeneratorReader())
    z, c = latent_and_classes(network)
    want = reference.baseline().deep(state, z, c, depth=config.get("depth", 2), norm_eps=config.get("norm_eps", 1e-5))
    both_ways(network, want, z, c)


TABULATED: list[tuple[dict[str, Any], float]] = [
    ({"layers": [[False, 16, 16], [True, 16, 8], [True, 8, 4], [False, 4, 4], [True, 4, 2]], "attention": 3}, 0.43),
    ({"layers": [[False, 16, 16], [True, 16, 16], [False, 16, 16], [True, 16, 8], [False, 8, 8]], "attention": 0}, 0.58),
    ({"layers": [[False, 16, 16], [True, 16, 8]], "attention": None, "rows": 7, "width": 12}, 0.9),
    ({"layers": [[True, 16, 8], [False, 8, 8], [True, 8, 8]], "attention": 2, "rows": 2, "norm_eps": 1e-3}, 0.25),
]


@pytest.mark.parametrize(("config", "truncation"), TABULATED, ids=str)
def test_generators_with_tabulated_statistics(config: dict[str, Any], truncation: float) -> None:
    config = {"width": 8, "latent_size": 5, "embedding_size": 3, "num_classes": 4, **config}
    network: Any = randomised(build_random(BigGANDeepTabulatedGenerator, config, seed=1))
    state = foreign(network, TabulatedGeneratorReader())
    z, c = latent_and_classes(network)
    eps = config.get("norm_eps", 1e-4)
    for place in (truncation, 0.0, 1.0):
        want = reference.baseline().tabulated(state, z, c, layers=config["layers"], truncation=place, norm_eps=eps)
        close(network(z, c, place).detach(), want)
    both_ways(network, want, z, c)


DOWN: list[dict[str, Any]] = [
    {"image_size": 32, "width": 2, "num_classes": 3, "attention": [16]},
    {"image_size": 32, "width": 3, "num_classes": 0, "wide": False, "channels": 1},
    {"image_size": 64, "width": 8, "num_classes": 3, "attention": [32, 4], "spectral_norm": False},
    {"image_size": 128, "width": 2, "num_classes": 3, "attention": [16]},
    {"image_size": 256, "width": 2, "num_classes": 3, "attention": []},
]


@pytest.mark.parametrize("config", DOWN, ids=str)
def test_discriminators(config: dict[str, Any]) -> None:
    network: Any = randomised(build_random(BigGANDiscriminator, config, seed=1))
    state = foreign(network, layouts.BigGANDiscriminatorReader())
    x, c = pictures(config)
    stages = len(network.blocks)
    halves = [True, True, False, False] if config["image_size"] == 32 else [True] * (stages - 1) + [False]
    both_ways(network, reference.discriminator(state, x, c, halves), x, *([] if c is None else [c]))


@pytest.mark.parametrize(("config", "depth"), [*itertools.product((DOWN[0], *DOWN[2:]), (1, 2))], ids=str)
def test_deep_discriminators(config: dict[str, Any], depth: int) -> None:
    if depth == 1 and config["image_size"] > 64:
        config = {**config, "image_size": 64, "attention": [8]}
    config = {**config, "width": max(4, config["width"])}
    network: Any = randomised(build_random(BigGANDeepDiscriminator, {**config, "depth": depth}, seed=1))
    state = foreign(network, layouts.BigGANDeepDiscriminatorReader())
    x, c = pictures(config)
    halves = [True, True, False] if config["image_size"] == 32 else [True] * (len(network.blocks) // depth)
    both_ways(network, reference.deep_discriminator(state, x, c, halves, depth), x, c)


def pictures(config: dict[str, Any]) -> tuple[Tensor, Tensor | None]:
    rng = torch.Generator().manual_seed(3)
    size = config["image_size"]
    x = torch.randn(2, config.get("channels", 3), size, size, generator=rng, dtype=torch.float64)
    return x, torch.tensor([1, 0]) if config["num_classes"] else None


def test_blocks_of_the_published_networks_are_guessed_rightly() -> None:
    widths = {
        128: [16, 16, 16, 16, 8, 8, 4, 4, 2, 2, 1],
        256: [16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 2, 2, 1],
        512: [16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 2, 2, 1, 1, 1],
    }
    for size, factors in widths.items():
        assert guess_doubling(factors) == [False, True] * (len(factors) // 2)
        assert 4 << sum(guess_doubling(factors)) == size
