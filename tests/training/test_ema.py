import pytest
import torch
from torch import Tensor, nn

from ganzoo.models import VectorGenerator
from ganzoo.training.ema import Average


class One(VectorGenerator):
    """One weight, and a normalisation with buffers."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(value))
        self.norm = nn.BatchNorm1d(1)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (1,)

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.norm(z) * self.weight
        return x


def follow(times: int = 1, **how: float) -> float:
    """Where an average that begins at 0 is after it has followed a weight of 1."""
    average = Average(One(0.0))
    for _ in range(times):
        average.update(One(1.0), **{"ramp": 0.05, **how})
    return float(average.generator.weight)


def test_after_the_half_life_half_of_the_way_is_gone() -> None:
    # Ten times 100 images make the half-life; far enough into the run for no ramp-up.
    assert follow(10, half_life=1000, shown=100, images=10**6) == pytest.approx(0.5, rel=1e-5)


def test_early_in_a_run_the_half_life_is_a_share_of_the_images_seen() -> None:
    assert follow(half_life=1e9, shown=50, images=1000) == pytest.approx(0.5, rel=1e-5)
    assert follow(half_life=1e9, shown=100, images=1000, ramp=0.1) == pytest.approx(0.5, rel=1e-5)


def test_without_a_ramp_the_half_life_is_what_it_is_from_the_beginning() -> None:
    assert follow(half_life=1000, shown=1000, images=1000, ramp=0) == pytest.approx(0.5, rel=1e-5)


def test_a_half_life_of_zero_copies() -> None:
    assert follow(half_life=0, shown=1, images=1) == 1.0


def test_the_first_update_moves_and_does_not_copy() -> None:
    """torch's averaged model overwrites itself at its first update unless it is told that it has begun."""
    assert follow(half_life=1e6, shown=1, images=10**9) < 1e-5


def test_buffers_are_copied_and_the_average_takes_no_part_in_training() -> None:
    network = One(1.0).train()
    average = Average(network)
    network(torch.randn(8, 1) * 5 + 3)
    average.update(network, half_life=1000, ramp=0.05, shown=8, images=8000)
    assert torch.equal(average.generator.norm.running_mean, network.norm.running_mean)  # type: ignore[union-attr]
    assert int(average.generator.norm.num_batches_tracked) == 1  # type: ignore[union-attr]
    assert not average.generator.training and not any(p.requires_grad for p in average.generator.parameters())
    assert network.training and all(p.requires_grad for p in network.parameters())
