"""How many channels each stage of the networks has, by image size, and where attention stands. Plain numbers, no torch.

The tables are those of Brock et al. 2019 (tables 4 to 9 for 128, 256 and 512 pixels) and, for smaller images, of
BigGAN-PyTorch; channels are multiples of the ``width``.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ganzoo.errors import ConfigError

UP = {
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}
DOWN = {
    32: (4, 4, 4, 4),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
    512: (1, 1, 2, 4, 8, 8, 16, 16),
}
SIZES = tuple(UP)
_USUAL_ATTENTION: dict[int, tuple[int, ...]] = {32: (), 64: (32,)}  # as in BigGAN-PyTorch's scripts; above, the paper's
_FIRST_UP = 8  # pixels a side after the first stage of a generator, in these tables

# Blocks of the published deep network for 128 pixels: whether each doubles them, channels before and after it in widths.
PUBLISHED_LAYERS = (
    (False, 16, 16),
    (True, 16, 16),
    (False, 16, 16),
    (True, 16, 8),
    (False, 8, 8),
    (True, 8, 4),
    (False, 4, 4),
    (True, 4, 2),
    (False, 2, 2),
    (True, 2, 1),
)


@dataclass(frozen=True)
class Stage:
    """The blocks at one resolution.

    Attributes:
        before: Channels of the input.
        after: Channels of the output.
        resolution: Pixels a side that attention after it is asked for by: those of its output, but 16 for every stage of a
            discriminator of images of 32 pixels, as in BigGAN-PyTorch.
        resamples: Whether it doubles (generator) or halves (discriminator) the pixels.
    """

    before: int
    after: int
    resolution: int
    resamples: bool = True


@dataclass(frozen=True)
class Block:
    """One residual block of a deep generator: channels before and after it, whether it doubles the pixels, its stage."""

    before: int
    after: int
    doubles: bool
    stage: int


def generator_stages(image_size: int, width: int) -> tuple[Stage, ...]:
    """Of BigGAN and BigGAN-deep; all of them double the pixels.

    Raises:
        ConfigError: there is no network for that size, or a width of no channels.
    """
    widths = [width * factor for factor in _row(UP, image_size, width)]
    return tuple(Stage(a, b, _FIRST_UP << i) for i, (a, b) in enumerate(itertools.pairwise(widths)))


def discriminator_stages(image_size: int, width: int, channels: int) -> tuple[Stage, ...]:
    """Of BigGAN: the first one begins with the image, the last one (two, at 32 pixels) keeps the resolution.

    Raises:
        ConfigError: there is no network for that size, or a width of no channels.
    """
    widths = [channels, *(width * factor for factor in _row(DOWN, image_size, width))]
    return _narrowing(image_size, widths, kept=2 if image_size == 32 else 1)


def deep_discriminator_stages(image_size: int, width: int) -> tuple[Stage, ...]:
    """Of BigGAN-deep, after its first convolution.

    Raises:
        ConfigError: there is no network for that size, or a width of no channels.
    """
    widths = [width * factor for factor in _row(DOWN, image_size, width)]
    return _narrowing(image_size, widths, kept=1 if image_size == 32 else 0)


def deep_blocks(stages: Sequence[Stage], depth: int) -> tuple[Block, ...]:
    """The blocks of a deep generator: the last one of each stage doubles the pixels and changes the channels.

    Raises:
        ConfigError: a stage has no block.
    """
    check_depth(depth)
    return tuple(
        Block(stage.before, stage.after if last else stage.before, last, number)
        for number, stage in enumerate(stages)
        for last in [False] * (depth - 1) + [True]
    )


def check_depth(depth: int) -> None:
    """Makes sure that there is a block in every stage.

    Raises:
        ConfigError: there is none.
    """
    if depth < 1:
        raise ConfigError(f"Every stage needs at least one block, not {depth}.")


def attention_after(stages: Sequence[Stage], attention: Sequence[int] | None, image_size: int) -> tuple[int, ...]:
    """The stages, counted from zero, that attention stands after.

    Args:
        stages: Of the network.
        attention: Resolutions; None: 64 pixels as in the paper, 32 in images of 64 pixels, nowhere in those of 32.
        image_size: Pixels a side.

    Raises:
        ConfigError: no stage has one of these resolutions.
    """
    wanted = _USUAL_ATTENTION.get(image_size, (64,)) if attention is None else tuple(attention)
    known = {stage.resolution for stage in stages}
    for resolution in wanted:
        if resolution not in known:
            listed = ", ".join(str(size) for size in sorted(known))
            raise ConfigError(f"There is no stage of {resolution} pixels for attention.", hint=f"There are: {listed}.")
    return tuple(number for number, stage in enumerate(stages) if stage.resolution in wanted)


def _narrowing(image_size: int, widths: Sequence[int], *, kept: int) -> tuple[Stage, ...]:
    pairs = list(itertools.pairwise(widths))
    halving = len(pairs) - kept
    return tuple(
        Stage(a, b, 16 if image_size == 32 else max(4, image_size >> (i + 1)), resamples=i < halving)
        for i, (a, b) in enumerate(pairs)
    )


def _row(table: dict[int, tuple[int, ...]], image_size: int, width: int) -> tuple[int, ...]:
    if image_size not in table:
        raise ConfigError(f"There is no BigGAN for {image_size} pixels.", hint=f"Use {', '.join(str(size) for size in SIZES)}.")
    if width < 1:
        raise ConfigError(f"Every stage needs at least one channel; a width of {width} leaves none.")
    return table[image_size]
