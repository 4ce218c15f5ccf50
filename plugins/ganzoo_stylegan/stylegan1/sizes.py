"""How wide each resolution of a StyleGAN is, told from the arguments that both networks share. No torch is needed."""

from collections.abc import Sequence

from ganzoo.errors import ConfigError

FIRST_SIZE = 4  # pixels a side of the smallest resolution


def stage_widths(image_size: int, channel_base: int, channel_max: int, widths: Sequence[int] | None) -> list[int]:
    """Channels at each resolution, 4x4 pixels first. The arguments are those of the networks.

    Raises:
        ConfigError: arguments that do not fit together.
    """
    count = stages(image_size)
    if count < 1 or image_size & (image_size - 1):
        raise ConfigError(f"A StyleGAN makes images of a power of two of at least {FIRST_SIZE} pixels, not {image_size}.")
    chosen = [width(FIRST_SIZE << i, channel_base, channel_max) for i in range(count)] if widths is None else list(widths)
    if len(chosen) != count or min(chosen) < 1:
        raise ConfigError(f"A StyleGAN of {image_size} pixels has {count} widths of at least 1, not {chosen}.")
    return chosen


def stages(image_size: int) -> int:
    """How many resolutions there are from 4x4 pixels on."""
    return image_size.bit_length() - FIRST_SIZE.bit_length() + 1


def width(size: int, channel_base: int, channel_max: int) -> int:
    """Channels at ``size`` pixels a side."""
    return min(channel_base // size, channel_max)


def blur_taps(blur: Sequence[float] | None) -> list[float]:
    """The taps of the filter next to a change of resolution; one tap for no filter.

    Raises:
        ConfigError: an even number of taps, or taps that cannot be normalised.
    """
    taps = [1.0] if blur is None else [float(tap) for tap in blur]
    if len(taps) % 2 == 0 or sum(taps) == 0:
        raise ConfigError(f"A blur has an odd number of taps and a sum that is not 0, unlike {taps}.")
    return taps
