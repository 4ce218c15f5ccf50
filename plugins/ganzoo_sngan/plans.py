"""How many channels each block of the networks has, by image size. Plain numbers: no torch is needed.

32 and 48 pixels are those of Miyato et al. 2018, tables 4 and 5, and 128 those of Miyato and Koyama 2018; 64 pixels and the
halvings at 48 are as mimicry (Lee and Town 2020, arXiv:2005.02494) has them, the sizes between follow the same rule.
StudioGAN's tables (Kang, Shin and Park 2023) are its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ganzoo.errors import ConfigError

_HALVINGS = {48: 4, 64: 5}  # to 3x3 and 2x2 pixels; every other size ends at 4x4 or more


@dataclass(frozen=True)
class Pyramid:
    """A generator's channels.

    Attributes:
        widths: Before the first block and after each one; every block doubles the resolution.
        bottom: Pixels a side before the first block.
    """

    widths: tuple[int, ...]
    bottom: int


@dataclass(frozen=True)
class Funnel:
    """A discriminator's channels.

    Attributes:
        widths: After each block.
        halvings: How many blocks, from the first one on, halve the resolution.
    """

    widths: tuple[int, ...]
    halvings: int


def pyramid(image_size: int, width: int | None, widths: Sequence[int] | None) -> Pyramid:
    """The generator's plan: ``widths`` where given, else told from ``width``, the channels at the bottom (None: the papers').

    Raises:
        ConfigError: the image size is no small number times a power of two, or the widths are no channel counts.
    """
    doublings = _doublings(image_size) if widths is None else len(widths) - 1
    if widths is None:
        if width is None:
            width = 256 if image_size <= 32 else 512 if image_size <= 48 else 1024
        # Up to 32 pixels all are alike; above, they halve with every block, the first ones of a tall pyramid excepted.
        shifts = [0 if image_size <= 32 else max(0, i - max(0, doublings - 4)) for i in range(doublings + 1)]
        widths = [width >> shift for shift in shifts]
    if doublings < 1 or image_size < 1 or image_size % (1 << doublings):
        raise ConfigError(f"An image of {image_size} pixels cannot be made by {doublings} doublings.")
    return Pyramid(_checked(widths), image_size >> doublings)


def funnel(image_size: int, width: int | None, widths: Sequence[int] | None, halvings: int | None) -> Funnel:
    """The discriminator's plan, as far as it is not given told from ``width``, the channels at the end (None: the papers').

    Raises:
        ConfigError: the image size is no small number times a power of two, the widths are no channel counts, or there are
            more halvings than blocks or than the image has room for.
    """
    if widths is None:
        doublings = _doublings(image_size)
        if width is None:
            width = 128 if image_size <= 32 else 1024
        blocks = 4 if image_size <= 32 else max(5, doublings + 1)
        widths = [width >> (0 if image_size <= 32 else max(0, 4 - i)) for i in range(blocks)]
    if halvings is None:
        doublings = _doublings(image_size)
        halvings = max(1, doublings - 1) if image_size <= 32 else _HALVINGS.get(image_size, doublings)
    if not 1 <= halvings <= len(widths) or image_size >> halvings < 1:
        raise ConfigError(f"{len(widths)} blocks cannot halve {image_size} pixels {halvings} times.")
    return Funnel(_checked(widths), halvings)


def generator_attention(plan: Pyramid) -> int:
    """After which block, counted from one, attention stands: the last at 32 pixels, in small images at half their size.

    Zhang et al. 2019, table 1, found 32 pixels the best place at 128.
    """
    doublings = len(plan.widths) - 1
    sizes = [plan.bottom << i for i in range(1, doublings + 1)]
    fitting = [i for i, size in enumerate(sizes, start=1) if size <= min(32, sizes[-1] // 2)]
    return max(fitting, default=1)


def discriminator_attention(plan: Funnel) -> int:
    """After which block, counted from one, attention stands: the second, as in Zhang et al. 2019."""
    return min(2, len(plan.widths))


_STUDIO_GENERATOR = {
    32: (4, 4, 4, 4),
    64: (16, 8, 4, 2, 1),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}
_STUDIO_DISCRIMINATOR = {
    32: (2, 2, 2, 2),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
    512: (1, 1, 2, 4, 8, 8, 16, 16),
}
STUDIO_SIZES = tuple(_STUDIO_GENERATOR)
# Of its SNGAN (whose generator has no spectral normalisation) and its SAGAN for small pictures.
STUDIO_GENERATOR_SPECTRAL, STUDIO_DISCRIMINATOR_SPECTRAL = False, True
STUDIO_GENERATOR_ATTENTION, STUDIO_DISCRIMINATOR_ATTENTION = (2,), (1,)


def studio_pyramid(image_size: int, width: int) -> Pyramid:
    """StudioGAN's generator; ``width`` is its ``g_conv_dim``.

    Raises:
        ConfigError: it has no such size.
    """
    return Pyramid(_checked([width * factor for factor in _studio(_STUDIO_GENERATOR, image_size)]), 4)


def studio_funnel(image_size: int, width: int) -> Funnel:
    """StudioGAN's discriminator; ``width`` is its ``d_conv_dim``. All blocks halve but the last, or the last two at 32 pixels.

    Raises:
        ConfigError: it has no such size.
    """
    widths = [width * factor for factor in _studio(_STUDIO_DISCRIMINATOR, image_size)]
    return Funnel(_checked(widths), len(widths) - (2 if image_size == 32 else 1))


def _studio(table: dict[int, tuple[int, ...]], image_size: int) -> tuple[int, ...]:
    if image_size not in table:
        sizes = ", ".join(str(size) for size in STUDIO_SIZES)
        raise ConfigError(f"StudioGAN has no network for {image_size} pixels.", hint=f"Use {sizes}.")
    return table[image_size]


def _doublings(image_size: int) -> int:
    """How often 4, 5, 6 or 7 pixels must be doubled to get ``image_size``."""
    doublings = max(0, image_size.bit_length() - 3) if image_size > 0 else 0
    if doublings < 1 or image_size % (1 << doublings):
        raise ConfigError(
            f"No network is known for {image_size} pixels.",
            hint="The side must be 4, 5, 6 or 7 times a power of two: 32, 48, 64, 96, 128 …",
        )
    return doublings


def _checked(widths: Sequence[int]) -> tuple[int, ...]:
    if not widths or min(widths) < 1:
        raise ConfigError(f"Every block needs at least one channel, not {list(widths)}.", hint="Give a larger width.")
    return tuple(widths)
