"""What values pixels get: colour, filtering, corruptions."""

import math

import pytest
import torch
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.training.augment.ada import color as colors
from ganzoo.training.augment.ada import filtering
from ganzoo.training.augment.ada.corruptions import cutout, noise
from ganzoo.training.augment.ada.filtering import POWER, amplified, bands, unit_power
from ganzoo.training.augment.ada.wavelets import SYM2, SYM6, octave_bands
from ganzoo.training.draws import Draws

DOUBLE = torch.float64


def draws(seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed))


def one(value: float) -> Tensor:
    return torch.tensor([value], dtype=DOUBLE)


# --- colour ---

ORANGE = (0.6, 0.3, 0.0)  # its mean is 0.3


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (colors.brightness(one(0.2)), (0.8, 0.5, 0.2)),
        (colors.contrast(one(2.0)), (1.2, 0.6, 0.0)),
        (colors.luma_flip(one(1)), (0.0, -0.3, -0.6)),  # c - 2 mean
        (colors.luma_flip(one(0)), ORANGE),
        (colors.hue(one(math.pi)), (0.0, 0.3, 0.6)),  # 2 mean - c
        (colors.hue(one(2 * math.pi / 3)), (0.0, 0.6, 0.3)),  # red to green, green to blue, blue to red
        (colors.saturation(one(2.0)), (0.9, 0.3, -0.3)),  # mean + 2 (c - mean)
        (colors.saturation(one(0.0)), (0.3, 0.3, 0.3)),
    ],
)
def test_colours_by_hand(matrix: Tensor, expected: tuple[float, ...]) -> None:
    pixel = torch.tensor(ORANGE, dtype=DOUBLE).view(1, 3, 1, 1)
    torch.testing.assert_close(colors.recoloured(pixel, matrix).flatten(), torch.tensor(expected, dtype=DOUBLE))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (colors.brightness(one(0.2)), 0.7),
        (colors.contrast(one(0.5)), 0.25),
        (colors.luma_flip(one(1)), -0.5),
        (colors.hue(one(1.0)), 0.5),
        (colors.saturation(one(3.0)), 0.5),
    ],
)
def test_greys_by_hand(matrix: Tensor, expected: float) -> None:
    assert float(colors.recoloured(torch.full((1, 1, 1, 1), 0.5, dtype=DOUBLE), matrix)) == pytest.approx(expected)


def test_colours_come_in_the_order_and_the_sizes_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, Tensor] = {}

    def spied(name: str) -> None:
        make = getattr(colors, name)
        monkeypatch.setattr(colors, name, lambda value: (drawn.update({name: value}), make(value))[1])

    for name in ("brightness", "contrast", "luma_flip", "hue", "saturation"):
        spied(name)
    colors.color(torch.zeros(20_000, 3, 1, 1), draws(), 1.0)
    assert list(drawn) == ["brightness", "contrast", "luma_flip", "hue", "saturation"]
    assert float(drawn["brightness"].std()) == pytest.approx(0.2, rel=0.03)
    assert float(drawn["contrast"].log2().std()) == pytest.approx(0.5, rel=0.03)
    assert float(drawn["luma_flip"].double().mean()) == pytest.approx(0.5, abs=0.015)
    assert torch.histc(drawn["hue"], 8, -math.pi, math.pi).sub(2500).abs().max() < 250
    assert float(drawn["saturation"].log2().std()) == pytest.approx(1.0, rel=0.03)


def test_other_than_one_or_three_channels_are_no_colour() -> None:
    with pytest.raises(ConfigError, match="1 or 3 channels, not of 4"):
        colors.color(torch.zeros(2, 4, 2, 2), draws(), 1.0)


# --- wavelets and filtering ---


@pytest.mark.parametrize(("taps", "moments"), [(SYM2, 2), (SYM6, 6)])
def test_the_filters_are_orthogonal_with_their_vanishing_moments(taps: tuple[float, ...], moments: int) -> None:
    h = torch.tensor(taps, dtype=DOUBLE)
    k = torch.arange(len(h), dtype=DOUBLE)
    for shift in range(0, len(h), 2):
        assert float(h[shift:] @ h[: len(h) - shift]) == pytest.approx(float(shift == 0), abs=1e-11)
    assert float(h.sum()) == pytest.approx(math.sqrt(2))
    alternating = torch.where(k % 2 == 0, h, -h)
    assert all(float(alternating @ k**m) == pytest.approx(0, abs=1e-8) for m in range(moments))
    assert abs(float(alternating @ k**moments)) > 0.1


def response(taps: Tensor, frequency: float) -> float:
    k = torch.arange(len(taps), dtype=DOUBLE) - len(taps) // 2
    return float(taps @ torch.cos(frequency * k))


