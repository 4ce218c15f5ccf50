"""What is registered is what the networks take; the recipe is the paper's and trains."""

import inspect

import msgspec
import pytest
import torch

from ganzoo.building import build_random, network_class
from ganzoo.data import TensorDataset
from ganzoo.models.network import json_value
from ganzoo.spec import Role
from ganzoo.training import Engine
from ganzoo_stylegan.stylegan1.declaration import ARCHITECTURES

(ARCHITECTURE,) = ARCHITECTURES
ROLES: tuple[Role, ...] = ("generator", "discriminator")


@pytest.mark.parametrize("role", ROLES)
def test_declared_arguments_are_the_constructors(role: Role) -> None:
    parameters = list(inspect.signature(network_class(ARCHITECTURE, role).__init__).parameters.values())[1:]
    declared = {field.name: json_value(field.default, field.name) for field in ARCHITECTURE.config if role in field.roles}
    assert declared == {p.name: json_value(p.default, p.name) for p in parameters}


def test_the_recipe_is_the_papers() -> None:
    """Appendix C: R1 with a gamma of 10, Adam with betas 0 and 0.99, learning rates and batches by resolution."""
    rates = {name: recipe.generator.lr for name, recipe in ARCHITECTURE.recipes.items()}  # type: ignore[union-attr]
    assert rates == {"32-pixels": 1e-3, "64-pixels": 1e-3, "128-pixels": 1.5e-3, "256-pixels": 2e-3}
    recipe = ARCHITECTURE.recipe
    assert recipe is not None
    for each in (recipe, *ARCHITECTURE.recipes.values()):
        assert each.regularizers["r1"].weight == 10  # type: ignore[union-attr]
        assert each.generator == each.discriminator
        assert each.generator.betas == (0, 0.99)
    assert (recipe.generator.lr, recipe.batch_size, recipe.images) == (3e-3, 32, 25_000_000)  # type: ignore[union-attr]


def test_two_steps_of_training() -> None:
    """Every weight that two finished resolutions use moves, and so does the average of w."""
    rng = torch.Generator().manual_seed(0)
    data = TensorDataset(torch.randint(0, 256, (8, 3, 16, 16), generator=rng, dtype=torch.uint8), "noise")
    config = {"image_size": 16, "channel_base": 64, "channel_max": 8}
    G = build_random(network_class(ARCHITECTURE, "generator"), {**config, "z_dim": 8, "w_dim": 8}, seed=0)
    D = build_random(network_class(ARCHITECTURE, "discriminator"), config, seed=1)
    before = {name: tensor.clone() for net in (G, D) for name, tensor in net.state_dict().items()}
    assert ARCHITECTURE.recipe is not None
    engine = Engine(
        G, D, data.prepare((3, 16, 16)), msgspec.structs.replace(ARCHITECTURE.recipe, batch_size=4, images=8), seed=0
    )
    for _ in range(2):
        engine.step()
    after = {name: tensor for net in (G, D) for name, tensor in net.state_dict().items()}
    still = {name for name, tensor in after.items() if torch.equal(tensor, before[name])}
    small = {f"synthesis.to_image.{i}.{end}" for i in (0, 1) for end in ("weight", "bias")}
    small |= {f"from_image.{i}.{end}" for i in (1, 2) for end in ("weight", "bias")}
    fixed = {name for name in after if name.endswith(("blur.kernel", "styled.noise", "lod"))}
    assert still == small | fixed
    assert all(tensor.isfinite().all() for tensor in after.values())
