"""FIR filters, and up-sampling, filtering and down-sampling against their definition."""

import random

import pytest
import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.nn import downsample2d, filter2d, fir_filter, upfirdn2d, upsample2d
from tests.nn import resampling_reference as reference

SHAPES = [(1,), (2,), (3,), (12,), (1, 1), (4, 4), (3, 5), (6, 1), (1, 4), (13, 2)]


def random_case(seed: int) -> tuple[Tensor, Tensor, dict]:
    draw = random.Random(seed)
    torch.manual_seed(seed)
    f = torch.randn(draw.choice(SHAPES))
    taps = f.shape[-1], f.shape[0]
    up = [draw.choice([1, 1, 2, 2, 3, 4]) for _ in range(2)]
    down = [draw.choice([1, 1, 2, 2, 3, 4]) for _ in range(2)]
    size = [draw.randint(1, 23) for _ in range(2)]
    pads = []
    for axis in range(2):
        before, after = draw.randint(-5, 14), draw.randint(-5, 14)
        while size[axis] * up[axis] + before + after < taps[axis]:
            after += 3
        pads += [before, after]
    # A padding that crops more than there is, on one side or the other, shows nothing but zeros.
    arguments = {
        "up": up,
        "down": down,
        "padding": pads,
        "flip_filter": draw.random() < 0.4,
        "gain": draw.choice([1.0, 4.0, 2.25]),
    }
    channels = draw.choice([1, 3, 18])
    x = torch.randn(draw.choice([1, 2]), channels, size[1], size[0], dtype=torch.float64)
    if draw.random() < 0.5:
        x = x.contiguous(memory_format=torch.channels_last)
    return x, f, arguments


def wanted(x: Tensor, f: Tensor | None, arguments: dict) -> Tensor:
    names = {"padding": "pads", "flip_filter": "flip"}
    return reference.upfirdn(x, f, **{names.get(name, name): value for name, value in arguments.items()})


