"""How fast a StyleGAN2 makes an image, against a plain formulation of the same network.

    taskset -c 0 python benchmarks/stylegan2.py --size 256
    taskset -c 0 python benchmarks/stylegan2.py --size 1024

One thread, batch 1, float32, CPU seconds, fastest of alternating rounds. The plain formulation resamples as the definition
says: zeros between the pixels, padding, then a filter of two dimensions, channel by channel; it modulates weights and adds
noise, bias, activation and gain one after the other. ``--memory`` prints by how much one image raises the peak memory of a
process, for both.
"""

import argparse
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.building import build_random
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator

BASES = {256: 16384}  # channel_base of the published network; 32768 at other sizes
SLOPE, GAIN, EPS = 0.2, math.sqrt(2), 1e-8


def resampled(x: Tensor, f: Tensor, *, up: int = 1, pads: tuple[int, int, int, int], gain: float = 1.0) -> Tensor:
    """Zeros between the pixels, padding, a filter of two dimensions."""
    batch, channels, height, width = x.shape
    x = F.pad(x.reshape(batch, channels, height, 1, width, 1), (0, up - 1, 0, 0, 0, up - 1))
    x = F.pad(x.reshape(batch, channels, height * up, width * up), pads)
    return F.conv2d(x, (f * gain).flip(0, 1).expand(channels, 1, -1, -1), groups=channels)


def convolved(x: Tensor, weight: Tensor, styles: Tensor, f: Tensor, *, up: int, demodulate: bool) -> Tensor:
    """Modulated weights, one group for each sample."""
    batch, size = len(x), weight.shape[2]
    w = weight[None] * styles[:, None, :, None, None]
    if demodulate:
        w = w * (w.square().sum((2, 3, 4)) + EPS).rsqrt()[:, :, None, None, None]
    x = x.reshape(1, -1, *x.shape[2:])
    if up == 1:
        y = F.conv2d(x, w.flatten(0, 1), padding=size // 2, groups=batch)
    else:
        y = F.conv_transpose2d(x, w.transpose(1, 2).flatten(0, 1), stride=2, groups=batch)
        y = resampled(y, f, pads=(1, 1, 1, 1), gain=4)
    return y.reshape(batch, -1, *y.shape[2:])


class Plain:
    """The network of a `StyleGAN2Generator`, computed plainly from its tensors."""

    def __init__(self, network: StyleGAN2Generator) -> None:
        self.network, self.state = network, dict(network.state_dict())

    def __call__(self, z: Tensor) -> Tensor:
        """Images of latents."""
        state = self.state
        ws = self.network.map(z).unbind(1)
        x = state["synthesis.b4.const"].repeat(len(z), 1, 1, 1)
        img: Tensor | None = None
        for i, size in enumerate(self.network.synthesis.sizes):
            prefix = f"synthesis.b{size}."
            x = self.layer(x, ws[2 * i - 1], prefix + "conv0.", up=2) if i else x
            x = self.layer(x, ws[2 * i], prefix + "conv1.")
            if img is not None:
                img = resampled(img, state[prefix + "resample_filter"], up=2, pads=(2, 1, 2, 1), gain=4)
            y = self.image(x, ws[2 * i + 1], prefix + "torgb.")
            img = y if img is None else img + y
        assert img is not None
        return img

    def styles(self, w: Tensor, prefix: str) -> Tensor:
        """A layer's style."""
        weight = self.state[prefix + "affine.weight"]
        return w @ (weight / math.sqrt(weight.shape[1])).T + self.state[prefix + "affine.bias"]

    def layer(self, x: Tensor, w: Tensor, prefix: str, up: int = 1) -> Tensor:
        """One styled layer."""
        state, styles = self.state, self.styles(w, prefix)
        x = convolved(x, state[prefix + "weight"], styles, state[prefix + "resample_filter"], up=up, demodulate=True)
        x = x + state[prefix + "noise_const"] * state[prefix + "noise_strength"]
        return F.leaky_relu(x + state[prefix + "bias"][:, None, None], SLOPE) * GAIN

    def image(self, x: Tensor, w: Tensor, prefix: str) -> Tensor:
        """A layer to the image."""
        weight = self.state[prefix + "weight"]
        styles = self.styles(w, prefix) / math.sqrt(weight.shape[1])
        x = convolved(x, weight, styles, weight, up=1, demodulate=False)
        return x + self.state[prefix + "bias"][:, None, None]


def network(size: int) -> StyleGAN2Generator:
    G = build_random(StyleGAN2Generator, {"image_size": size, "channel_base": BASES.get(size, 32768)}, seed=0).eval()
    with torch.no_grad():
        for name, parameter in G.named_parameters():
            if name.endswith(("noise_strength", "bias")) and "affine" not in name:
                parameter.normal_(0, 0.1)
    return G


def seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(size: int, repeats: int) -> None:
    G = network(size)
    z = torch.randn(1, G.z_dim, generator=torch.Generator().manual_seed(0))
    ways: dict[str, Callable[[], Tensor]] = {"plain": lambda: Plain(G)(z), "ganzoo": lambda: G(z)}
    with torch.inference_mode():
        plain, ours = (way() for way in ways.values())
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                times[name].append(seconds(way))
    error = float((plain - ours).abs().max() / plain.abs().max())
    best = {name: min(each) for name, each in times.items()}
    print(f"{size} pixels: plain {best['plain']:.3f} s, ganzoo {best['ganzoo']:.3f} s", end="; ")
    print(f"{best['plain'] / best['ganzoo']:.2f} times as fast, largest difference {error:.1e} of the largest value")


def peak(size: int, way: str) -> None:
    """Makes one image; prints what the process's peak memory grew by, in MiB."""
    G = network(size)
    z = torch.randn(1, G.z_dim, generator=torch.Generator().manual_seed(0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with torch.inference_mode():
        (Plain(G) if way == "plain" else G)(z)
    print(f"{way}: {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a StyleGAN2.")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--peak", choices=("plain", "ganzoo"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.peak:
        peak(arguments.size, arguments.peak)
    elif arguments.memory:
        for way in ("plain", "ganzoo"):
            subprocess.run([sys.executable, __file__, "--size", str(arguments.size), "--peak", way], check=True)
    else:
        measure(arguments.size, arguments.repeats)


if __name__ == "__main__":
    main()
