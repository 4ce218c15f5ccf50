"""The operators of the StyleGAN family against the plain formulation: zeros between the pixels, then 2-D convolutions.

    taskset -c 0 python benchmarks/operators.py

One thread, float32, batch 1, inference mode; shapes of the layers of StyleGAN2 and StyleGAN3 at 256 pixels. Rounds alternate;
printed are CPU milliseconds, the ratios of the medians and of the fastest rounds, and the largest difference over the largest
value. The plain formulation of a modulated convolution scales the weights and uses `torch.nn.functional.conv2d` in the layout
that the image comes in.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.nn import bias_act, filtered_lrelu, fir_filter, modulated_conv2d, upfirdn2d

Call = Callable[[], Tensor]


def plain_upfirdn2d(x: Tensor, f: Tensor, up: int, down: int, pads: tuple[int, int, int, int], gain: float) -> Tensor:
    n, channels, height, width = x.shape
    x = F.pad(x.reshape(n, channels, height, 1, width, 1), (0, up - 1, 0, 0, 0, up - 1))
    x = F.pad(x.reshape(n, channels, height * up, width * up), pads)
    f = torch.outer(f, f) if f.ndim == 1 else f
    weight = (gain * f).flip(0, 1).expand(channels, 1, *f.shape).contiguous()
    return F.conv2d(x, weight, groups=channels)[:, :, ::down, ::down]


def plain_separable_upfirdn2d(x: Tensor, f: Tensor, up: int, down: int, pads: tuple[int, int, int, int], gain: float) -> Tensor:
    n, channels, height, width = x.shape
    x = F.pad(x.reshape(n, channels, height, 1, width, 1), (0, up - 1, 0, 0, 0, up - 1))
    x = F.pad(x.reshape(n, channels, height * up, width * up), pads)
    weight = (gain**0.5 * f).flip(0).expand(channels, 1, 1, -1)
    x = F.conv2d(F.conv2d(x, weight.contiguous(), groups=channels), weight.mT.contiguous(), groups=channels)
    return x[:, :, ::down, ::down]


def plain_filtered_lrelu(
    x: Tensor, fu: Tensor, fd: Tensor, b: Tensor, up: int, down: int, pads: tuple[int, int, int, int], separable: bool
) -> Tensor:
    resample = plain_separable_upfirdn2d if separable else plain_upfirdn2d
    x = resample(x + b[:, None, None], fu, up, 1, pads, up**2)
    x = (F.leaky_relu(x, 0.2) * 2**0.5).clamp(-256, 256)
    return (resample if fd.ndim == 1 else plain_upfirdn2d)(x, fd, 1, down, (0, 0, 0, 0), 1.0)


def plain_modulated(x: Tensor, weight: Tensor, styles: Tensor, noise: Tensor, f: Tensor, up: int) -> Tensor:
    w = weight * styles[0, :, None, None]
    w = w * (w.square().sum((1, 2, 3), keepdim=True) + 1e-8).rsqrt()
    if up == 1:
        return F.conv2d(x, w, padding=1) + noise
    y = F.conv_transpose2d(x, w.transpose(0, 1), stride=2)
    return plain_upfirdn2d(y, f, 1, 1, (1, 1, 1, 1), 4.0) + noise


def plain_bias_act(x: Tensor, b: Tensor) -> Tensor:
    return (F.leaky_relu(x + b[:, None, None], 0.2) * 2**0.5).clamp(-256, 256)


def resampling_cases() -> dict[str, tuple[Call, Call]]:
    square = fir_filter([1, 3, 3, 1])
    image, features = torch.randn(1, 3, 128, 128), torch.randn(1, 64, 257, 257)
    wide, innermost = torch.randn(1, 128, 128, 128), features.contiguous(memory_format=torch.channels_last)
    cases = {
        "upfirdn2d   3 x 128, up 2": (image, 2, 1, (2, 1, 2, 1), 4.0),
        "upfirdn2d  64 x 257": (features, 1, 1, (1, 1, 1, 1), 4.0),
        "upfirdn2d  64 x 257, channels last": (innermost, 1, 1, (1, 1, 1, 1), 4.0),
        "upfirdn2d 128 x 128, down 2": (wide, 1, 2, (1, 1, 1, 1), 1.0),
    }
    return {
        name: (
            partial(plain_upfirdn2d, x, square, up, down, pads, gain),
            partial(upfirdn2d, x, square, up=up, down=down, padding=pads, gain=gain),
        )
        for name, (x, up, down, pads, gain) in cases.items()
    }


def activation_cases(channels: int) -> dict[str, tuple[Call, Call]]:
    lines, round_filter = {2: torch.randn(12), 4: torch.randn(24)}, torch.randn(12, 12)
    cases = {}
    for size, up, pad, fd in (
        (84, 2, (9, 9), lines[2]),
        (148, 2, (9, 9), lines[2]),
        (148, 4, (-2, -5), lines[2]),
        (148, 2, (9, 9), round_filter),
    ):
        x, b, pads = torch.randn(1, channels, size, size), torch.randn(channels), (*pad, *pad)
        ours = partial(filtered_lrelu, x, lines[up], fd, b, up=up, down=2, padding=pads, clamp=256)
        name = f"filtered_lrelu {channels} x {size}, up {up}" + (", round filter" if fd.ndim == 2 else "")
        cases[name] = partial(plain_filtered_lrelu, x, lines[up], fd, b, up, 2, pads, False), ours
        cases[f"{name}, against two passes"] = partial(plain_filtered_lrelu, x, lines[up], fd, b, up, 2, pads, True), ours
    return cases


def modulated_cases() -> dict[str, tuple[Call, Call]]:
    cases, square = {}, fir_filter([1, 3, 3, 1])
    for inputs, outputs, size, up in (
        (512, 512, 8, 1),
        (512, 512, 32, 1),
        (64, 64, 256, 1),
        (512, 512, 8, 2),
        (128, 64, 128, 2),
    ):
        x, weight, styles = torch.randn(1, inputs, size, size), torch.randn(outputs, inputs, 3, 3), torch.randn(1, inputs)
        noise = torch.randn(size * up, size * up)
        for layout in ("", ", channels last"):
            x = x.contiguous(memory_format=torch.channels_last if layout else torch.contiguous_format)
            cases[f"modulated_conv2d {inputs} to {outputs} x {size}, up {up}{layout}"] = (
                partial(plain_modulated, x, weight, styles, noise, square, up),
                partial(
                    modulated_conv2d,
                    x,
                    weight,
                    styles,
                    noise=noise,
                    up=up,
                    padding=1,
                    resample_filter=square,
                    flip_weight=up == 1,
                ),
            )
    return cases


def bias_cases() -> dict[str, tuple[Call, Call]]:
    x, b = torch.randn(1, 64, 256, 256), torch.randn(64)
    return {"bias_act 64 x 256": (partial(plain_bias_act, x, b), partial(bias_act, x, b, act="lrelu", clamp=256))}


def cpu_seconds(call: Call) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def report(name: str, plain: Call, ours: Call, rounds: int) -> None:
    want, got = plain(), ours()
    difference = float((want - got).abs().max() / want.abs().max())
    times = [(cpu_seconds(plain), cpu_seconds(ours)) for _ in range(rounds)]
    slow, fast = zip(*times, strict=True)
    middle = statistics.median(slow), statistics.median(fast)
    print(
        f"{name:62} plain {middle[0] * 1e3:7.1f} ms, ours {middle[1] * 1e3:6.1f} ms: {middle[0] / middle[1]:5.2f} times faster"
        f" (fastest rounds {min(slow) / min(fast):5.2f}), difference {difference:.0e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--channels", type=int, default=128, help="of the filtered leaky ReLU; StyleGAN3 has 512")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with torch.inference_mode():
        cases = resampling_cases() | bias_cases() | modulated_cases() | activation_cases(arguments.channels)
        for name, (plain, ours) in cases.items():
            if arguments.only in name:
                report(name, plain, ours, arguments.rounds)


if __name__ == "__main__":
    main()
