"""The networks are one graph for ``torch.export``, for any number of images, and for ``torch.compile``, gradients included."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build_random
from ganzoo_biggan.deep import BigGANDeepDiscriminator, BigGANDeepGenerator
from ganzoo_biggan.networks import BigGANDiscriminator, BigGANGenerator
from ganzoo_biggan.tabulated import BigGANDeepTabulatedGenerator
from tests.plugins.biggan.test_references import randomised

SIZES: dict[str, Any] = {"image_size": 32, "width": 8, "num_classes": 3}
BLOCKS = [[False, 16, 16], [True, 16, 4], [True, 4, 2]]
GENERATORS: list[tuple[Any, dict[str, Any]]] = [
    (BigGANGenerator, {**SIZES, "latent_size": 8, "attention": [16]}),
    (BigGANDeepGenerator, {**SIZES, "latent_size": 8, "attention": [16]}),
    (BigGANDeepTabulatedGenerator, {"layers": BLOCKS, "width": 8, "latent_size": 8, "num_classes": 3, "attention": 2}),
]
JUDGES: list[tuple[Any, dict[str, Any]]] = [(BigGANDiscriminator, SIZES), (BigGANDeepDiscriminator, SIZES)]


def network(cls: Any, config: dict[str, Any]) -> tuple[Any, list[Tensor]]:
    """A network, and what four images are made or judged from."""
    made = randomised(build_random(cls, config, seed=0)).eval()
    shape = made.latent_shape if hasattr(made, "latent_shape") else (3, config["image_size"], config["image_size"])
    given = torch.randn(4, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return made, [given, torch.tensor([1, 0, 2, 1])]


def close(got: Tensor, want: Tensor) -> bool:
    return float((got - want).abs().max()) <= 1e-4 * float(want.abs().max())


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "config"), GENERATORS + JUDGES, ids=str)
def test_one_graph_serves_any_number_of_images(cls: Any, config: dict[str, Any]) -> None:
    made, given = network(cls, config)
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(made, tuple(given), dynamic_shapes=({0: batch}, {0: batch})).module()
    for count in (2, 7, 17):
        some = [torch.cat([each] * 5)[:count] for each in given]
        with torch.no_grad():
            assert close(program(*some), made(*some))


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "config"), GENERATORS + JUDGES, ids=str)
def test_a_compiled_network_gives_the_same_gradients(cls: Any, config: dict[str, Any]) -> None:
    torch.compiler.reset()  # there is a limit to how often one function is compiled, whatever the network
    plain, given = network(cls, config)
    compiled = torch.compile(plain, fullgraph=True, backend="aot_eager")
    weights = list(plain.parameters())
    ways = [torch.autograd.grad(way(*given).square().sum(), weights, allow_unused=True) for way in (plain, compiled)]
    for want, got in zip(*ways, strict=True):
        assert (want is None) == (got is None)
        assert want is None or float((got - want).abs().max()) <= 1e-3 * float(want.abs().max()) + 1e-7
    with torch.no_grad():
        assert close(compiled(*given), plain(*given))
