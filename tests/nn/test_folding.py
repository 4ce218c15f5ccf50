"""Folded layers: the same function as the plain formulas, kept weights that never go stale."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn import RecomputedSpectralConv2d, SelfAttention, SpectralConv2d
from ganzoo.nn.folded_attention import FoldedSelfAttention
from ganzoo.nn.folding import FoldedConv2d, FoldedLayers, Kept, doubling_kernel

KINDS: dict[str, type[nn.Module]] = {"none": nn.Conv2d, "stored": SpectralConv2d, "recomputed": RecomputedSpectralConv2d}


def pair(kind: str, size: int = 3, **options: Any) -> tuple[Any, Any]:
    """A folded convolution and its plain twin."""
    torch.manual_seed(0)
    folded = FoldedLayers(kind).convolution(4, 6, size, padding=size // 2, **options).double().eval()
    plain = KINDS[kind](4, 6, size, padding=size // 2).double().eval()
    plain.load_state_dict(folded.state_dict(), strict=True)
    return folded, plain


def wanted(plain: nn.Module, x: Tensor, options: dict[str, Any]) -> Tensor:
    y = plain(F.interpolate(x, scale_factor=2) if options.get("doubles") else x)
    return y[:, : options.get("outputs", 6)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 4, 3, 5), (2, 4, 16, 8), (17, 4, 4, 4), (1, 4, 16, 16)], ids=str)
@pytest.mark.parametrize("options", [{}, {"doubles": True}, {"outputs": 2}, {"doubles": True, "outputs": 2}], ids=str)
def test_convolutions_equal_plain_ones(kind: str, shape: tuple[int, ...], options: dict[str, Any]) -> None:
    sizes = (3,) if "doubles" in options else (1, 3)
    for size in sizes:
        folded, plain = pair(kind, size, **options)
        for order in (torch.contiguous_format, torch.channels_last):
            x = torch.randn(shape, dtype=torch.float64).contiguous(memory_format=order)
            want = wanted(plain, x, options)
            assert torch.allclose(folded(x), want, atol=1e-12)
            with torch.no_grad():
                assert torch.allclose(folded(x), want, atol=1e-12)


def test_gradients_of_both_orders_are_those_of_the_plain_convolution() -> None:
    folded, plain = pair("recomputed", doubles=True)
    x = torch.randn(1, 4, 16, 16, dtype=torch.float64, requires_grad=True)
    seconds = []
    for layer, doubled in ((folded, x), (plain, F.interpolate(x, scale_factor=2))):
        (first,) = torch.autograd.grad(layer(doubled).square().sum(), x, create_graph=True)
        seconds.append(torch.autograd.grad(first.square().sum(), [layer.weight_orig, x]))
    for ours, theirs in zip(*seconds, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9)


def test_a_kernel_for_doubling_by_hand() -> None:
    weight = torch.zeros(1, 1, 3, 3)
    weight[0, 0, :, 1] = torch.tensor([1.0, 10.0, 100.0])
    rows = [100, 110, 11, 1]  # last; middle and last; first and middle; first
    columns = [0, 1, 1, 0]
    assert doubling_kernel(weight)[0, 0].tolist() == [[row * column for column in columns] for row in rows]


@pytest.mark.parametrize("size", [5, 16])  # the second is doubled by a transposed convolution
@pytest.mark.parametrize("options", [{}, {"doubles": True}, {"bias": False}, {"outputs": 2}], ids=str)
def test_a_gain_of_the_result_can_be_in_the_weight(options: dict[str, Any], size: int) -> None:
    folded: Any = FoldedLayers().convolution(4, 6, 3, padding=1, **options).double()
    x = torch.randn(1, 4, size, size, dtype=torch.float64)
    gain, shift = torch.randn(2, options.get("outputs", 6), dtype=torch.float64)
    with torch.inference_mode():
        want = folded(x) * gain[:, None, None] + shift[:, None, None]
        assert torch.allclose(folded(x, gain, shift), want, atol=1e-12)


def test_a_gain_goes_into_the_weight_of_a_single_image_only_and_where_that_is_smaller() -> None:
    folded, _ = pair("stored")
    small, large = torch.randn(1, 4, 6, 6, dtype=torch.float64), torch.randn(1, 4, 7, 7, dtype=torch.float64)
    with torch.inference_mode():  # 4 * 9 numbers for each channel of the result
        assert folded.scales_cheaply(large) and not folded.scales_cheaply(small)
        assert not folded.scales_cheaply(large.expand(2, -1, -1, -1))
    assert not folded.scales_cheaply(large)  # a gradient is wanted
    folded, _ = pair("none", doubles=True)
    with torch.inference_mode():
        assert folded.scales_cheaply(small)


@pytest.mark.parametrize("kind", KINDS)
def test_kept_weights_never_go_stale(kind: str) -> None:
    folded, _ = pair(kind)
    x = torch.randn(1, 4, 5, 5, dtype=torch.float64)
    weight = folded.weight if kind == "none" else folded.weight_orig

    def fresh() -> Tensor:
        twin = KINDS[kind](4, 6, 3, padding=1).double().eval()
        twin.load_state_dict(folded.state_dict())
        with torch.no_grad():
            return twin(x)

    def agrees() -> bool:
        with torch.inference_mode():
            return torch.allclose(folded(x), fresh(), atol=1e-12)

    assert agrees() and agrees()
    with torch.no_grad():
        weight.mul_(torch.linspace(0.5, 2, weight.numel()).view_as(weight))
    assert agrees()
    torch._foreach_lerp_([weight.detach()], [torch.randn_like(weight)], 0.5)  # as a moving average does it
    assert agrees()
    folded.load_state_dict({name: torch.randn_like(tensor) for name, tensor in folded.state_dict().items()})
    assert agrees()
    optimizer = torch.optim.Adam(folded.parameters(), lr=0.1)
    folded.train()(x).sum().backward()
    optimizer.step()
    folded.training = False  # as sampling during training leaves it, without a call of `eval`
    assert agrees()
    if kind != "none":
        folded.weight_u = F.normalize(torch.randn_like(folded.weight_u), dim=0)
        assert agrees()


def test_what_is_kept_is_computed_once_and_given_back_in_training() -> None:
    folded, _ = pair("stored")
    with torch.inference_mode():
        first, second = folded.folded_weight(), folded.folded_weight()
    assert first is second and not first.is_inference()
    assert folded.folded_weight() is not first  # with a gradient
    folded.requires_grad_(False)
    assert folded.folded_weight() is first  # nobody can want one
    folded.train()
    folded.eval()
    assert folded.folded_weight() is not first


def test_copies_begin_with_nothing_kept() -> None:
    folded, _ = pair("recomputed", doubles=True)
    x = torch.randn(1, 4, 16, 16, dtype=torch.float64)
    with torch.inference_mode():
        want = folded(x)
        for twin in (copy.deepcopy(folded), pickle.loads(pickle.dumps(folded))):
            assert torch.equal(twin(x), want)
        twin.weight_orig.mul_(-1)
        assert torch.equal(folded(x), want)


def test_another_tensor_in_the_same_place_is_another_one() -> None:
    kept, memory, form = Kept(), np.zeros(3), None
    first = kept.get([torch.from_numpy(memory)], form, lambda: torch.zeros(1))
    memory[:] = 1
    twin = torch.from_numpy(memory)  # address, version and dtype are those of the tensor that is gone
    assert first.item() == 0
    assert kept.get([twin], form, lambda: torch.ones(1)).item() == 1
    assert kept.get([twin], form, lambda: torch.zeros(1)).item() == 1


def test_weights_made_in_inference_mode_are_not_kept() -> None:
    with torch.inference_mode():
        folded = FoldedLayers().linear(3, 3)
        x = torch.randn(2, 3)
        before = folded(x)
        folded.weight.mul_(2)
        assert torch.allclose(folded(x) - folded.bias, 2 * (before - folded.bias))


def test_doubling_needs_three_by_three_pixels() -> None:
    with pytest.raises(ConfigError, match="3x3"):
        FoldedConv2d(2, 2, 1, doubles=True)


@pytest.mark.parametrize("count", [1, 3, 17])
def test_attention_is_the_same_function(count: int) -> None:
    torch.manual_seed(0)
    folded, plain = FoldedSelfAttention(16).double(), SelfAttention(16).double()
    plain.load_state_dict(folded.state_dict())
    for layer in (folded, plain):
        torch.nn.init.constant_(layer.gain, 0.7)
    x = torch.randn(count, 16, 16, 4, dtype=torch.float64, requires_grad=True)
    assert torch.allclose(folded(x), plain(x), atol=1e-12)
    ours, theirs = (torch.autograd.grad(layer(x).square().sum(), [x, *layer.parameters()]) for layer in (folded, plain))
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-9)
