"""Bias and activation, convolutions with resampling, modulated convolutions and the filtered leaky ReLU."""

import math
import random
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.nn import bias_act, conv2d_resample, filtered_lrelu, fir_filter, modulated_conv2d, unit_power
from tests.nn import resampling_reference as reference

double = partial(torch.randn, dtype=torch.float64)


def four(draw: random.Random, low: int, high: int) -> tuple[int, ...]:
    return tuple(draw.randint(low, high) for _ in range(4))


def assert_same(got: Tensor, want: Tensor, leaves: tuple[Tensor, ...]) -> None:
    """Values and gradients agree."""
    torch.testing.assert_close(got, want)
    direction = torch.randn_like(want)
    ours, theirs = (torch.autograd.grad(y, leaves, direction, retain_graph=True) for y in (got, want))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


FUNCTIONS = {
    "linear": (lambda x: x, 1),
    "relu": (lambda x: x.clip(min=0), math.sqrt(2)),
    "lrelu": (lambda x: torch.where(x < 0, 0.2 * x, x), math.sqrt(2)),
    "tanh": (lambda x: x.sinh() / x.cosh(), 1),
    "sigmoid": (lambda x: 1 / (1 + (-x).exp()), 1),
    "elu": (lambda x: torch.where(x < 0, x.exp() - 1, x), 1),
    "selu": (lambda x: 1.0507009873554805 * torch.where(x < 0, 1.6732632423543772 * (x.exp() - 1), x), 1),
    "softplus": (lambda x: (1 + x.exp()).log(), 1),
    "swish": (lambda x: x / (1 + (-x).exp()), math.sqrt(2)),
}


class TestBiasAct:
    @pytest.mark.parametrize("inplace", [False, True])
    @pytest.mark.parametrize("gradient", [False, True])
    @pytest.mark.parametrize("clamp", [None, 0.0, 0.7])
    @pytest.mark.parametrize("gain", [None, 1.0, 1.7, -0.5, 0.0])
    @pytest.mark.parametrize("act", FUNCTIONS)
    def test_bias_activation_gain_clamp(
        self, act: str, gain: float | None, clamp: float | None, gradient: bool, inplace: bool
    ) -> None:
        x, function = double(2, 3, 4, 5, requires_grad=gradient), FUNCTIONS[act]
        for b, dim in ((None, 1), (double(3), 1), (double(5), -1), (double(2), 0)):
            shape = [-1 if d == dim % 4 else 1 for d in range(4)]
            want = function[0](x if b is None else x + b.view(shape)) * (function[1] if gain is None else gain)
            want = want if clamp is None else want.clip(-clamp, clamp)
            given = x if gradient else x.clone()
            got = bias_act(given, b, dim=dim, act=act, gain=gain, clamp=clamp, inplace=inplace)
            torch.testing.assert_close(got, want)
            if gradient or not inplace:
                assert torch.equal(given, x)

    def test_only_in_place_it_overwrites(self) -> None:
        x = torch.randn(2, 3, 4)
        assert bias_act(x, torch.randn(3), act="lrelu", inplace=True).data_ptr() == x.data_ptr()
        assert bias_act(x).data_ptr() != x.data_ptr()
        x.requires_grad_()
        assert bias_act(x, act="lrelu", inplace=True).data_ptr() != x.data_ptr()

    def test_its_slope_can_be_chosen(self) -> None:
        torch.testing.assert_close(bias_act(torch.tensor([[-2.0]]), act="lrelu", alpha=0.35, gain=1), torch.tensor([[-0.7]]))

    @pytest.mark.parametrize("act", FUNCTIONS)
    def test_second_derivatives(self, act: str) -> None:
        x, b = double(2, 3, 2, requires_grad=True), double(3, requires_grad=True)
        assert torch.autograd.gradgradcheck(
            lambda x, b: bias_act(x, b, act=act, gain=1.3, clamp=2.0).square(), (x, b), fast_mode=True
        )

    def test_layouts_stay(self) -> None:
        x = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
        assert bias_act(x, torch.randn(3), act="lrelu").is_contiguous(memory_format=torch.channels_last)

    def test_a_bias_takes_the_dtype_of_what_it_is_added_to(self) -> None:
        assert bias_act(torch.ones(1, 2, dtype=torch.float16), torch.ones(2)).dtype == torch.float16

    @pytest.mark.parametrize(
        "wrong",
        [{"b": torch.ones(4)}, {"b": torch.ones(1, 3)}, {"b": torch.ones(3), "dim": 5}, {"clamp": -1.0}, {"clamp": math.nan}],
    )
    def test_arguments_that_cannot_be_used(self, wrong: dict) -> None:
        with pytest.raises(InvalidValueError):
            bias_act(torch.ones(2, 3), **wrong)

    def test_an_unknown_activation_is_named(self) -> None:
        with pytest.raises(ConfigError, match="'gelu'"):
            bias_act(torch.ones(2, 3), act="gelu")


