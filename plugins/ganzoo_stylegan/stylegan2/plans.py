"""How large each block of a StyleGAN2 is, told from the arguments that both networks share. No torch is needed."""

import math
from collections.abc import Sequence

from ganzoo.errors import ConfigError

FIRST_SIZE = 4  # pixels a side of the smallest block
ARCHITECTURES = ("skip", "resnet", "orig")
LARGEST = 1 << 16  # pixels a side that anybody would ask for


def block_sizes(image_size: int) -> list[int]:
    """Pixels a side of every block, the smallest first.

    Raises:
        ConfigError: no power of two of at least 4.
    """
    if not FIRST_SIZE <= image_size <= LARGEST or image_size & (image_size - 1):
        raise ConfigError(f"A StyleGAN2 makes images of a power of two of at least {FIRST_SIZE} pixels, not {image_size}.")
    return [FIRST_SIZE << i for i in range(int(math.log2(image_size // FIRST_SIZE)) + 1)]


def block_widths(image_size: int, channel_base: int, channel_max: int, widths: Sequence[int] | None) -> dict[int, int]:
    """Channels by resolution, the smallest first: ``channel_base`` over the resolution, at most ``channel_max``.

    Raises:
        ConfigError: arguments that do not fit together.
    """
    sizes = block_sizes(image_size)
    chosen = [min(channel_base // size, channel_max) for size in sizes] if widths is None else list(widths)
    if len(chosen) != len(sizes) or min(chosen) < 1:
        raise ConfigError(
            f"A StyleGAN2 of {image_size} pixels has {len(sizes)} widths of at least 1, not {chosen}.",
            hint="Raise channel_base, or give widths for each resolution from 4x4 on.",
        )
    return dict(zip(sizes, chosen, strict=True))


def half_precision_sizes(image_size: int, num_fp16_res: int) -> set[int]:
    """The ``num_fp16_res`` largest resolutions, 4x4 never among them."""
    sizes = block_sizes(image_size)
    return set(sizes[max(1, len(sizes) - num_fp16_res) :])


def check_architecture(name: str | None, default: str) -> str:
    """``name`` where there is such an architecture, or ``default`` for none.

    Raises:
        ConfigError: there is none.
    """
    name = default if name is None else name
    if name not in ARCHITECTURES:
        raise ConfigError(f"There is no architecture '{name}' of StyleGAN2.", hint=f"Use {', '.join(ARCHITECTURES)}.")
    return name
