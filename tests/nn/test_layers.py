"""Layers by kind, and the spectral normalisation that is computed anew in every pass."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn import SPECTRAL_NORMS, Layers, RecomputedSpectralLinear, RecomputedSpectralNorm, SpectralNorm, trained_weight

INPUTS: dict[str, tuple[tuple[int, ...], Tensor]] = {
    "convolution": ((6, 4, 3), torch.randn(2, 6, 5, 5)),
    "deconvolution": ((6, 4, 4, 2, 1), torch.randn(2, 6, 5, 5)),
    "linear": ((6, 4), torch.randn(2, 6)),
    "embedding": ((6, 4), torch.tensor([5, 0])),
}


def diagonal(training: bool) -> RecomputedSpectralLinear:
    """The matrix diag(3, 1) and the vector (1, 1) / sqrt 2."""
    layer = RecomputedSpectralLinear(2, 2, bias=False)
    layer.weight_orig.data.copy_(torch.diag(torch.tensor([3.0, 1.0])))
    layer.weight_u.copy_(torch.tensor([0.5, 0.5]).sqrt())
    return layer.train(training)


# One iteration: v = (3, 1) / sqrt 10, W v = (9, 1) / sqrt 10, whose length sqrt(82 / 10) is the estimate.
SIGMA = 8.2**0.5


@pytest.mark.parametrize("training", [False, True])
def test_one_power_iteration_by_hand(training: bool) -> None:
    layer = diagonal(training)
    assert torch.allclose(layer(torch.eye(2)), torch.diag(torch.tensor([3.0, 1.0])) / SIGMA)
    u = torch.tensor([9.0, 1.0]) / 82**0.5 if training else torch.tensor([0.5, 0.5]).sqrt()
    assert torch.allclose(layer.weight_u, u)
    assert layer.weight_sigma.item() == pytest.approx(SIGMA if training else 1.0)


def test_the_gradient_goes_through_the_estimate_by_hand() -> None:
    layer = diagonal(False)
    layer(torch.eye(2)).sum().backward()
    # d(sum W / s)/dW = 1/s - (sum W) u v^T / s^2 with the two vectors held fixed.
    u, v = torch.tensor([9.0, 1.0]) / 82**0.5, torch.tensor([3.0, 1.0]) / 10**0.5
    assert layer.weight_orig.grad is not None
    assert torch.allclose(layer.weight_orig.grad, 1 / SIGMA - 4 * torch.outer(u, v) / SIGMA**2, atol=1e-6)


@pytest.mark.parametrize("kind", SPECTRAL_NORMS)
@pytest.mark.parametrize("name", INPUTS)
def test_every_kind_of_every_layer(kind: str, name: str) -> None:
    arguments, x = INPUTS[name]
    torch.manual_seed(0)
    layer: Any = getattr(Layers(kind, eps=1e-6), name)(*arguments)
    assert isinstance(layer, SpectralNorm) == (kind != "none")
    assert isinstance(layer, RecomputedSpectralNorm) == (kind == "recomputed")
    before = trained_weight(layer).detach().clone()
    for _ in range(200):
        layer(x)
    assert torch.equal(trained_weight(layer), before)
    if kind != "none":
        assert layer.eps == 1e-6
        weight = layer.eval().normalised_weight().transpose(0, layer.output_axis).flatten(1)
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=1e-3)


def test_several_passes_before_one_backward_and_copies() -> None:
    layer = RecomputedSpectralLinear(6, 4)
    (layer(torch.randn(2, 6)).sum() + layer(torch.randn(2, 6)).sum()).backward()
    assert layer.weight_orig.grad is not None
    twin = copy.deepcopy(layer).eval()
    assert torch.equal(twin(torch.ones(1, 6)), layer.eval()(torch.ones(1, 6)))
    assert set(layer.state_dict()) == {"weight_orig", "weight_u", "weight_sigma", "bias"}


def test_an_unknown_kind() -> None:
    with pytest.raises(ConfigError, match="'spectral'") as e:
        Layers("spectral")
    assert "none, stored, recomputed" in str(e.value)


def test_plain_layers_are_those_of_torch() -> None:
    layers = Layers()
    assert type(layers.linear(1, 1)) is nn.Linear
    assert type(layers.embedding(1, 1)) is nn.Embedding