def conv_case(seed: int) -> tuple[Tensor, Tensor, Tensor | None, dict]:
    draw = random.Random(seed)
    torch.manual_seed(seed)
    groups, kernel = draw.choice([1, 1, 2, 3]), draw.choice([(1, 1), (1, 1), (3, 3), (3, 3), (2, 4), (1, 3)])
    # Enough of both for every way through the code, whatever it depends on.
    inputs, outputs, size = draw.choice([(1, 1, 9), (2, 3, 17), (2, 1, 7), (17, 19, 6)])
    up, down = draw.choice([(1, 1), (2, 1), (2, 1), (1, 2), (1, 2), (2, 2), (3, 1), (1, 3), (4, 1), (3, 2)])
    f = draw.choice([None, double(4), double(4, 4), double(2, 3), double(1)])
    low = -2 if up > 1 else -1
    arguments = {"up": up, "down": down, "groups": groups, "padding": four(draw, low, 4)}
    if draw.random() < 0.4:
        arguments["padding"] = (draw.randint(0, 2),) * 4
    arguments |= {"flip_weight": draw.random() < 0.5, "flip_filter": draw.random() < 0.5}
    x = double(draw.choice([1, 2]), groups * inputs, size, size + draw.randint(0, 3), requires_grad=True)
    return x, double(groups * outputs, inputs, *kernel, requires_grad=True), f, arguments


