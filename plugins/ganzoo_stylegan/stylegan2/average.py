"""The mean of ``w`` where a checkpoint of StyleGAN2 has none."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganzoo_stylegan.average import mean_w
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator

_MAPPING = "mapping."


def average_w(state: Mapping[str, Tensor], config: Mapping[str, Any]) -> Tensor:
    """The mean ``[w_dim]`` of ``w`` over latents of a fixed seed, classes drawn uniformly.

    Args:
        state: Of the generator, under our names; only the mapping network's tensors are looked at.
        config: Its arguments.
    """
    layers = {
        key.removeprefix(_MAPPING): tensor
        for key, tensor in state.items()
        if key.startswith((f"{_MAPPING}fc", f"{_MAPPING}embed"))
    }
    # The smallest generator with this mapping network.
    small = {**config, "image_size": 4, "widths": [1], "architecture": "skip", "num_fp16_res": 0}
    return mean_w(StyleGAN2Generator(**small).mapping, layers, config["z_dim"], config.get("num_classes", 0))
