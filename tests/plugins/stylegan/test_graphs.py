"""The networks are one graph for ``torch.export``, for any number of images, and for ``torch.compile``, gradients included."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build_random
from ganzoo_stylegan.stylegan1.discriminator import StyleGAN1Discriminator
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Generator
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator
from tests.support.graphs import check_any_batch, check_compiled, close

JUDGE: dict[str, Any] = {"image_size": 8, "widths": [6, 5]}
SMALL: dict[str, Any] = {**JUDGE, "z_dim": 5, "w_dim": 4, "mapping_layers": 2}
ALIAS_FREE: dict[str, Any] = {
    **{"image_size": 16, "z_dim": 5, "w_dim": 4, "layers": 3, "critical_layers": 1, "margin": 2},
    **{"channel_base": 64, "channel_max": 20},
}
GENERATORS = [
    (StyleGAN1Generator, SMALL),
    (StyleGAN2Generator, SMALL),
    (StyleGAN2Generator, {**SMALL, "architecture": "resnet"}),
    (StyleGAN3Generator, ALIAS_FREE),
    (StyleGAN3Generator, {**ALIAS_FREE, "kernel_size": 1, "radial": True}),
]
JUDGES = [
    (StyleGAN1Discriminator, JUDGE),
    *((StyleGAN2Discriminator, {**JUDGE, "architecture": architecture}) for architecture in ("resnet", "skip", "orig")),
]


def network(cls: Any, config: dict[str, Any], classes: int) -> tuple[Any, list[Tensor]]:
    """A network, and what four images are made or judged from."""
    made = build_random(cls, {**config, "num_classes": classes}, seed=0).eval()
    shape = made.latent_shape if hasattr(made, "latent_shape") else (3, config["image_size"], config["image_size"])
    given = torch.randn(4, *shape, generator=torch.Generator().manual_seed(0))
    return made, [given, *([torch.tensor([1, 0, 2, 1])] if classes else [])]


@pytest.mark.slow
@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize(("cls", "config"), GENERATORS, ids=str)
def test_one_graph_makes_any_number_of_images(cls: Any, config: dict[str, Any], classes: int) -> None:
    check_any_batch(*network(cls, config, classes), (2, 7))


@pytest.mark.slow
@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize(("cls", "config"), JUDGES, ids=str)
def test_a_judge_can_be_exported(cls: Any, config: dict[str, Any], classes: int) -> None:
    D, given = network(cls, config, classes)
    program = torch.export.export(D, tuple(given)).module()
    with torch.no_grad():
        assert close(program(*given), D(*given))


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "config"), GENERATORS + JUDGES, ids=str)
def test_a_compiled_network_gives_the_same_gradients(cls: Any, config: dict[str, Any]) -> None:
    check_compiled(*network(cls, config, 3))