class TestConvolution:
    @pytest.mark.parametrize("seed", range(50))
    def test_it_is_up_sampling_convolution_and_down_sampling(self, seed: int) -> None:
        x, w, f, arguments = conv_case(seed)
        pads = {"pads" if name == "padding" else name: value for name, value in arguments.items()}
        assert_same(conv2d_resample(x, w, f, **arguments), reference.conv_resampled(x, w, f, **pads), (x, w))

    @pytest.mark.parametrize("kernel", [1, 3])
    def test_large_images_take_other_ways_to_the_same(self, kernel: int) -> None:
        f, w = fir_filter([1, 3, 3, 1]), torch.randn(16, 16, kernel, kernel)
        x = torch.randn(1, 16, 34, 33)
        for up, down in ((1, 1), (2, 1), (1, 2)):
            for weight in (w, w.contiguous(memory_format=torch.channels_last)):
                got = conv2d_resample(x, weight, f, up=up, down=down, padding=kernel // 2)
                want = reference.conv_resampled(x.double(), w.double(), f, up, down, (kernel // 2,) * 4)
                torch.testing.assert_close(got.double(), want, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("seed", range(8))
    def test_second_derivatives(self, seed: int) -> None:
        x, w, f, arguments = conv_case(seed)
        x, w = x[:1, :, :4, :4].detach().requires_grad_(), w.detach().requires_grad_()
        arguments["padding"] = 4
        assert torch.autograd.gradgradcheck(lambda x, w: conv2d_resample(x, w, f, **arguments).square(), (x, w), fast_mode=True)


def modulated_case(seed: int) -> tuple[dict, dict]:
    draw = random.Random(seed)
    torch.manual_seed(seed)
    kernel, (up, down) = draw.choice([1, 3]), draw.choice([(1, 1), (1, 1), (2, 1), (2, 1), (1, 2)])
    samples, inputs, outputs, size = draw.choice([1, 2, 3]), draw.choice([1, 5]), draw.choice([1, 4]), draw.choice([4, 7])
    tensors = {
        "x": double(samples, inputs, size, size + 1),
        "weight": double(outputs, inputs, kernel, kernel),
        "styles": double(samples, inputs),
        "input_gain": draw.choice([double(()), double(inputs), double(samples, inputs)]),
    }
    arguments = {
        "up": up,
        "down": down,
        "padding": draw.choice([(kernel // 2,) * 4, four(draw, 0, 3)]),
        "demodulate": draw.random() < 0.6,
        "flip_weight": draw.random() < 0.5,
        "resample_filter": draw.choice([None, double(4, 4), double(4)]),
    }
    return {name: tensor.requires_grad_() for name, tensor in tensors.items()}, arguments


def modulated_reference(tensors: dict, arguments: dict) -> Tensor:
    arguments = dict(arguments)
    gain = tensors["input_gain"].expand(tensors["styles"].shape)
    others = {"f": arguments.pop("resample_filter"), "pads": arguments.pop("padding")} | arguments
    return reference.modulated(tensors["x"], tensors["weight"], tensors["styles"], input_gain=gain, **others)


class TestModulated:
    @pytest.mark.parametrize("fused", [None, True, False])
    @pytest.mark.parametrize("seed", range(20))
    def test_each_sample_is_convolved_with_weights_of_its_own(self, seed: int, fused: bool | None) -> None:
        tensors, arguments = modulated_case(seed)
        want = modulated_reference(tensors, arguments)
        for noise in (None, double(want.shape[2:]), double(len(want), 1, *want.shape[2:])):
            noisy = want if noise is None else want + noise
            assert_same(modulated_conv2d(**tensors, **arguments, noise=noise, fused=fused), noisy, tuple(tensors.values()))
            with torch.inference_mode():
                torch.testing.assert_close(modulated_conv2d(**tensors, **arguments, noise=noise, fused=fused), noisy)

    @pytest.mark.parametrize("fused", [True, False])
    @pytest.mark.parametrize("seed", [0, 3, 5, 8])
    def test_second_derivatives(self, seed: int, fused: bool) -> None:
        tensors, arguments = modulated_case(seed)
        tensors["x"] = tensors["x"][:, :, :4, :4].detach().requires_grad_()

        def squares(*values: Tensor) -> Tensor:
            return modulated_conv2d(**dict(zip(tensors, values, strict=True)), **arguments, fused=fused).square()

        assert torch.autograd.gradgradcheck(squares, tuple(tensors.values()), fast_mode=True)

    def test_demodulated_outputs_of_white_inputs_have_unit_variance(self) -> None:
        torch.manual_seed(0)
        x, weight, styles = torch.randn(1, 64, 64, 64), 7 * torch.randn(16, 64, 3, 3), torch.rand(1, 64) * 3
        torch.testing.assert_close(modulated_conv2d(x, weight, styles).var((0, 2, 3)), torch.ones(16), rtol=0.1, atol=0)

    @pytest.mark.parametrize("fused", [True, False])
    def test_large_weights_and_styles_do_not_overflow_in_float16(self, fused: bool) -> None:
        torch.manual_seed(0)
        x, weight, styles = torch.randn(2, 24, 8, 8), 2e3 * torch.randn(6, 24, 3, 3), 500 * torch.randn(2, 24)
        y = modulated_conv2d(x.half(), weight, styles, padding=1, fused=fused)
        assert y.dtype == torch.float16
        torch.testing.assert_close(y.float(), modulated_conv2d(x, weight, styles, padding=1), rtol=0.02, atol=0.02)

    def test_what_it_is_given_stays(self) -> None:
        x, weight, styles, noise = torch.randn(1, 3, 8, 8), torch.randn(3, 3, 1, 1), torch.randn(1, 3), torch.randn(8, 8)
        before = [t.clone() for t in (x, weight, styles, noise)]
        for fused in (True, False):
            modulated_conv2d(x, weight, styles, noise=noise, fused=fused)
        for tensor, copy in zip((x, weight, styles, noise), before, strict=True):
            assert torch.equal(tensor, copy)

    def test_unit_power(self) -> None:
        weight, styles = unit_power(3 * double(4, 5, 3, 3), 7 * double(6, 5))
        torch.testing.assert_close(weight.square().mean((1, 2, 3)), torch.ones(4, dtype=torch.float64))
        torch.testing.assert_close(styles.square().mean(), torch.tensor(1.0, dtype=torch.float64))
        assert not torch.allclose(styles.square().mean(1), torch.ones(6, dtype=torch.float64))

    @pytest.mark.parametrize(("weight", "styles"), [((4, 2, 3, 3), (1, 3)), ((4, 3, 3, 3), (2, 3)), ((4, 3, 3), (1, 3))])
    def test_shapes_that_do_not_fit(self, weight: tuple[int, ...], styles: tuple[int, ...]) -> None:
        with pytest.raises(InvalidValueError, match="do not fit"):
            modulated_conv2d(torch.ones(1, 3, 8, 8), torch.ones(weight), torch.ones(styles))


def lrelu_case(seed: int) -> tuple[dict, dict]:
    draw = random.Random(seed)
    torch.manual_seed(seed)
    up, down = [draw.choice([1, 2, 2, 4]) for _ in range(2)], [draw.choice([1, 2, 2, 3]) for _ in range(2)]
    shapes = [(1,), (6,), (12,), (5, 4), (12, 12)]
    filters = [None if draw.random() < 0.15 else double(draw.choice(shapes)) for _ in range(2)]
    channels = draw.choice([1, 3])
    x = double(draw.choice([1, 2]), channels, draw.randint(9, 14), draw.randint(9, 14), requires_grad=True)
    tensors = {"x": x, "fu": filters[0], "fd": filters[1], "b": draw.choice([None, double(channels, requires_grad=True)])}
    pads = tuple(pad + 9 for pad in four(draw, -3, 6)) if draw.random() < 0.7 else four(draw, -2, 0)
    if min(up) == 1 and pads[0] <= 0:
        pads = (8, 8, 8, 8)
    if pads[0] <= 0:
        tensors |= {"fu": double(6), "fd": double(5, 4)}
    arguments = {"up": up, "down": down, "slope": draw.choice([0.2, 0.0, 1.0]), "clamp": draw.choice([None, 0.8, 0.0])}
    arguments["gain"] = draw.choice([math.sqrt(2), 1.0, 0.3, -1.2])
    return tensors, arguments | {"padding": pads, "flip_filter": draw.random() < 0.4}


def lrelu_reference(tensors: dict, arguments: dict) -> Tensor:
    names = {"padding": "pads", "flip_filter": "flip"}
    return reference.filtered_lrelu(**tensors, **{names.get(name, name): value for name, value in arguments.items()})


class TestFilteredLeakyReLU:
    @pytest.mark.parametrize("seed", range(50))
    def test_it_is_its_five_steps(self, seed: int) -> None:
        tensors, arguments = lrelu_case(seed)
        want = lrelu_reference(tensors, arguments)
        leaves = tuple(t for name, t in tensors.items() if t is not None and name in "xb")
        assert_same(filtered_lrelu(**tensors, **arguments), want, leaves)
        before = tensors["x"].clone()
        with torch.inference_mode():
            torch.testing.assert_close(filtered_lrelu(**tensors, **arguments), want)
        assert torch.equal(tensors["x"], before)

    @pytest.mark.parametrize("seed", range(8))
    def test_second_derivatives(self, seed: int) -> None:
        tensors, arguments = lrelu_case(seed)
        x = tensors.pop("x")[:1, :1].detach().requires_grad_()
        b = double(1, requires_grad=True)
        tensors.pop("b")
        arguments["clamp"] = None
        assert torch.autograd.gradgradcheck(
            lambda x, b: filtered_lrelu(x, b=b, **tensors, **arguments).square(), (x, b), fast_mode=True
        )

    def test_many_planes_are_worked_on_in_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        x, f, b = torch.randn(2, 5, 9, 8), torch.randn(12), torch.randn(5)
        call = partial(filtered_lrelu, x, f, f, b, up=2, down=2, padding=11, clamp=1.0)
        whole = call()
        for pixels in (1, 1500, 5000):
            monkeypatch.setattr("ganzoo.nn.filtered_activation.WORKSPACE", pixels)
            torch.testing.assert_close(call(), whole)

    @pytest.mark.parametrize("seed", range(50))
    def test_parts_are_what_the_steps_make(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ganzoo.nn.filtered_activation.CHANNELS", 2)
        monkeypatch.setattr("ganzoo.nn.filtered_activation.WORKSPACE", random.Random(seed).choice([1, 150, 400]))
        tensors, arguments = lrelu_case(seed)
        with torch.inference_mode():
            torch.testing.assert_close(filtered_lrelu(**tensors, **arguments), lrelu_reference(tensors, arguments))

    def test_sizes_of_other_devices_are_the_same(self) -> None:
        for seed in range(10):
            tensors, arguments = lrelu_case(seed)
            want = lrelu_reference(tensors, arguments).shape
            elsewhere = {name: None if t is None else t.to("meta") for name, t in tensors.items()}
            assert filtered_lrelu(**elsewhere, **arguments).shape == want

    @pytest.mark.parametrize("wrong", [{"b": torch.ones(3)}, {"x": torch.ones(2, 4, 4)}, {"padding": -5}, {"clamp": -1.0}])
    def test_arguments_that_cannot_be_used(self, wrong: dict) -> None:
        with pytest.raises(InvalidValueError):
            filtered_lrelu(**{"x": torch.ones(1, 2, 4, 4), "fu": torch.ones(4), "up": 2, "padding": 4} | wrong)


class Layers(torch.nn.Module):
    """One of each operator."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight, self.bias = torch.nn.Parameter(torch.randn(20, 20, 3, 3)), torch.nn.Parameter(torch.randn(20))
        self.to_rgb = torch.nn.Parameter(torch.randn(3, 20, 1, 1))
        self.register_buffer("square", fir_filter([1, 3, 3, 1]))
        self.register_buffer("line", fir_filter([1.0, 2, 3, 4, 4, 3, 2, 1]))

    def forward(self, x: Tensor, styles: Tensor) -> Tensor:
        noise = torch.ones(1, 16, 18)
        y = modulated_conv2d(x, self.weight, styles, noise=noise, up=2, padding=1, resample_filter=self.square)
        y = bias_act(y, self.bias, act="lrelu", clamp=256.0, inplace=True)
        y = filtered_lrelu(y, self.line, self.line, self.bias, up=2, down=2, padding=7)
        y = conv2d_resample(y, self.weight, self.square, down=2, padding=1)
        return modulated_conv2d(F.relu(y), self.to_rgb, styles, demodulate=False)


def test_all_of_them_can_be_exported() -> None:
    module, batch = Layers().eval(), torch.export.Dim("batch", min=2, max=64)
    example = torch.randn(2, 20, 8, 9), torch.randn(2, 20)
    program = torch.export.export(module, example, dynamic_shapes=({0: batch}, {0: batch}))
    for samples in (3, 20):
        x, styles = torch.randn(samples, 20, 8, 9), torch.randn(samples, 20)
        torch.testing.assert_close(program.module()(x, styles), module(x, styles), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_all_of_them_can_be_compiled_and_differentiated() -> None:
    module = Layers()
    compiled = torch.compile(module, fullgraph=True)
    x, styles = torch.randn(2, 20, 8, 9, requires_grad=True), torch.randn(2, 20, requires_grad=True)
    got, want = compiled(x, styles), module(x, styles)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)
    leaves = (x, styles, *module.parameters())
    for ours, theirs in zip(
        torch.autograd.grad(got.square().sum(), leaves), torch.autograd.grad(want.square().sum(), leaves), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-2)