@pytest.mark.parametrize("seed", range(80))
def test_it_is_what_its_definition_says(seed: int) -> None:
    x, f, arguments = random_case(seed)
    want = wanted(x, f, arguments)
    torch.testing.assert_close(upfirdn2d(x, f.double(), **arguments), want)
    torch.testing.assert_close(upfirdn2d(x.float(), f, **arguments).double(), want, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("seed", range(40))
def test_its_gradient_is_that_of_its_definition(seed: int) -> None:
    x, f, arguments = random_case(seed)
    x.requires_grad_()
    f = f.double().requires_grad_()
    got, want = upfirdn2d(x, f, **arguments), wanted(x, f, arguments)
    direction = torch.randn_like(want)
    for ours, theirs in zip(
        torch.autograd.grad(got, (x, f), direction), torch.autograd.grad(want, (x, f), direction), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("seed", range(12))
def test_second_derivatives(seed: int) -> None:
    x, f, arguments = random_case(seed)
    x = x[:1, :2, :6, :6].clone().requires_grad_()
    arguments["padding"] = [13, 12, 13, 13]
    f = f.double().requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x, f: upfirdn2d(x, f, **arguments).square(), (x, f), fast_mode=True)


def test_without_a_filter_pixels_stay_what_they_are() -> None:
    x = torch.arange(1.0, 7.0).view(1, 1, 2, 3)
    want = torch.tensor([[0.0, 0, 0, 0], [2, 0, 4, 0], [0, 0, 0, 0]])
    torch.testing.assert_close(upfirdn2d(x, None, up=2, padding=(0, -2, 1, -2), gain=2.0)[0, 0], want)


def test_one_number_two_or_four_are_the_padding() -> None:
    x, f = torch.randn(1, 2, 5, 6), fir_filter([1, 3, 3, 1])
    assert torch.equal(upfirdn2d(x, f, padding=2), upfirdn2d(x, f, padding=[2, 2, 2, 2]))
    assert torch.equal(upfirdn2d(x, f, padding=(2, 1)), upfirdn2d(x, f, padding=(2, 2, 1, 1)))


@pytest.mark.parametrize("factor", [2, 4, (2, 1)])
@pytest.mark.parametrize("taps", [[1, 3, 3, 1], [1, 1], [1, 2, 1], [1] * 12])
def test_constant_images_keep_their_value_and_sizes_come_out_whole(taps: list[float], factor: int | tuple[int, int]) -> None:
    f, x = fir_filter(taps), torch.full((1, 2, 16, 24), 3.0)
    x_factor, y_factor = (factor, factor) if isinstance(factor, int) else factor
    # With one tap for each new pixel, or a multiple of them, each is a full average.
    if len(taps) % max(x_factor, y_factor) == 0:
        y = upsample2d(x, f, up=factor)
        assert y.shape == (1, 2, 16 * y_factor, 24 * x_factor)
        torch.testing.assert_close(
            y[:, :, 6 * y_factor : -6 * y_factor, 6 * x_factor : -6 * x_factor].mean(), torch.tensor(3.0)
        )
    y = downsample2d(x, f, down=factor)
    assert y.shape == (1, 2, 16 // y_factor, 24 // x_factor)
    torch.testing.assert_close(y[0, 0, y.shape[2] // 2, y.shape[3] // 2], torch.tensor(3.0))
    assert filter2d(x, f).shape == x.shape


def test_a_filter_that_marks_a_pixel_finds_it() -> None:
    x = torch.zeros(1, 1, 7, 7)
    x[0, 0, 3, 2] = 1
    f = torch.arange(1.0, 10.0).view(3, 3)
    assert torch.equal(filter2d(x, f)[0, 0, 2:5, 1:4], f)
    assert torch.equal(filter2d(x, f, flip_filter=True)[0, 0, 2:5, 1:4], f.flip(0, 1))


def test_half_precision_keeps_its_dtype_and_is_close() -> None:
    x, f = torch.randn(1, 3, 9, 10), fir_filter([1, 3, 3, 1])
    for dtype in (torch.float16, torch.bfloat16):
        y = upfirdn2d(x.to(dtype), f, up=2, padding=2, gain=4)
        assert y.dtype == dtype
        torch.testing.assert_close(y.float(), upfirdn2d(x, f, up=2, padding=2, gain=4), rtol=0.02, atol=0.05)


def test_what_is_made_in_inference_mode_does_not_disturb_gradients() -> None:
    x, f = torch.randn(1, 2, 8, 8), torch.randn(7)
    with torch.inference_mode():
        upfirdn2d(x, f, up=2, padding=5)
    f.requires_grad_()
    assert torch.autograd.grad(upfirdn2d(x, f, up=2, padding=5).sum(), f)[0].isfinite().all()


def test_a_filter_that_has_changed_is_seen() -> None:
    x, f = torch.ones(1, 1, 4, 4), fir_filter([1, 3, 3, 1])
    before = upfirdn2d(x, f)
    f.mul_(2)
    assert torch.equal(upfirdn2d(x, f), 2 * before)


@pytest.mark.parametrize("shape", [(4, 4), (12,)])
def test_it_can_be_exported(shape: tuple[int, ...]) -> None:
    class Resampler(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("f", torch.randn(shape))

        def forward(self, x: Tensor) -> Tensor:
            return upfirdn2d(x, self.f, up=(2, 1), down=(1, 2), padding=(11, 12, 11, 10), gain=2)

    module, batch = Resampler(), torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(module, (torch.randn(2, 3, 8, 9),), dynamic_shapes=({0: batch},))
    x = torch.randn(5, 3, 8, 9)
    torch.testing.assert_close(program.module()(x), module(x))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": torch.ones(3, 4, 4)}, r"\[N, C, H, W\]"),
        ({"f": torch.ones(2, 2, 2)}, "one line of taps"),
        ({"f": torch.ones(0)}, "one line of taps"),
        ({"up": 0}, "'up' is 0"),
        ({"down": (1, 2, 3)}, "'down' is"),
        ({"up": 1.5}, "'up' is 1.5"),
        ({"padding": (1, 2, 3)}, "'padding' is"),
        ({"padding": (1, 0.5)}, "'padding' is"),
        ({"padding": -3}, "fewer than the filter's 4 taps"),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_arguments_that_cannot_be_used_are_named(arguments: dict, said: str, device: str) -> None:
    given = {"x": torch.ones(1, 1, 8, 8), "f": torch.ones(4)} | arguments
    given["x"], given["f"] = given["x"].to(device), given["f"].to(device)
    with pytest.raises(InvalidValueError, match=said):
        upfirdn2d(**given)


@pytest.mark.parametrize("seed", range(30))
def test_elsewhere_than_on_a_cpu_sizes_are_the_same(seed: int) -> None:
    x, f, arguments = random_case(seed)
    assert upfirdn2d(x.to("meta"), f.to("meta"), **arguments).shape == wanted(x, f, arguments).shape


class TestFilter:
    def test_short_lines_become_squares_and_long_ones_stay(self) -> None:
        line = torch.tensor([1.0, 3, 3, 1])
        torch.testing.assert_close(fir_filter([1, 3, 3, 1]), torch.outer(line, line) / 64)
        torch.testing.assert_close(fir_filter([1.0] * 8), torch.full((8,), 1 / 8))
        assert fir_filter([1.0] * 7).shape == (7, 7)
        assert fir_filter([1.0] * 9, separable=False).shape == (9, 9)
        assert torch.equal(fir_filter(None), torch.ones(1, 1))

    def test_the_gain_is_that_of_an_image(self) -> None:
        x = torch.ones(1, 1, 20, 20)
        for f in (fir_filter([1, 2, 1], separable=True, gain=9), fir_filter([1, 2, 1], gain=9), fir_filter([[2, 1]], gain=9)):
            torch.testing.assert_close(upfirdn2d(x, f).amax(), torch.tensor(9.0))

    def test_it_may_be_flipped_and_left_as_it_is(self) -> None:
        taps = [[1, 2, 0], [0, 3, 5]]
        assert torch.equal(fir_filter(taps, normalize=False, flip=True), torch.tensor([[5.0, 3, 0], [0, 2, 1]]))

    @pytest.mark.parametrize(("taps", "separable"), [([], None), ([[[1.0]]], None), ([[1.0, 2.0]], True)])
    def test_taps_that_make_no_filter(self, taps: list, separable: bool | None) -> None:
        with pytest.raises(InvalidValueError):
            fir_filter(taps, separable=separable)
