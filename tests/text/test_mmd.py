"""The maximum mean discrepancy against closed forms."""

import math

import pytest
import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.text.mmd import mmd2, rbf_kernel


def points(*rows: list[float]) -> Tensor:
    return torch.tensor(rows)


def gaussian_mmd2(shift: float, dimensions: int, bandwidth: float) -> float:
    """Of two standard normal distributions whose means are ``shift`` apart: convolutions of Gaussians are Gaussians."""
    wider = bandwidth**2 + 2
    return 2 * (bandwidth**2 / wider) ** (dimensions / 2) * (1 - math.exp(-(shift**2) / (2 * wider)))


def test_one_point_each() -> None:
    x, y = points([0.0, 0.0]), points([3.0, 4.0])  # five apart
    assert float(mmd2(x, y, [5.0])) == pytest.approx(2 - 2 * math.exp(-0.5), rel=1e-6)
    assert float(rbf_kernel(x, y, [5.0])) == pytest.approx(math.exp(-0.5), rel=1e-6)


def test_two_points_each_biased_and_unbiased() -> None:
    x, y = points([0.0], [1.0]), points([0.0], [3.0])
    near, far, middle = math.exp(-0.5), math.exp(-4.5), math.exp(-2.0)  # 1, 3 and 2 apart
    cross = (1 + far + near + middle) / 4
    assert float(mmd2(x, y, [1.0])) == pytest.approx((1 + near) / 2 + (1 + far) / 2 - 2 * cross, rel=1e-5)
    assert float(mmd2(x, y, [1.0], unbiased=True)) == pytest.approx(near + far - 2 * cross, rel=1e-5)


def test_bandwidths_are_summed() -> None:
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(7, 3, generator=rng), torch.randn(5, 3, generator=rng)
    each = [mmd2(x, y, [bandwidth]) for bandwidth in (0.5, 2.0, 8.0)]
    torch.testing.assert_close(mmd2(x, y, [0.5, 2.0, 8.0]), sum(each))
    assert float(mmd2(x, y, [0.5, 2.0, 8.0])) > 1.1 * float(each[-1])  # the last one alone would be a bug of the references


def test_equal_sets_are_at_no_distance() -> None:
    x = torch.randn(40, 30, generator=torch.Generator().manual_seed(1))
    assert abs(float(mmd2(x, x, [0.3, 3.0]))) < 1e-6
    assert abs(float(mmd2(x, x.flip(0), [0.3, 3.0]))) < 1e-6


@pytest.mark.parametrize(("shift", "bandwidth"), [(0.0, 1.0), (0.5, 1.0), (2.0, 2.0), (1.0, 20.0)])
def test_shifted_gaussians(shift: float, bandwidth: float) -> None:
    rng = torch.Generator().manual_seed(2)
    dimensions, values = 3, []
    for _ in range(40):
        x, y = torch.randn(200, dimensions, generator=rng), torch.randn(200, dimensions, generator=rng)
        y[:, 0] += shift
        values.append(float(mmd2(x, y, [bandwidth], unbiased=True)))
    found = torch.tensor(values)
    error = float(found.std()) / math.sqrt(len(values))
    assert abs(float(found.mean()) - gaussian_mmd2(shift, dimensions, bandwidth)) < 4 * error


def test_the_biased_one_is_above_the_unbiased_by_the_diagonal() -> None:
    rng = torch.Generator().manual_seed(3)
    x, y = torch.randn(64, 5, generator=rng), torch.randn(64, 5, generator=rng)
    inner = float(rbf_kernel(x, x, [1.0]).mean() + rbf_kernel(y, y, [1.0]).mean())
    difference = float(mmd2(x, y, [1.0]) - mmd2(x, y, [1.0], unbiased=True))
    assert difference == pytest.approx((2 - inner) / 63, rel=1e-4)
    assert difference > 0


def test_the_gradient_is_that_of_finite_differences() -> None:
    rng = torch.Generator().manual_seed(4)
    x = torch.randn(4, 3, generator=rng, dtype=torch.float64, requires_grad=True)
    y = torch.randn(5, 3, generator=rng, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, y: mmd2(x, y, [0.7, 2.0]), (x, y))
    assert torch.autograd.gradcheck(lambda x, y: mmd2(x, y, [0.7, 2.0], unbiased=True), (x, y))


def test_descending_it_moves_points_towards_the_others() -> None:
    x = torch.zeros(3, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(mmd2(x, torch.ones(3, 2), [1.0]), x)
    assert (gradient < 0).all()  # less of it lies in the direction of the ones


def test_equal_points_have_a_finite_gradient() -> None:
    x = torch.ones(4, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(mmd2(x, x.detach().clone(), [1.0]), x)
    assert (gradient == 0).all()


def test_single_precision_far_from_zero() -> None:
    rng = torch.Generator().manual_seed(5)
    x, y = torch.randn(50, 20, generator=rng), torch.randn(50, 20, generator=rng) + 0.5
    x, y = (x * 64).round() / 64, (y * 64).round() / 64  # so that the shift below loses nothing
    far = 10_000.0
    torch.testing.assert_close(mmd2(x + far, y + far, [4.0]), mmd2(x, y, [4.0]), rtol=1e-4, atol=1e-6)


def test_half_precision_is_widened() -> None:
    x, y = torch.zeros(2, 4).half(), torch.full((2, 4), 300.0).half()  # squares that half precision does not hold
    value = mmd2(x, y, [300.0])
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(2 - 2 * math.exp(-2), rel=1e-5)


@pytest.mark.parametrize(
    ("shapes", "bandwidths", "message"),
    [
        (((3, 2), (3, 4)), [1.0], r"\[3, 2\] and \[3, 4\]"),
        (((3,), (3,)), [1.0], r"\[N, D\]"),
        (((3, 2), (3, 2)), [], "at least one"),
        (((3, 2), (3, 2)), [1.0, 0.0], "above 0"),
        (((3, 2), (3, 2)), [math.nan], "above 0"),
        (((0, 2), (3, 2)), [1.0], "too few"),
    ],
)
def test_what_cannot_be_compared(shapes: tuple[tuple[int, ...], ...], bandwidths: list[float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        mmd2(torch.zeros(shapes[0]), torch.zeros(shapes[1]), bandwidths)


def test_the_unbiased_one_needs_two_points() -> None:
    with pytest.raises(InvalidValueError, match="at least 2"):
        mmd2(torch.zeros(1, 2), torch.zeros(5, 2), [1.0], unbiased=True)
