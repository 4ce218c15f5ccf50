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
from tests.support.graphs import check_any_batch, check_compiled

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


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "config"), GENERATORS + JUDGES, ids=str)
def test_one_graph_serves_any_number_of_images(cls: Any, config: dict[str, Any]) -> None:
    check_any_batch(*network(cls, config), (2, 7, 17))


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "config"), GENERATORS + JUDGES, ids=str)
def test_a_compiled_network_gives_the_same_gradients(cls: Any, config: dict[str, Any]) -> None:
    check_compiled(*network(cls, config))
