from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from ganzoo.data import TensorPictures
from ganzoo.errors import TrainingError
from ganzoo.spec import Optimizer, Recipe
from ganzoo.training import Engine
from tests.training.toy import RECIPE, ToyDiscriminator, ToyGenerator


class Spying(ToyDiscriminator):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        self.shown.append(x.detach().clone())
        return super().forward(x, c)


def engine(recipe: Recipe, discriminator: ToyDiscriminator | None = None, low: int = 0, high: int = 256) -> Engine:
    torch.manual_seed(0)
    pixels = torch.randint(low, high, (16, 1, 8, 8), dtype=torch.uint8)
    return Engine(
        ToyGenerator(), discriminator or ToyDiscriminator(), TensorPictures(pixels), recipe, seed=1, device=torch.device("cpu")
    )


def plain(**changes: Any) -> Recipe:
    quiet = msgspec.structs.replace(RECIPE, r1_gamma=0.0, augment=(), label_smoothing=0.0, discriminator_steps=1)
    return msgspec.structs.replace(quiet, **changes)


def test_real_images_are_shown_from_minus_one_to_one() -> None:
    spy = Spying()
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).repeat(64)[: 2 * 64].view(2, 1, 8, 8)
    Engine(ToyGenerator(), spy, TensorPictures(pixels), plain(), seed=0, device=torch.device("cpu")).step()
    assert spy.shown[0].unique().tolist() == pytest.approx([-1.0, -0.6, 1.0], abs=1e-6)


def test_a_step_updates_the_discriminator_as_often_as_the_recipe_says() -> None:
    spy = Spying()
    progress = engine(plain(discriminator_steps=3), spy).step()
    assert len(spy.shown) == 3 * 2 + 1  # real and generated each time, then the generator's turn
    assert progress.images == 12


def test_both_sides_of_the_game_see_augmented_images() -> None:
    spy = Spying()
    engine(plain(augment=("cutout",)), spy).step()
    for shown in spy.shown:  # real, generated, and generated in the generator's turn
        assert bool(((shown == 0).sum((1, 2, 3)) >= 4).all())


def test_each_turn_changes_its_own_network_alone() -> None:
    played = engine(plain(generator=Optimizer(lr=1e-2)))
    before = {name: {k: v.clone() for k, v in network.named_parameters()} for name, network in played.networks().items()}
    played._update_discriminator()
    assert _changed(before["discriminator"], played.discriminator) and not _changed(before["generator"], played.generator)
    frozen = {k: v.clone() for k, v in played.discriminator.named_parameters()}
    played._update_generator()
    assert _changed(before["generator"], played.generator) and not _changed(frozen, played.discriminator)
    assert all(p.requires_grad for p in played.discriminator.parameters())


def _changed(before: dict[str, Tensor], network: torch.nn.Module) -> bool:
    return any(not torch.equal(before[name], p) for name, p in network.named_parameters())


@pytest.mark.parametrize(
    "changes", [{"r1_gamma": 5.0}, {"label_smoothing": 0.3}, {"loss": "least-squares"}, {"augment": ("color",)}]
)
def test_every_part_of_the_recipe_reaches_the_game(changes: dict[str, Any]) -> None:
    assert engine(plain(**changes)).step().d_loss != pytest.approx(engine(plain()).step().d_loss, rel=1e-4)


def test_the_generator_learns_where_the_data_is() -> None:
    """White data, a generator that begins at grey: after a few hundred steps it makes white pictures."""
    played = engine(plain(batch_size=16, ema_images=100, generator=Optimizer(lr=5e-3)), low=255)
    dull = float(played.average.sample(32, seed=0).tensor.mean())
    for _ in range(300):
        played.step()
    assert abs(dull) < 0.3 and float(played.average.sample(32, seed=0).tensor.mean()) > 0.9


@pytest.mark.parametrize("spoilt", ["discriminator", "generator"])
def test_a_loss_that_is_not_finite_updates_nothing(spoilt: str) -> None:
    played = engine(plain())
    poison: Callable[[Any, Any, Any], Tensor] = lambda module, inputs, output: output * float("nan")  # noqa: E731
    getattr(played, spoilt).register_forward_hook(poison)
    before = [p.clone() for p in played.discriminator.parameters()]
    with pytest.raises(TrainingError, match="became nan after 0 images"):
        played.step()
    assert all(torch.equal(a, b) for a, b in zip(before, played.discriminator.parameters(), strict=True))
