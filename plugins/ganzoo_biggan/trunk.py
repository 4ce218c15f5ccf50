"""What runs through the blocks of all networks of the family."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn import Layers
from ganzoo.nn.folded_attention import FoldedSelfAttention
from ganzoo.nn.recording import recorded, watched
from ganzoo_biggan import ending
from ganzoo_biggan.blocks import DeepUpBlock, UpBlock
from ganzoo_biggan.norms import Normalisation


def attention_modules(places: Mapping[int, int], layers: Layers) -> nn.ModuleDict:
    """Self attention by how many blocks stand before it.

    Args:
        places: Blocks before it, and channels there.
        layers: Makes its convolutions.

    Raises:
        ConfigError: fewer than eight channels.
    """
    return nn.ModuleDict(
        {str(place): FoldedSelfAttention(channels, convolution=layers.convolution) for place, channels in places.items()}
    )


def through(
    blocks: nn.ModuleList, attention: nn.ModuleDict, x: Tensor, conditions: Sequence[Tensor] | None = None, *further: Any
) -> Tensor:
    """``x [N, C, H, W]`` through all blocks and the attention between them.

    Args:
        blocks: One after the other.
        attention: By the number of blocks before it.
        x: The input.
        conditions: What each block is conditioned on; None where blocks take nothing but ``x``.
        *further: Given to every block after its condition.
    """
    for number in range(len(blocks) + 1):
        if str(number) in attention:
            x = attention[str(number)](x)
        if number < len(blocks):
            x = blocks[number](x) if conditions is None else blocks[number](x, conditions[number], *further)
    return x


def coloured(
    blocks: nn.ModuleList,
    attention: nn.ModuleDict,
    x: Tensor,
    conditions: Sequence[Tensor],
    *further: Any,
    norm: Normalisation,
    condition: Tensor,
    last: nn.Module,
) -> Tensor:
    """Images: `through` all blocks, then the last normalisation, convolution and a hyperbolic tangent.

    Args:
        blocks: As for `through`, and so are the arguments before ``norm``.
        attention: By the number of blocks before it.
        x: The input.
        conditions: What each block is conditioned on.
        *further: Given to every block and to the normalisation after its condition.
        norm: The last normalisation.
        condition: What it is conditioned on.
        last: The last convolution, 3x3 pixels.
    """
    end = blocks[-1]
    assert isinstance(end, UpBlock | DeepUpBlock)
    alone = str(len(blocks)) not in attention and not recorded(x, condition, *conditions, *last.parameters(), *end.parameters())
    if not alone or norm.of_batch or watched(end, norm, last):
        x = through(blocks, attention, x, conditions, *further)
        return torch.tanh(last(norm(x, condition, *further))).contiguous()
    x = through(blocks[:-1], attention, x, conditions[:-1], *further)
    change, kept = end.branches(x, conditions[-1], *further)
    if change.shape[0] * kept.shape[1] * change.shape[2] * change.shape[3] >= ending.LARGE:
        return ending.Ending(end, norm, last)(change, kept, condition, *further)
    x = end.joined(end.last(change), kept)
    return torch.tanh(last(norm(x, condition, *further, inplace=True))).contiguous()


def check_latent(latent_size: int, bottom_width: int) -> None:
    """Makes sure that there is something to begin with.

    Raises:
        ConfigError: a latent of no entries, or no pixels.
    """
    if latent_size < 1 or bottom_width < 1:
        raise ConfigError(
            f"A latent of {latent_size} entries and {bottom_width} pixels cannot make an image.",
            hint="Where it is hierarchical, the latent needs an entry for each stage and one more.",
        )
