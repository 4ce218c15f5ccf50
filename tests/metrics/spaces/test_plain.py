import pytest
import torch

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics.spaces.plain import Pixels, Raw
from ganzoo.metrics.spaces.resize import as_rgb, resize


def test_raw_keeps_every_number() -> None:
    points = torch.randn(4, 2)
    assert torch.equal(Raw()(points).features, points)
    assert Raw()(torch.zeros(4, 3, 2, 2)).features.shape == (4, 12)


def test_pixels_of_a_small_copy() -> None:
    halves = torch.cat([torch.ones(1, 1, 32, 16), -torch.ones(1, 1, 32, 16)], dim=3)
    small = Pixels("2")(halves).features.view(2, 2)
    assert (small[:, 0] > 0.75).all() and (small[:, 1] < -0.75).all()
    assert Pixels()(torch.zeros(2, 3, 40, 20)).features.shape == (2, 3 * 16 * 16)
    exact = torch.rand(2, 1, 8, 8)
    assert torch.equal(Pixels("8")(exact).features, exact.flatten(1))  # already that size


def test_sizes_are_different_spaces() -> None:
    assert (Pixels("4").name, Pixels().name) == ("pixels:4", "pixels:16")
    assert len({Pixels("4").sha256, Pixels("8").sha256, Raw().sha256}) == 3
    assert "4x4" in Pixels("4").preprocessing


@pytest.mark.parametrize("variant", ["0", "-3", "x", "257", "1.5"])
def test_no_such_size(variant: str) -> None:
    with pytest.raises(InvalidValueError, match="no number of pixels"):
        Pixels(variant)


def test_points_are_no_pixels() -> None:
    with pytest.raises(DataError, match=r"pixels:16 needs images \[N, C, H, W\], not \[4, 2\]"):
        Pixels()(torch.zeros(4, 2))
    for shape in ((4, 2), (4, 4, 8, 8)):
        with pytest.raises(DataError, match="'x' needs images"):
            as_rgb(torch.zeros(shape), "x")


def test_scaling_down_averages_instead_of_skipping_pixels() -> None:
    stripes = torch.tensor([-1.0, 1.0, 1.0, -1.0]).repeat(16).expand(1, 1, 64, 64)
    assert resize(stripes, (16, 16)).abs().max() < 0.35  # without antialiasing it is 1: the middle of each four
    assert resize(torch.ones(1, 1, 8, 8), (16, 16)).max() <= 1.0
