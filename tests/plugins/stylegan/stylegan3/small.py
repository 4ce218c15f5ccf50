"""Small StyleGAN3s of every kind, with nothing in them at its initial value."""

from typing import Any

import torch

from ganzoo.building import build_random
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator

_SMALL: dict[str, Any] = {"image_size": 16, "z_dim": 5, "w_dim": 6, "channel_base": 256, "channel_max": 8, "layers": 4}
R: dict[str, Any] = {"kernel_size": 1, "radial": True}
CONFIGS: dict[str, dict[str, Any]] = {
    "t": _SMALL,
    "r": {**_SMALL, **R},
    "classes": {**_SMALL, "num_classes": 3, "mapping_layers": 3},
    "radial-3x3": {**_SMALL, "radial": True, "layers": 5, "critical_layers": 1},
    "one-critical": {**_SMALL, "critical_layers": 1},
    "deep": {**_SMALL, "image_size": 32, "layers": 7, "channels": 1, "mapping_layers": 1, "mapping_lr": 0.5},
    "margin": {**_SMALL, "margin": 3, "channels": 4},
    "filters": {**_SMALL, "filter_size": 4},
    "odd-filters": {**_SMALL, "filter_size": 3, **R},
    "oversampling": {**_SMALL, "filter_size": 4, "oversampling": 4},
    "no-oversampling": {**_SMALL, "oversampling": 1},
    "kernel-5": {**_SMALL, "kernel_size": 5},
    "constants": {**_SMALL, "output_scale": 1.0, "conv_clamp": 0.4},
    "no-clamp": {**_SMALL, "conv_clamp": None, "output_scale": 0.7},
    "bands": {**_SMALL, "image_size": 32, "first_cutoff": 3, "first_stopband": 5.5, "last_stopband": 2**0.4},
    "base": {**_SMALL, "image_size": 32, "channel_base": 100, "channel_max": 20, "layers": 6},
}


def generator(name: str, seed: int = 1, **changes: Any) -> StyleGAN3Generator:
    """Of one of `CONFIGS`, in evaluation mode and double precision."""
    made = build_random(StyleGAN3Generator, {**CONFIGS[name], **changes}, seed=seed).eval().double()
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, tensor in [*made.named_parameters(), *made.named_buffers()]:
            if key.endswith("magnitude_ema"):
                tensor.copy_(0.3 + torch.rand((), generator=rng))
            elif key.endswith(("bias", "w_avg", "input.affine.weight")):
                tensor.add_(0.3 * torch.randn(tensor.shape, generator=rng))
    turn = torch.tensor([[0.96, 0.28, 0.07], [-0.28, 0.96, -0.05], [0.0, 0.0, 1.0]], dtype=torch.float64)
    made.synthesis.input.transform.copy_(turn)
    return made


def inputs(made: StyleGAN3Generator, count: int = 2) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Latents and classes."""
    z = torch.randn(count, made.z_dim, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return z, torch.arange(count) % made.num_classes if made.num_classes else None
