"""Penalties on weights against matrices worked out by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models import Discriminator
from ganzoo.nn import SpectralLinear
from ganzoo.training.regularizers import OrthogonalDiscriminator, OrthogonalGenerator, Spectral
from ganzoo.training.regularizers.weights import weight_matrices
from tests.training.regularizers.support import SmoothGenerator, discriminator_turn, generator_turn, gradient_of, same


class Weighed(Discriminator):
    """Holds layers; what it says does not matter."""

    modality = "vector"

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList()

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        raise AssertionError("weights are penalised without a pass")


def with_weights(*weights: list[list[float]]) -> Weighed:
    network = Weighed()
    for weight in weights:
        layer = nn.Linear(len(weight[0]), len(weight), bias=False).double()
        layer.weight.data = torch.tensor(weight, dtype=torch.float64)
        network.layers.append(layer)
    return network


def turn(network: Discriminator, part: Any) -> Any:
    return discriminator_turn(network, [[0.0]], [[0.0]], part)


def test_orthogonal_counts_the_angles_between_filters_and_not_their_norms() -> None:
    # Filters (1, 1) and (1, 0): their product is 1, and it stands twice in the matrix. (2, 0) and (0, 3) are orthogonal.
    network, part = with_weights([[1.0, 1.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]), OrthogonalDiscriminator()
    penalty = part.penalty(turn(network, part))
    assert penalty.item() == pytest.approx(2.0)
    # d/dW of the sum of the squared products is 4 (W W^T o (1 - I)) W: rows exchanged, times 4.
    slopes = gradient_of(penalty, network.layers[0].weight)
    assert slopes.tolist() == [[4.0, 0.0], [4.0, 4.0]]


def test_of_a_constrained_layer_the_trained_weight_is_penalised_and_its_vectors_are_left_alone() -> None:
    network, part = with_weights([[3.0, 0.0], [0.0, 2.0]]), Spectral(iterations=50)
    nn.utils.parametrizations.spectral_norm(network.layers[0])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert part.penalty(turn(network.train(), part)).item() == pytest.approx(4.5)
    after = network.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_orthogonal_of_a_generator() -> None:
    generator = SmoothGenerator()
    w = generator.first.weight.detach()
    # The transposed convolution has a single output channel, and so no angles.
    wanted = sum(float(w[i] @ w[j]) ** 2 for i in range(5) for j in range(5) if i != j)
    assert OrthogonalGenerator().penalty(generator_turn(generator, [[0.0, 0.0]])).item() == pytest.approx(wanted)


def test_which_weights_count() -> None:
    network = nn.ModuleList(
        [nn.Conv2d(3, 5, 2), nn.ConvTranspose2d(3, 5, 2), nn.BatchNorm2d(3), nn.Embedding(4, 6), SpectralLinear(3, 2)]
    )
    assert [tuple(w.shape) for w in weight_matrices(network)] == [(5, 12), (5, 12), (2, 3)]


def test_spectral_is_half_the_squared_norms_and_its_gradient_the_singular_vectors() -> None:
    network, part = with_weights([[3.0, 0.0], [0.0, 1.0]], [[3.0, 4.0]]), Spectral()
    penalty = part.penalty(turn(network, part))
    assert penalty.item() == pytest.approx((9 + 25) / 2)
    # d/dW s^2 / 2 = s u v^T
    assert torch.allclose(gradient_of(penalty, network.layers[0].weight), torch.tensor([[3.0, 0.0], [0.0, 0.0]]).double())


def test_spectral_follows_the_weights_from_step_to_step() -> None:
    network, part = with_weights([[3.0, 0.0], [0.0, 2.0]]), Spectral(iterations=2)
    values = []
    for step in range(31):
        if step == 1:
            with torch.no_grad():
                network.layers[0].weight[1, 1] = 5.0
        values.append(part.penalty(turn(network, part)).item())
        assert part.penalty(turn(network, part)).item() == values[-1]  # another piece of the same step
        part.after_step(same)
    assert values.pop(0) == pytest.approx(9 / 2, rel=1e-6)
    assert values[0] < 12  # the vector is still near the former one
    assert values[-1] == pytest.approx(25 / 2, rel=1e-6)


def test_a_restored_one_goes_on_alike() -> None:
    network = with_weights([[3.0, 1.0], [0.5, 2.9]], [[1.0, 2.0]])
    parts = Spectral(), Spectral()
    parts[0].penalty(turn(network, parts[0]))
    parts[0].after_step(same)
    parts[1].restore(parts[0].state())
    with torch.no_grad():
        network.layers[0].weight[1, 1] = 4.0
    one, other = (part.penalty(turn(network, part)) for part in parts)
    assert torch.equal(one, other)
    assert not torch.equal(one, Spectral().penalty(turn(network, parts[0])))


def test_a_network_without_weights_is_refused() -> None:
    with pytest.raises(ConfigError, match="Weighed has no layer with a weight"):
        OrthogonalDiscriminator().penalty(turn(Weighed(), OrthogonalDiscriminator))


@pytest.mark.parametrize("kind", [OrthogonalDiscriminator, Spectral])
def test_half_precision_does_not_reach_the_weights(kind: Any) -> None:
    network, part = with_weights([[1.001, 1.0], [1.0, 0.003]]), kind()
    network.layers.float()
    wanted = part.penalty(turn(network, part))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = kind().penalty(turn(network, part))
    assert torch.equal(found, wanted) and found.dtype == torch.float32


def test_bad_options_are_named() -> None:
    with pytest.raises(ConfigError, match="'iterations' must be an integer of at least 1, not 0.5"):
        Spectral.from_options("spectral", {"iterations": 0.5})
