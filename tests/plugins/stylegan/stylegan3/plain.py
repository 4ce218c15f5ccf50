"""StyleGAN3 in straight formulas: filters as sums over pixels, weights sample by sample, nothing clever anywhere."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def mapped(state: State, z: Tensor, c: Tensor | None, *, layers: int, lr: float) -> Tensor:
    x = z / (z.pow(2).mean(1, keepdim=True) + 1e-8).sqrt()
    if c is not None:
        weight, bias = state["mapping.embed.weight"], state["mapping.embed.bias"]
        y = torch.stack([weight[:, i] / math.sqrt(weight.shape[1]) + bias for i in c.tolist()])
        x = torch.cat([x, y / (y.pow(2).mean(1, keepdim=True) + 1e-8).sqrt()], 1)
    for i in range(layers):
        weight, bias = state[f"mapping.fc{i}.weight"], state[f"mapping.fc{i}.bias"]
        x = x @ weight.T * (lr / math.sqrt(weight.shape[1])) + bias * lr
        x = torch.where(x > 0, x, 0.2 * x) * math.sqrt(2)
    return x


def features(state: State, w: Tensor, *, size: int, rate: float, cutoff: float) -> Tensor:
    t = affine(state, "synthesis.input", w)
    images = []
    for cosine, sine, x, y in t / t[:, :2].norm(dim=1, keepdim=True):
        turn = torch.tensor([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], dtype=w.dtype)
        move = torch.tensor([[1, 0, -x], [0, 1, -y], [0, 0, 1]], dtype=w.dtype)
        whole = turn @ move @ state["synthesis.input.transform"]
        freqs = state["synthesis.input.freqs"] @ whole[:2, :2]
        fade = (1 - (freqs.norm(dim=1) - cutoff) / (rate / 2 - cutoff)).clamp(0, 1)
        phases = state["synthesis.input.phases"] + state["synthesis.input.freqs"] @ whole[:2, 2]
        centre = torch.arange(size, dtype=w.dtype) + 0.5 - size / 2
        places = torch.stack(torch.meshgrid(centre, centre, indexing="xy"), -1) / rate
        image = torch.sin(2 * math.pi * (places @ freqs.T + phases)) * fade
        mix = state["synthesis.input.weight"] / math.sqrt(len(freqs))
        images.append(torch.einsum("oi,hwi->ohw", mix, image))
    return torch.stack(images)


def affine(state: State, name: str, w: Tensor) -> Tensor:
    return w @ state[f"{name}.affine.weight"].T / math.sqrt(w.shape[1]) + state[f"{name}.affine.bias"]


def resampled(x: Tensor, f: Tensor | None, *, up: int, down: int, before: int, after: int) -> Tensor:
    """Zeros between pixels, zeros around, convolution with ``f``, every so manyth pixel."""
    n, channels, height, width = x.shape
    spread = x.new_zeros(n, channels, height * up, width * up)
    spread[:, :, ::up, ::up] = x
    spread = F.pad(spread, (before, after, before, after))
    y = spread.flatten(0, 1)[:, None]
    for taps in [] if f is None else [f] if f.ndim == 2 else [f[None], f[:, None]]:
        y = F.conv2d(y, taps.flip(0, 1)[None, None])
    return y.unflatten(0, (n, channels))[:, :, 0, ::down, ::down]


def layer(
    state: State, name: str, x: Tensor, w: Tensor, *, after: int, up: int, down: int, to_image: bool, clamp: float | None
) -> Tensor:
    s = affine(state, name, w)
    weight = state[f"{name}.weight"]
    kernel = weight.shape[2]
    if to_image:
        s = s / math.sqrt(weight.shape[1] * kernel**2)
    else:
        weight = weight / weight.pow(2).mean((1, 2, 3), keepdim=True).sqrt()
        s = s / s.pow(2).mean().sqrt()
    rows = []
    for sample, style in zip(x, s, strict=True):
        modulated = weight * style[None, :, None, None]
        if not to_image:
            modulated = modulated / (modulated.pow(2).sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        modulated = modulated / state[f"{name}.magnitude_ema"].sqrt()
        rows.append(F.conv2d(sample[None], modulated, padding=kernel - 1))
    y = torch.cat(rows) + state[f"{name}.bias"][:, None, None]
    fu, fd = state.get(f"{name}.up_filter"), state.get(f"{name}.down_filter")
    lost = sum(len(f) - 1 for f in (fu, fd) if f is not None)
    padding = (after - 1) * down + 1 + lost - y.shape[2] * up
    first = (padding + up) // 2
    y = resampled(y, fu, up=up, down=1, before=first, after=padding - first) * up**2
    if not to_image:
        y = torch.where(y > 0, y, 0.2 * y) * math.sqrt(2)
    y = y if clamp is None else y.clamp(-clamp, clamp)
    return resampled(y, fd, up=1, down=down, before=0, after=0)
