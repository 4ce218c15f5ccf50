"""Constraints hold after every step, and leave no trace in what is exported."""

import pytest
import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError, UnknownNameError
from ganzoo.models import Discriminator
from ganzoo.nn import SpectralLinear
from ganzoo.training.constraints import SpectralNormalisation, WeightClipping, constraints_of, plain_state_dict


class Judge(Discriminator):
    modality = "image"

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.up = nn.ConvTranspose2d(3, 2, 2)
        self.norm = nn.BatchNorm2d(2)
        self.linear = nn.Linear(2 * 7 * 7, 1)
        self.classes = nn.Embedding(4, 98)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        h = self.norm(self.up(self.conv(x)).relu()).flatten(1)
        scores: Tensor = self.linear(h).flatten() + (0 if c is None else (self.classes(c) * h).sum(1))
        return scores


def judge(seed: int = 0) -> Judge:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Judge()


X, C = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 3, 1, 1, 2])


def largest_singular_value(weight: Tensor, axis: int = 0) -> float:
    return float(torch.linalg.matrix_norm(weight.detach().transpose(0, axis).flatten(1), ord=2))


def trained(network: Judge, steps: int, *, after: object = None) -> Judge:
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        network(X, C).square().mean().backward()
        optimizer.step()
        if isinstance(after, WeightClipping):
            after.after_step(network)
    return network


def test_every_layer_has_a_spectral_norm_of_one_after_training() -> None:
    network = judge()
    SpectralNormalisation().apply(network)
    trained(network, 50)
    for _ in range(200):  # the estimate is one step of the power method a pass
        network(X, C)
    network.eval()
    for layer, axis in ((network.conv, 0), (network.up, 1), (network.linear, 0), (network.classes, 0)):
        assert largest_singular_value(layer.weight, axis) == pytest.approx(1, abs=1e-3)
    assert largest_singular_value(network.conv.parametrizations.weight.original) != pytest.approx(1, abs=1e-2)


def test_what_is_exported_is_a_plain_network_that_computes_the_same() -> None:
    network, constraints = judge(), constraints_of(["spectral-norm"])
    for constraint in constraints:
        constraint.apply(network)
    trained(network, 3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = plain_state_dict(network, constraints)
    twin = judge(seed=1)
    assert state.keys() == twin.state_dict().keys()
    twin.load_state_dict(state)
    assert network.training and network.conv.training
    after = network.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(twin.eval()(X, C), network.eval()(X, C))


def test_a_constrained_network_resumes_from_its_state() -> None:
    networks = judge(), judge(seed=1)
    for network in networks:
        SpectralNormalisation().apply(network)
    trained(networks[0], 2)
    networks[1].load_state_dict(networks[0].state_dict())
    one, other = (trained(network, 2).state_dict() for network in networks)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_first_vectors_do_not_depend_on_what_was_drawn_before_nor_disturb_what_comes() -> None:
    networks = judge(), judge()
    for seed, network in enumerate(networks):
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        SpectralNormalisation().apply(network)
        assert torch.equal(state, torch.get_rng_state())
    one, other = (network.state_dict() for network in networks)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_layers_that_are_normalised_already_are_left_alone() -> None:
    class Normalised(Judge):
        def __init__(self) -> None:
            super().__init__()
            self.linear = SpectralLinear(98, 1)

    network = Normalised()
    SpectralNormalisation().apply(network)
    assert {"linear.weight_orig", "conv.parametrizations.weight.original"} <= network.state_dict().keys()
    assert not any(name.startswith("linear.parametrizations") for name in network.state_dict())
    assert "linear.weight_orig" in plain_state_dict(network, [SpectralNormalisation()])


def test_a_network_without_weights_to_normalise_is_refused() -> None:
    class Bare(Judge):
        def __init__(self) -> None:
            Discriminator.__init__(self)
            self.linear = SpectralLinear(98, 1)

    with pytest.raises(ConfigError, match="Bare has no weight left for the constraint 'spectral-norm'"):
        SpectralNormalisation().apply(Bare())


def test_weights_of_zero_are_refused_instead_of_made_nan() -> None:
    """So begin the residual branches of an R3GAN."""
    network = judge()
    nn.init.zeros_(network.linear.weight)
    with pytest.raises(ConfigError, match="Judge starts with weights of zero, which cannot be normalised.*: linear"):
        SpectralNormalisation().apply(network)
    assert network.state_dict().keys() == judge().state_dict().keys()


def test_clipped_weights_stay_within_the_limit_and_are_plain() -> None:
    network, constraint = judge(), WeightClipping()
    constraint.apply(network)
    assert max(float(p.detach().abs().max()) for p in network.parameters()) <= 0.01
    trained(network, 5, after=constraint)
    largest = [float(p.detach().abs().max()) for p in network.parameters()]
    assert max(largest) == pytest.approx(0.01)
    state = plain_state_dict(network, [constraint])
    assert state.keys() == judge().state_dict().keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())


def test_frozen_layers_are_not_clipped() -> None:
    network = judge()
    network.conv.requires_grad_(False)
    before = network.conv.weight.clone()
    WeightClipping().apply(network)
    assert torch.equal(network.conv.weight, before)
    assert float(network.linear.weight.detach().abs().max()) <= 0.01


def test_both_constraints_together() -> None:
    network, constraints = judge(), constraints_of(["weight-clipping", "spectral-norm"])
    for constraint in constraints:
        constraint.apply(network)
    for constraint in constraints:
        constraint.after_step(network)
    assert float(network.conv.parametrizations.weight.original.detach().abs().max()) <= 0.01
    assert plain_state_dict(network, constraints).keys() == judge().state_dict().keys()


def test_without_constraints_the_state_is_the_networks_own() -> None:
    network = judge()
    assert plain_state_dict(network, [])["conv.weight"].data_ptr() == network.conv.weight.data_ptr()


def test_an_unknown_constraint_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'spectral-norm'"):
        constraints_of(["spectral-nrom"])
