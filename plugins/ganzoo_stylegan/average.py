"""The mean of ``w`` where a checkpoint has none."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ganzoo.nn import one_hot

COUNT = 10_000  # latents: the mean is then exact to a hundredth of the standard deviation of w
BATCH = 1_000


def mean_w(mapping: nn.Module, weights: Mapping[str, Tensor], z_dim: int, num_classes: int) -> Tensor:
    """The mean ``[w_dim]`` of ``w`` over latents of a fixed seed, classes drawn uniformly.

    Args:
        mapping: A network from ``z`` and class weights to ``w``, with the buffer ``w_avg``; its weights are overwritten.
        weights: Of that network, by name.
        z_dim: Entries of ``z``.
        num_classes: How many classes there are; 0 for none.
    """
    average = mapping.get_buffer("w_avg")
    if any(tensor.is_meta for tensor in weights.values()):  # only the shape is wanted
        return torch.empty_like(average, device="meta")
    mapping.eval().load_state_dict(weights, strict=False)
    rng = torch.Generator("cpu").manual_seed(0)
    total = torch.zeros_like(average, dtype=torch.float64)
    with torch.no_grad():
        for _ in range(COUNT // BATCH):
            z = torch.randn(BATCH, z_dim, generator=rng)
            c = one_hot(torch.randint(num_classes, (BATCH,), generator=rng), num_classes, z) if num_classes else None
            total += mapping(z, c).double().sum(0)
    return (total / COUNT).float()
