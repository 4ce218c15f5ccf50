"""StyleGAN written out formula by formula on the variables of genforce's checkpoints: slow, plain, and independent of the zoo.

Numbers of the paper: leaky ReLU 0.2, He's constant with a gain of sqrt 2 in front of it, 1 elsewhere.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Facts:
    """What no variable tells."""

    lr_multiplier: float = 0.01
    fused: bool | None = None
    equalised: bool = True
    tanh: bool = False
    group: int = 4


def weight(state: State, key: str, facts: Facts, gain: float = math.sqrt(2), rate: float = 1.0) -> Tensor:
    w = state[f"{key}.weight"]
    return w * ((gain / math.sqrt(w[0].numel()) if facts.equalised else 1.0) * rate)


def act(x: Tensor) -> Tensor:
    return torch.maximum(x, 0.2 * x)


def mapped(state: State, z: Tensor, labels: Tensor | None, facts: Facts) -> Tensor:
    if labels is not None:
        z = torch.cat([z, labels @ state["mapping.label_weight"]], 1)
    x = z / torch.sqrt((z**2).mean(1, keepdim=True) + 1e-8)
    i = 0
    while f"mapping.dense{i}.weight" in state:
        w = weight(state, f"mapping.dense{i}", facts, rate=facts.lr_multiplier)
        x = act(x @ w.t() + state[f"mapping.dense{i}.bias"] * facts.lr_multiplier)
        i += 1
    return x


def truncated(state: State, w: Tensor, layers: int, psi: float, cutoff: int) -> Tensor:
    mean = state["truncation.w_avg"]
    return torch.stack([mean + psi * (w - mean) if i < cutoff else w for i in range(layers)], 1)


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def summed(w: Tensor) -> Tensor:
    """Four copies of a kernel, each shifted by one pixel, on top of each other."""
    w = F.pad(w, (1, 1, 1, 1))
    return w[:, :, 1:, 1:] + w[:, :, :-1, 1:] + w[:, :, 1:, :-1] + w[:, :, :-1, :-1]


def blurred(state: State, key: str, x: Tensor) -> Tensor:
    kernel = state.get(f"{key}.blur.kernel")
    return x if kernel is None else F.conv2d(x, kernel, padding=kernel.shape[-1] // 2, groups=len(kernel))


def synthesised(state: State, ws: Tensor, facts: Facts, lod: float = 0.0, noise: str = "const") -> Tensor:
    layers = ws.shape[1]
    last = layers // 2 - 1
    images = []
    for i in range(layers):
        key, size = f"synthesis.layer{i}", 4 << i // 2
        if f"{key}.const" in state:
            x = state[f"{key}.const"].repeat(len(ws), 1, 1, 1)
        elif i == 0:
            w = weight(state, key, facts)
            x = F.conv2d(ws[:, 0, :, None, None], w, padding=3)
        elif i % 2:
            x = F.conv2d(x, weight(state, key, facts), padding=1)
        else:
            w = weight(state, key, facts)
            if facts.fused or (facts.fused is None and size >= 128):
                x = F.conv_transpose2d(x, summed(w).transpose(0, 1), stride=2, padding=1)
            else:
                x = F.conv2d(doubled(x), w, padding=1)
            x = blurred(state, key, x)
        if noise == "const" and f"{key}.apply_noise.noise" in state:
            strength = state[f"{key}.apply_noise.weight"]
            x = x + state[f"{key}.apply_noise.noise"] * (strength[:, None, None] if strength.ndim == 1 else strength)
        x = act(x + state[f"{key}.bias"][:, None, None])
        x = x - x.mean((2, 3), keepdim=True)
        x = x / torch.sqrt((x**2).mean((2, 3), keepdim=True) + 1e-8)
        style = ws[:, i] @ weight(state, f"{key}.style", facts, gain=1.0).t() + state[f"{key}.style.bias"]
        scale, shift = style.view(len(ws), 2, -1, 1, 1).unbind(1)
        x = x * (scale + 1) + shift
        if i % 2:
            rgb = f"synthesis.output{i // 2}"
            shown = f"{rgb}.weight" in state
            images.append(F.conv2d(x, weight(state, rgb, facts, gain=1.0), state[f"{rgb}.bias"]) if shown else x.new_zeros(()))
    whole, part = math.floor(lod), lod - math.floor(lod)
    image = images[last - whole]
    if part:
        image = (1 - part) * image + part * doubled(images[last - whole - 1])
    for _ in range(whole):
        image = doubled(image)
    return torch.tanh(image) if facts.tanh else image


def judged(state: State, image: Tensor, labels: Tensor | None, facts: Facts, lod: float = 0.0) -> Tensor:
    count = 0
    while f"layer{count}.weight" in state and state[f"layer{count}.weight"].ndim == 4:
        count += 1
    stages = (count + 1) // 2
    whole, part = math.floor(lod), lod - math.floor(lod)

    def seen(i: int) -> Tensor:
        small = F.avg_pool2d(image, 2**i) if i else image
        return act(F.conv2d(small, weight(state, f"input{i}", facts), state[f"input{i}.bias"]))

    x = seen(whole)
    for i in range(whole, stages - 1):
        if part and i == whole + 1:
            x = (1 - part) * x + part * seen(i)
        a, b = f"layer{2 * i}", f"layer{2 * i + 1}"
        x = act(F.conv2d(x, weight(state, a, facts), state[f"{a}.bias"], padding=1))
        x = F.conv2d(blurred(state, b, x), weight(state, b, facts), state[f"{b}.bias"], padding=1)
        x = act(F.avg_pool2d(x, 2))
    if part and whole + 1 == stages - 1:
        x = (1 - part) * x + part * seen(stages - 1)
    a, b, c = (f"layer{2 * stages - 2 + j}" for j in range(3))
    more = state[f"{a}.weight"].shape[1] - x.shape[1]
    if more:
        group = min(facts.group, len(x))
        means = []
        for i in range(len(x)):
            peers = x[i % (len(x) // group) :: len(x) // group]
            std = torch.sqrt(((peers - peers.mean(0)) ** 2).mean(0) + 1e-8)
            means.append(torch.stack([part.mean() for part in std.chunk(more)]))
        x = torch.cat([x, torch.stack(means)[:, :, None, None].expand(-1, -1, 4, 4)], 1)
    x = act(F.conv2d(x, weight(state, a, facts), state[f"{a}.bias"], padding=1))
    x = act(x.flatten(1) @ weight(state, b, facts).t() + state[f"{b}.bias"])
    x = x @ weight(state, c, facts, gain=1.0).t() + state[f"{c}.bias"]
    return x[:, 0] if labels is None else (x * labels).sum(1)


def filled(network: Any, seed: int = 0, *, blur: bool = True) -> None:
    """Puts random numbers wherever a constructor leaves constants, except in the level of detail, and in blurs if told so."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not name.endswith("lod") and (blur or "blur" not in name):
                tensor.add_(0.3 * torch.randn(tensor.shape, generator=rng))
