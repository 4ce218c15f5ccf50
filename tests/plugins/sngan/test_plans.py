"""The channels of each block, against the tables of the papers and of the references."""

import pytest

from ganzoo.errors import ConfigError
from ganzoo_sngan import plans
from ganzoo_sngan.plans import Funnel, Pyramid


@pytest.mark.parametrize(
    ("size", "widths", "bottom"),
    [
        (32, (256, 256, 256, 256), 4),  # Miyato et al. 2018, table 4
        (48, (512, 256, 128, 64), 6),  # table 5
        (64, (1024, 512, 256, 128, 64), 4),
        (128, (1024, 1024, 512, 256, 128, 64), 4),
        (256, (1024, 1024, 1024, 512, 256, 128, 64), 4),
        (96, (1024, 512, 256, 128, 64), 6),
        (8, (256, 256), 4),
    ],
)
def test_generators(size: int, widths: tuple[int, ...], bottom: int) -> None:
    assert plans.pyramid(size, None, None) == Pyramid(widths, bottom)
    assert plans.pyramid(size, widths[0], None) == Pyramid(widths, bottom)
    assert plans.pyramid(size, None, [7, 3]) == Pyramid((7, 3), size // 2)


@pytest.mark.parametrize(
    ("size", "widths", "halvings"),
    [
        (32, (128, 128, 128, 128), 2),  # to 8x8
        (48, (64, 128, 256, 512, 1024), 4),  # to 3x3
        (64, (64, 128, 256, 512, 1024), 5),  # to 2x2
        (128, (64, 128, 256, 512, 1024, 1024), 5),  # to 4x4
        (256, (64, 128, 256, 512, 1024, 1024, 1024), 6),
        (16, (128, 128, 128, 128), 1),
    ],
)
def test_discriminators(size: int, widths: tuple[int, ...], halvings: int) -> None:
    assert plans.funnel(size, None, None, None) == Funnel(widths, halvings)
    assert plans.funnel(size, widths[-1], None, None) == Funnel(widths, halvings)
    assert plans.funnel(size, None, [7, 3], 1) == Funnel((7, 3), 1)


def test_attention_where_the_references_have_it() -> None:
    sizes = {32: 2, 48: 2, 64: 3, 128: 3, 256: 3, 8: 1}
    assert {size: plans.generator_attention(plans.pyramid(size, 64, None)) for size in sizes} == sizes
    assert plans.discriminator_attention(plans.funnel(128, 64, None, None)) == 2
    assert plans.discriminator_attention(Funnel((8,), 1)) == 1


def test_studiogans_tables() -> None:
    assert plans.studio_pyramid(32, 64) == Pyramid((256, 256, 256, 256), 4)
    assert plans.studio_pyramid(128, 64) == Pyramid((1024, 1024, 512, 256, 128, 64), 4)
    assert plans.studio_funnel(32, 64) == Funnel((128, 128, 128, 128), 2)
    assert plans.studio_funnel(64, 64) == Funnel((64, 128, 256, 512, 1024), 4)
    for size in plans.STUDIO_SIZES:
        pyramid = plans.studio_pyramid(size, 1)
        assert pyramid.bottom << (len(pyramid.widths) - 1) == size
        assert size >> plans.studio_funnel(size, 1).halvings == (8 if size == 32 else 4)


@pytest.mark.parametrize("size", [0, -32, 1, 4, 7, 36, 33, 100])
def test_sizes_that_cannot_be_made(size: int) -> None:
    with pytest.raises(ConfigError, match="pixels"):
        plans.pyramid(size, None, None)
    with pytest.raises(ConfigError, match="pixels"):
        plans.funnel(size, None, None, None)


def test_other_plans_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="30 pixels cannot be made by 2 doublings"):
        plans.pyramid(30, None, [8, 8, 8])
    with pytest.raises(ConfigError, match="at least one channel"):
        plans.pyramid(64, 15, None)
    with pytest.raises(ConfigError, match="at least one channel"):
        plans.pyramid(32, None, [8, 0])
    with pytest.raises(ConfigError, match="doublings"):
        plans.pyramid(32, None, [])
    for halvings in (0, 3):
        with pytest.raises(ConfigError, match="2 blocks cannot halve 32 pixels"):
            plans.funnel(32, None, [8, 8], halvings)
    with pytest.raises(ConfigError, match="no network for 48 pixels"):
        plans.studio_pyramid(48, 8)
