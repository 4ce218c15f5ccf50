import pytest
import torch
from torch import nn

from ganzoo.training.ema import average_of, update_average


def constant(value: float) -> nn.Linear:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, value)
    return network


def test_after_the_half_life_half_of_the_way_is_gone() -> None:
    network, average = constant(1.0), constant(0.0)
    for _ in range(10):  # ten times 100 images make the half-life; far enough into the run for no ramp-up
        update_average(average, network, half_life=1000, shown=100, images=10**6)
    assert average.weight.item() == pytest.approx(0.5, rel=1e-5)


def test_early_in_a_run_the_half_life_is_a_twentieth_of_the_images_seen() -> None:
    network, average = constant(1.0), constant(0.0)
    update_average(average, network, half_life=1e9, shown=50, images=1000)
    assert average.weight.item() == pytest.approx(0.5, rel=1e-5)


def test_a_half_life_of_zero_copies() -> None:
    network, average = constant(3.0), constant(0.0)
    update_average(average, network, half_life=0, shown=1, images=1)
    assert average.weight.item() == 3.0


def test_buffers_are_copied_and_the_average_takes_no_part_in_training() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    average = average_of(network)
    network(torch.randn(8, 2) * 5 + 3)
    update_average(average, network, half_life=1000, shown=8, images=8000)
    assert torch.equal(average[1].running_mean, network[1].running_mean)
    assert int(average[1].num_batches_tracked) == 1
    assert not average.training and not any(p.requires_grad for p in average.parameters())
    assert network.training and all(p.requires_grad for p in network.parameters())
