"""A StyleGAN3 on a CPU: seconds an image, beside a plain formulation of the same network in the same run.

    taskset -c 1 python benchmarks/stylegan3.py

The plain one does what the paper says in the obvious way: weights are modulated sample by sample, zeros are put between the
pixels of images before they are filtered channel by channel (along one axis after the other where a filter is separable), the
leaky ReLU and its gain run over the whole up-sampled image, and nothing is kept or reused. One thread, batch 1, CPU seconds;
the two take turns, and the fastest round of each counts.

Where the system's allocator gives large temporaries back at once, much of the plain one's time is spent on getting them again.
GLIBC_TUNABLES=glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296 keeps them, for both.
"""

import argparse
import math
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.building import build_random
from ganzoo_stylegan.stylegan3.layers import SynthesisLayer
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator

KINDS = {"t": {}, "r": {"kernel_size": 1, "radial": True, "channel_max": 1024}}


def plain_upfirdn(x: Tensor, f: Tensor | None, up: int, down: int, padding: tuple[int, int, int, int], gain: float) -> Tensor:
    f = x.new_ones(1, 1) if f is None else f
    n, channels, height, width = x.shape
    x = F.pad(x.reshape(n, channels, height, 1, width, 1), (0, up - 1, 0, 0, 0, up - 1)).reshape(n, channels, height * up, -1)
    x = F.pad(x, [max(p, 0) for p in padding])
    x = x[:, :, max(-padding[2], 0) : x.shape[2] - max(-padding[3], 0), max(-padding[0], 0) : x.shape[3] - max(-padding[1], 0)]
    f = (f * gain ** (f.ndim / 2)).to(x.dtype).flip(list(range(f.ndim)))
    for taps in [f] if f.ndim == 2 else [f[None], f[:, None]]:
        x = F.conv2d(x, taps.expand(channels, 1, *taps.shape), groups=channels)
    return x[:, :, ::down, ::down]


def plain_layer(layer: SynthesisLayer, x: Tensor, w: Tensor) -> Tensor:
    plan, n = layer.plan, len(x)
    styles, weight = layer.affine(w), layer.weight
    if plan.to_image:
        styles = styles / math.sqrt(weight[0].numel())
    else:
        weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
        styles = styles * styles.square().mean().rsqrt()
    weight = weight[None] * styles[:, None, :, None, None]
    if not plan.to_image:
        weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    weight = weight * layer.magnitude_ema.rsqrt()
    x = F.conv2d(x.reshape(1, -1, *x.shape[2:]), weight.flatten(0, 1), padding=plan.kernel_size - 1, groups=n)
    x = x.reshape(n, -1, *x.shape[2:]) + layer.bias[:, None, None]
    before, after = plan.padding
    x = plain_upfirdn(x, layer.up_filter, plan.up, 1, (before, after, before, after), plan.up**2)
    x = x if plan.to_image else F.leaky_relu(x, 0.2) * math.sqrt(2)
    x = x if layer.clamp is None else x.clamp(-layer.clamp, layer.clamp)
    return plain_upfirdn(x, layer.down_filter, 1, plan.down, (0, 0, 0, 0), 1)


def plain(generator: StyleGAN3Generator, z: Tensor) -> Tensor:
    first, *others = generator.map(z).unbind(1)
    x = generator.synthesis.input(first)
    for layer, w in zip(generator.synthesis.layers, others, strict=True):
        x = plain_layer(layer, x, w)
    return x * generator.synthesis.output_scale


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="t")
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--channel-base", type=int, default=16384)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    base = arguments.channel_base * (2 if arguments.kind == "r" else 1)
    config = {"image_size": arguments.image_size, "channel_base": base, **KINDS[arguments.kind]}
    generator = build_random(StyleGAN3Generator, config, seed=0).eval()
    z = generator.latents([1])
    with torch.inference_mode():
        want, got = plain(generator, z), generator(z)
        error = float((got - want).abs().max() / want.abs().max())
        rounds = [
            (cpu_seconds(lambda: plain(generator, z)), cpu_seconds(lambda: generator(z))) for _ in range(arguments.repeats)
        ]
    slow, fast = (min(times) for times in zip(*rounds, strict=True))
    print(
        f"StyleGAN3-{arguments.kind.upper()} {arguments.image_size} ({generator.parameter_count() / 1e6:.3f} M parameters), "
        f"one thread, batch 1: plain {slow:.2f} s, ganzoo {fast:.2f} s, {slow / fast:.2f} times as fast; "
        f"largest difference {error:.1e} of the largest value"
    )


if __name__ == "__main__":
    main()
