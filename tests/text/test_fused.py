"""The fused loss equals the plain one, in value and in every gradient."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.text.fused import linear_cross_entropy

M, V, H = 50, 300, 8


def inputs(dtype: torch.dtype = torch.float32, *, scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    hidden, weight, bias = (scale * torch.randn(*shape, generator=rng, dtype=dtype) for shape in ((M, H), (V, H), (V,)))
    return hidden, weight, bias, torch.randint(V, (M,), generator=rng), torch.rand(M, generator=rng, dtype=dtype)


def plain(hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, weights: Tensor) -> Tensor:
    return (weights * F.cross_entropy(F.linear(hidden, weight, bias), targets, reduction="none")).sum()


def with_gradients(function, hidden, weight, bias, targets, weights, **options) -> list[Tensor]:
    leaves = [t.clone().requires_grad_() for t in (hidden, weight, bias)]
    value = function(*leaves, targets, weights, **options)
    return [value, *torch.autograd.grad(3 * value, leaves)]


def assert_near(got: list[Tensor], want: list[Tensor], limit: float) -> None:
    for ours, theirs in zip(got, want, strict=True):
        assert float((ours - theirs).detach().double().abs().max()) <= limit * float(theirs.detach().double().abs().max())


@pytest.mark.parametrize("chunk", [None, 1, 7, 50, 64])
def test_value_and_gradients(chunk: int | None) -> None:
    exact = with_gradients(plain, *inputs(torch.float64))
    assert_near(with_gradients(linear_cross_entropy, *inputs(torch.float64), chunk=chunk), exact, 1e-12)
    hidden, weight, bias, targets, weights = (t.float() if t.is_floating_point() else t for t in inputs(torch.float64))
    assert_near(with_gradients(linear_cross_entropy, hidden, weight, bias, targets, weights, chunk=chunk), exact, 1e-6)


def test_the_mean_of_a_batch_at_the_size_of_the_benchmark() -> None:
    torch.manual_seed(1)
    hidden, weight, bias = torch.randn(1280, 32) * 0.5, torch.randn(5000, 32) * 0.1, torch.randn(5000) * 0.1
    targets, weights = torch.randint(5000, (1280,)), torch.full((1280,), 1 / 1280)
    got = with_gradients(linear_cross_entropy, hidden, weight, bias, targets, weights)
    want = with_gradients(lambda h, w, b, t, _: F.cross_entropy(F.linear(h, w, b), t), hidden, weight, bias, targets, weights)
    assert_near(got, want, 1e-6)


def test_a_hand_computed_value() -> None:
    weight = torch.tensor([[0.0], [math.log(3)]])  # probabilities 1/4 and 3/4
    value = linear_cross_entropy(torch.ones(2, 1), weight, None, torch.tensor([0, 1]), torch.tensor([1.0, 10.0]))
    assert float(value) == pytest.approx(math.log(4) + 10 * math.log(4 / 3), rel=1e-6)


def test_without_a_bias() -> None:
    hidden, weight, _, targets, weights = inputs(torch.float64)
    leaves = [t.clone().requires_grad_() for t in (hidden, weight)]
    got = linear_cross_entropy(*leaves, None, targets, weights)
    want = plain(*leaves, None, targets, weights)
    assert_near([got, *torch.autograd.grad(got, leaves)], [want, *torch.autograd.grad(want, leaves)], 1e-12)


def test_rows_without_weight_are_left_out() -> None:
    hidden, weight, bias, targets, weights = inputs(torch.float64)
    weights[::2] = 0
    got = with_gradients(linear_cross_entropy, hidden, weight, bias, targets, weights)
    assert_near(got, with_gradients(plain, hidden, weight, bias, targets, weights), 1e-12)
    hidden[::2] = float("nan")  # they are not even looked at
    clean = with_gradients(linear_cross_entropy, hidden, weight, bias, targets, weights)
    assert torch.equal(clean[0], got[0])
    assert torch.equal(clean[2], got[2])


def test_no_row_counts() -> None:
    hidden, weight, bias, targets, _ = inputs()
    got = with_gradients(linear_cross_entropy, hidden, weight, bias, targets, torch.zeros(M))
    assert all(not t.any() and t.isfinite().all() for t in got)


def test_only_what_asks_for_a_gradient_gets_one() -> None:
    hidden, weight, bias, targets, weights = inputs(torch.float64)
    leaf = hidden.clone().requires_grad_()
    (got,) = torch.autograd.grad(linear_cross_entropy(leaf, weight, bias, targets, weights), leaf)
    (want,) = torch.autograd.grad(plain(leaf, weight, bias, targets, weights), leaf)
    assert_near([got], [want], 1e-12)
    assert not linear_cross_entropy(hidden, weight, bias, targets, weights).requires_grad


def test_probabilities_that_underflow() -> None:
    """A target 400 nats below the best has a probability of zero in float32, but a finite loss."""
    hidden, weight = torch.ones(1, 1), torch.tensor([[400.0], [0.0]])
    assert float(linear_cross_entropy(hidden, weight, None, torch.tensor([1]), torch.ones(1))) == 400
    hidden, weight, bias, targets, weights = inputs(scale=8)
    exact = plain(*(t.double() if t.is_floating_point() else t for t in (hidden, weight, bias, targets, weights)))
    assert float(linear_cross_entropy(hidden, weight, bias, targets, weights)) == pytest.approx(float(exact), rel=1e-6)


def test_a_retained_graph_can_be_run_again() -> None:
    hidden, weight, bias, targets, weights = inputs()
    leaf = weight.clone().requires_grad_()
    value = linear_cross_entropy(hidden, leaf, bias, targets, weights)
    first, second = (torch.autograd.grad(value, leaf, 2 * torch.ones(()), retain_graph=True)[0].clone() for _ in range(2))
    assert torch.equal(first, second)


def test_under_autocast_logits_keep_the_precision_of_the_weights() -> None:
    hidden, weight, bias, targets, weights = inputs()
    alone = linear_cross_entropy(hidden, weight, bias, targets, weights)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(linear_cross_entropy(hidden, weight, bias, targets, weights), alone)