def test_the_bands_sum_to_one_and_lie_where_they_should() -> None:
    filters = octave_bands()
    impulse = torch.zeros(43, dtype=DOUBLE)
    impulse[21] = 1
    torch.testing.assert_close(filters.sum(0), impulse)
    torch.testing.assert_close(filters, filters.flip(1))
    for band, frequency in enumerate((0.0, 3 / 16, 3 / 8, 1.0)):
        responses = [response(taps, frequency * math.pi) for taps in filters]
        assert max(responses) == responses[band] > 0.6
    edges = [response(filters[3], math.pi / 2), response(filters[0], 0.0), response(filters[3], 0.0)]
    assert edges == pytest.approx([0.5, 1.0, 0.0], abs=1e-12)


def test_the_low_band_is_the_product_of_three_low_passes() -> None:
    def low(frequency: float) -> float:  # |H|² / 2 of the filter with two vanishing moments
        return math.cos(frequency / 2) ** 4 * (1 + 2 * math.sin(frequency / 2) ** 2)

    filters = octave_bands()
    for f in (0.1, 0.7, 1.9):
        products = [
            low(f) * low(2 * f) * low(4 * f),
            low(f) * low(2 * f) * (1 - low(4 * f)),
            low(f) * (1 - low(2 * f)),
            1 - low(f),
        ]
        assert [response(taps, f) for taps in filters] == pytest.approx(products, abs=1e-12)


@pytest.mark.parametrize("shape", [(2, 3, 32, 20), (2, 1, 3, 1)])
def test_gains_of_one_are_the_identity(shape: tuple[int, ...]) -> None:
    x = torch.rand(*shape, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
    torch.testing.assert_close(amplified(x, torch.ones(2, 4, dtype=DOUBLE)), x)


def test_each_axis_is_amplified_by_the_gain_of_its_band() -> None:
    gains = torch.tensor([[1.5, 1.0, 1.0, 0.25]], dtype=DOUBLE)
    constant = torch.full((1, 1, 24, 24), 0.4, dtype=DOUBLE)
    torch.testing.assert_close(amplified(constant, gains), constant * 1.5**2)
    stripes = (-1.0) ** torch.arange(24, dtype=DOUBLE).expand(1, 1, 24, -1)
    torch.testing.assert_close(amplified(stripes, gains), stripes * 1.5 * 0.25)


def test_an_amplification_keeps_the_power_of_a_natural_image() -> None:
    scaled = unit_power(torch.tensor([[1.0, 1.0, 3.0, 1.0]], dtype=DOUBLE))
    assert float(scaled.square() @ torch.tensor(POWER, dtype=DOUBLE)) == pytest.approx(1)
    assert float(scaled[0, 2]) == pytest.approx(3 / math.sqrt((10 + 1 + 9 + 1) / 13))


def test_bands_draw_an_amplification_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Tensor] = []
    monkeypatch.setattr(filtering, "unit_power", lambda factors: drawn.append(factors) or factors)
    bands(torch.zeros(20_000, 1, 1, 1), draws(), 1.0)
    for band, factors in enumerate(drawn):
        assert float(factors[:, band].log2().std()) == pytest.approx(1.0, rel=0.03)
        assert bool((torch.cat((factors[:, :band], factors[:, band + 1 :]), 1) == 1).all())
    assert len(drawn) == 4


# --- corruptions ---


def test_the_noise_has_a_half_normal_deviation() -> None:
    x = torch.zeros(1500, 3, 16, 16)
    deviation = noise(x, draws(), 1.0).flatten(1).std(1)
    assert float(deviation.square().mean().sqrt()) == pytest.approx(0.1, rel=0.06)
    assert float(deviation.mean()) == pytest.approx(0.1 * math.sqrt(2 / math.pi), rel=0.06)


def test_cutout_is_centred_anywhere_and_half_as_wide_and_high() -> None:
    holes = (cutout(torch.ones(3000, 2, 8, 16), draws(), 1.0) == 0).all(1)
    rows, columns = holes.any(2), holes.any(1)
    assert torch.equal(holes, rows[:, :, None] & columns[:, None, :])
    assert int(rows.sum(1).max()) == 4 and int(columns.sum(1).max()) == 8
    assert int(rows.sum(1).min()) == 2 and int(columns.sum(1).min()) == 4
    share = columns.float().mean(0)  # of a centre within a quarter of the width, uniform in the image
    torch.testing.assert_close(share[[0, 7, 8, 15]], torch.tensor([9 / 32, 0.5, 0.5, 9 / 32]), atol=0.04, rtol=0)
