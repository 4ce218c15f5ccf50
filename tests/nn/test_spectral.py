"""Spectral normalisation does what PyTorch's first implementation does, and can be copied and trained."""

import copy
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn import (
    INITIALISERS,
    RecomputedSpectralLinear,
    SpectralConv2d,
    SpectralConvTranspose2d,
    SpectralEmbedding,
    SpectralLinear,
    initialise,
)

LAYERS = [
    (SpectralConv2d, nn.Conv2d, (6, 4, 3), torch.randn(2, 6, 5, 5)),
    (SpectralConvTranspose2d, nn.ConvTranspose2d, (6, 4, 4, 2, 1), torch.randn(2, 6, 5, 5)),
    (SpectralLinear, nn.Linear, (6, 4), torch.randn(2, 6)),
    (SpectralEmbedding, nn.Embedding, (6, 4), torch.tensor([5, 0])),
]


@pytest.mark.parametrize(("ours", "theirs", "arguments", "x"), LAYERS)
def test_three_training_passes_and_one_in_evaluation(ours: Any, theirs: Any, arguments: Any, x: Tensor) -> None:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        reference = nn.utils.spectral_norm(theirs(*arguments), eps=1e-6)
    layer = ours(*arguments, eps=1e-6)
    assert layer.state_dict().keys() == reference.state_dict().keys()
    layer.load_state_dict(reference.state_dict())
    for training in (True, True, True, False):
        layer.train(training)
        reference.train(training)
        assert torch.allclose(layer(x), reference(x), atol=1e-6)
    for name, tensor in reference.state_dict().items():
        assert torch.allclose(layer.state_dict()[name], tensor, atol=1e-6), name


@pytest.mark.parametrize(("ours", "theirs", "arguments", "x"), LAYERS)
def test_the_normalised_weight_has_a_largest_singular_value_of_one(ours: Any, theirs: Any, arguments: Any, x: Tensor) -> None:
    torch.manual_seed(0)
    layer = ours(*arguments)
    for _ in range(200):
        layer(x)
    weight = layer.eval().normalised_weight().transpose(0, layer.output_axis).flatten(1)
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=1e-3)


def test_evaluation_changes_nothing_and_training_does() -> None:
    layer = SpectralLinear(6, 4)
    before = copy.deepcopy(layer.state_dict())
    layer.eval()(torch.ones(1, 6))
    assert all(torch.equal(t, before[name]) for name, t in layer.state_dict().items())
    layer.train()(torch.ones(1, 6))
    assert not torch.equal(layer.weight_u, before["weight_u"])


def test_copies_and_several_passes_before_one_backward() -> None:
    layer = SpectralLinear(6, 4)
    (layer(torch.randn(2, 6)).sum() + layer(torch.randn(2, 6)).sum()).backward()
    assert layer.weight_orig.grad is not None
    twin = copy.deepcopy(layer).eval()
    assert torch.equal(twin(torch.ones(1, 6)), layer.eval()(torch.ones(1, 6)))


@pytest.mark.parametrize("name", INITIALISERS)
def test_initialisers(name: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        SpectralLinear(6, 4), nn.Conv2d(4, 8, 3), nn.Embedding(3, 6), nn.ConvTranspose2d(4, 2, 2, bias=False)
    )
    before = copy.deepcopy(network.state_dict())
    initialise(network, name)
    assert network[0].bias.abs().max() == 0
    assert network[1].bias.abs().max() == 0
    assert not torch.equal(network[0].weight_orig, before["0.weight_orig"])
    if name == "orthogonal":
        assert torch.allclose(network[0].weight_orig @ network[0].weight_orig.t(), torch.eye(4), atol=1e-5)


def test_an_unknown_initialiser() -> None:
    with pytest.raises(ConfigError, match="orthogonal, normal, xavier"):
        initialise(nn.Linear(1, 1), "magic")


@pytest.mark.parametrize("layer", [SpectralLinear(6, 4), RecomputedSpectralLinear(6, 4)])
def test_the_vectors_keep_their_precision_where_layers_compute_in_half(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[bool] = []
    own = torch.mv
    monkeypatch.setattr(torch, "mv", lambda *args: (inside.append(torch.is_autocast_enabled("cpu")), own(*args))[1])
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.ones(1, 6)).dtype == torch.bfloat16
    assert inside == [False] * 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's own, which it hides itself
@pytest.mark.parametrize("cls", [SpectralLinear, RecomputedSpectralLinear])
def test_compiled_layers_can_look_twice_before_they_learn(cls: Any) -> None:
    """As a discriminator does: the vectors of the first pass are still needed when the second has improved them."""
    torch.manual_seed(0)
    layer, x = cls(6, 4), torch.randn(2, 3, 6)
    twin = copy.deepcopy(layer)
    twin.compile()
    for each in (layer, twin):
        (each(x[0]).sum() - each(x[1]).square().sum()).backward()
    assert torch.allclose(twin.weight_orig.grad, layer.weight_orig.grad, atol=1e-6)
    assert torch.allclose(twin.weight_u, layer.weight_u, atol=1e-6)
