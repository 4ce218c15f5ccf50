"""The mean of ``w`` where a checkpoint has none."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.nn import one_hot
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator

COUNT = 10_000  # latents: the mean is then exact to a hundredth of the standard deviation of w
BATCH = 1_000


def average_w(state: Mapping[str, Tensor], config: Mapping[str, Any]) -> Tensor:
    """The mean ``[w_dim]`` of ``w`` over latents of a fixed seed, classes drawn uniformly.

    Args:
        state: Of the generator, under our names; only the mapping network's tensors are looked at.
        config: Its arguments.
    """
    layers = {key: tensor for key, tensor in state.items() if key.startswith("mapping.fc") or key.startswith("mapping.embed")}
    example = next(iter(layers.values()), torch.empty(0))
    if example.device.type == "meta":  # only the shape is wanted
        return torch.empty(config["w_dim"], device="meta")
    # The smallest generator with this mapping network.
    small = {**config, "image_size": 4, "widths": [1], "architecture": "skip", "num_fp16_res": 0}
    mapping = StyleGAN2Generator(**small).mapping.eval()
    mapping.load_state_dict({key.removeprefix("mapping."): tensor for key, tensor in layers.items()}, strict=False)
    rng = torch.Generator("cpu").manual_seed(0)
    total = torch.zeros(config["w_dim"], dtype=torch.float64)
    with torch.no_grad():
        for _ in range(COUNT // BATCH):
            z = torch.randn(BATCH, config["z_dim"], generator=rng)
            classes = config.get("num_classes", 0)
            c = one_hot(torch.randint(classes, (BATCH,), generator=rng), classes, z) if classes else None
            total += mapping(z, c).double().sum(0)
    return (total / COUNT).float()
