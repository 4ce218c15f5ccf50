"""The references' formulas for the discriminators, on their own key names; the generators' are the benchmark's baseline."""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

State = Mapping[str, Tensor]
_PATH = Path(__file__).parents[3] / "benchmarks" / "biggan.py"


def baseline() -> Any:
    """The module ``benchmarks/biggan.py``."""
    if "benchmark_of_biggan" not in sys.modules:
        spec = importlib.util.spec_from_file_location("benchmark_of_biggan", _PATH)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["benchmark_of_biggan"] = module
        spec.loader.exec_module(module)
    return sys.modules["benchmark_of_biggan"]


def _judged(state: State, h: Tensor, c: Tensor | None, eps: float) -> Tensor:
    weight = baseline().weight
    h = F.relu(h).sum(dim=(2, 3))
    out = F.linear(h, weight(state, "linear", eps), state["linear.bias"])
    if c is not None:
        out = out + (F.embedding(c, weight(state, "embed", eps)) * h).sum(1, keepdim=True)
    return out.squeeze(1)


def discriminator(state: State, x: Tensor, c: Tensor | None, halves: list[bool], eps: float = 1e-12) -> Tensor:
    """BigGAN-PyTorch's BigGAN: the 1x1 convolution of a shortcut before the pooling, but after it in the first block."""
    convolved, attended = baseline().convolved, baseline().attended
    for i, half in enumerate(halves):
        key = f"blocks.{i}.0"
        h = convolved(state, f"{key}.conv2", F.relu(convolved(state, f"{key}.conv1", F.relu(x) if i else x, eps)), eps)
        x = F.avg_pool2d(x, 2) if half and not i else x
        x = convolved(state, f"{key}.conv_sc", x, eps) if f"{key}.conv_sc.weight" in state else x
        x = F.avg_pool2d(x, 2) if half and i else x
        x = (F.avg_pool2d(h, 2) if half else h) + x
        x = attended(state, f"blocks.{i}.1", x, eps) if f"blocks.{i}.1.gamma" in state else x
    return _judged(state, x, c, eps)


def deep_discriminator(state: State, x: Tensor, c: Tensor | None, halves: list[bool], depth: int, eps: float = 1e-12) -> Tensor:
    """BigGAN-PyTorch's BigGAN-deep."""
    convolved, attended = baseline().convolved, baseline().attended
    x = convolved(state, "input_conv", x, eps)
    for i, half in enumerate(halves):
        for d in range(depth):
            key, h = f"blocks.{i}.{d}", F.relu(x)
            for part in ("conv1", "conv2", "conv3"):
                h = F.relu(convolved(state, f"{key}.{part}", h, eps))
            if half and d == 0:
                h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
            if f"{key}.conv_sc.weight" in state:
                x = torch.cat([x, convolved(state, f"{key}.conv_sc", x, eps)], 1)
            x = convolved(state, f"{key}.conv4", h, eps) + x
        x = attended(state, f"blocks.{i}.{depth}", x, eps) if f"blocks.{i}.{depth}.gamma" in state else x
    return _judged(state, x, c, eps)
