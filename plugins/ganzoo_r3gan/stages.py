"""How large each stage of an R3GAN is, told from the arguments that both networks share. No torch is needed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganzoo.errors import ConfigError

FIRST_SIZE = 4  # pixels a side of the smallest stage
FULL_WIDTH_SIZE = 32  # the largest resolution of full width; beyond it, twice the pixels have half the channels
GROUP_WIDTH = 16  # channels of a group at 32 to 256 pixels in the paper
BLOCKS = 2


@dataclass(frozen=True)
class StageSizes:
    """One stage: ``blocks`` residual blocks of ``width`` channels, ``hidden`` inside, in ``groups`` groups.

    Attributes:
        depth: Residual blocks of the whole network.
        bf16: Whether it is computed in bfloat16.
    """

    width: int
    hidden: int
    groups: int
    blocks: int
    kernel_size: int
    depth: int
    bf16: bool


def stage_sizes(
    image_size: int = 64,
    width: int = 768,
    widths: Sequence[int] | None = None,
    cardinalities: Sequence[int] | None = None,
    blocks: Sequence[int] | None = None,
    expansion: int = 2,
    kernel_size: int = 3,
    bf16_stages: Sequence[int] = (),
) -> list[StageSizes]:
    """Every stage, the one of 4x4 pixels first. The arguments are those of the networks.

    Raises:
        ConfigError: arguments that do not fit together.
    """
    count = image_size.bit_length() - FIRST_SIZE.bit_length() + 1
    if count < 1 or image_size & (image_size - 1):
        raise ConfigError(f"An R3GAN makes images of a power of two of at least {FIRST_SIZE} pixels, not {image_size}.")
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ConfigError(f"The grouped convolutions have a kernel of an odd size, not {kernel_size}.")
    if expansion < 1:
        raise ConfigError(f"The expansion of a residual block is at least 1, not {expansion}.")
    chosen = [_width(width, FIRST_SIZE << i) for i in range(count)] if widths is None else list(widths)
    hidden = [each * expansion for each in chosen]
    groups = [each // math.gcd(each, GROUP_WIDTH) for each in hidden] if cardinalities is None else list(cardinalities)
    numbers = [BLOCKS] * count if blocks is None else list(blocks)
    _check_list("widths", chosen, count, least=1)
    _check_list("cardinalities", groups, count, least=1)
    _check_list("blocks", numbers, count, least=0)
    for channels, cardinality in zip(hidden, groups, strict=True):
        if channels < 1 or channels % cardinality:
            raise ConfigError(f"The {channels} channels inside a residual block cannot be split into {cardinality} groups.")
    if not all(-count <= index < count for index in bf16_stages):
        raise ConfigError(f"The stages are numbered from {-count} to {count - 1}; bf16_stages are {list(bf16_stages)}.")
    bf16 = {index % count for index in bf16_stages}
    return [
        StageSizes(*each, kernel_size, sum(numbers), i in bf16)
        for i, each in enumerate(zip(chosen, hidden, groups, numbers, strict=True))
    ]


def _width(width: int, size: int) -> int:
    return max(1, width * FULL_WIDTH_SIZE // max(FULL_WIDTH_SIZE, size))


def _check_list(name: str, values: Sequence[int], count: int, least: int) -> None:
    if len(values) != count or min(values) < least:
        size = FIRST_SIZE << (count - 1)
        raise ConfigError(f"An R3GAN of {size} pixels has {count} {name} of at least {least}, not {list(values)}.")
