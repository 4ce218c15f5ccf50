import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.errors import ConfigError, UnknownNameError
from ganzoo.training.augment import AUGMENTATIONS, build_pipeline
from ganzoo.training.draws import Draws

NAMES = [part.id for part in AUGMENTATIONS]
BGC = {"ada-blit": 1.0, "ada-geometry": 1.0, "ada-color": 1.0}


def draws(seed: int = 0, **shares: int) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), **shares)


def images(n: int, channels: int = 3, side: int = 8, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(9), dtype=dtype) * 2 - 1


def test_none_is_the_identity() -> None:
    x = images(3)
    assert build_pipeline({})(x, draws(), 1.0) is x


@pytest.mark.parametrize("name", NAMES)
def test_probability_or_strength_zero_changes_no_bit(name: str) -> None:
    x = images(5)
    assert torch.equal(build_pipeline({name: 1.0})(x, draws(), 0.0), x)
    assert torch.equal(build_pipeline({name: 0.0})(x, draws(), 1.0), x)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("p", [0.4, 1.0])
def test_two_shares_together_are_the_whole_batch(name: str, p: float) -> None:
    x, augment = images(10), build_pipeline({name: 1.0})
    whole = augment(x, draws(1), p)
    halves = [augment(x[5 * i : 5 * i + 5], draws(1, shares=2, share=i), p) for i in range(2)]
    torch.testing.assert_close(torch.cat(halves), whole, atol=1e-6, rtol=0)
    assert not torch.equal(whole, x)


@pytest.mark.parametrize("name", NAMES)
def test_the_generators_of_two_shares_stay_equal(name: str) -> None:
    x, generators = images(10), []
    for i in range(2):
        mine = draws(2, shares=2, share=i)
        build_pipeline({name: 1.0})(x[5 * i : 5 * i + 5], mine, 0.1)
        generators.append(mine.rng.get_state())
    assert torch.equal(*generators)


def untouched(p: float) -> dict[str, float]:
    """The probability that an image is left alone, from the definition of each augmentation; 16 pixels a side."""
    blit = (1 - p / 2) * (1 - 3 * p / 4) * (1 - p * 15 / 16)  # a shift of up to ±2 rounds to 0 with 1/4 on each axis
    geometry, color, bands = (1 - p) ** 4, (1 - p) ** 4 * (1 - p / 2), (1 - p) ** 4
    return {
        "flip": 1 - p / 2,
        "color": 1 - p,
        "translation": 1 - p * 24 / 25,
        "cutout": 1 - p,
        "ada-blit": blit,
        "ada-geometry": geometry,
        "ada-color": color,
        "ada-filter": bands,
        "ada-noise": 1 - p,
        "ada-cutout": 1 - p,
        "ada-bg": blit * geometry,
        "ada-bgc": blit * geometry * color,
        "ada-bgcf": blit * geometry * color * bands,
        "ada-bgcfn": blit * geometry * color * bands * (1 - p),
        "ada-bgcfnc": blit * geometry * color * bands * (1 - p) ** 2,
    }


@pytest.mark.parametrize("name", NAMES)
def test_each_is_applied_as_often_as_it_should(name: str) -> None:
    n, p = 4000, 0.3
    x = images(1, side=16).expand(n, -1, -1, -1)
    same = (build_pipeline({name: 1.0})(x, draws(3), p) == x).flatten(1).all(1).float().mean()
    expected = untouched(p)[name]
    assert abs(float(same) - expected) < 4 * (expected * (1 - expected) / n) ** 0.5


def test_strength_multiplies_the_probability() -> None:
    x, n = torch.ones(4000, 1, 4, 4), 4000
    changed = (build_pipeline({"cutout": 0.5})(x, draws(4), 0.4) != x).flatten(1).any(1).float().mean()
    assert abs(float(changed) - 0.2) < 4 * (0.2 * 0.8 / n) ** 0.5


def test_the_order_of_the_names_does_not_matter() -> None:
    x = images(6)
    one = build_pipeline({"ada-color": 0.5, "ada-cutout": 1.0, "ada-blit": 1.0})(x, draws(5), 0.8)
    other = build_pipeline({"ada-blit": 1.0, "ada-cutout": 1.0, "ada-color": 0.5})(x, draws(5), 0.8)
    assert torch.equal(one, other)


def test_a_bundle_is_its_stages_and_a_named_stage_keeps_its_strength() -> None:
    x = images(6)
    assert torch.equal(build_pipeline({"ada-bgc": 1.0})(x, draws(6), 0.8), build_pipeline(BGC)(x, draws(6), 0.8))
    half = dict.fromkeys(BGC, 0.5)
    assert torch.equal(build_pipeline({"ada-bgc": 0.5})(x, draws(6), 0.8), build_pipeline(half)(x, draws(6), 0.8))
    mixed = build_pipeline({"ada-color": 0.5, "ada-bgc": 1.0})(x, draws(6), 0.8)
    assert torch.equal(mixed, build_pipeline({**BGC, "ada-color": 0.5})(x, draws(6), 0.8))


def negative(x: Tensor, draws: Draws, p: float) -> Tensor:
    return -x * p


def third_party(found: Any, name: str) -> Any:
    return found[name]


def test_those_of_third_parties_come_last_in_the_order_given() -> None:
    x, seen = images(2), []

    def note(name: str, x: Tensor, draws: Draws, p: float) -> Tensor:
        seen.append((name, p))
        return x

    named = {name: functools.partial(note, name) for name in ("theirs", "also", "cutout", "flip")}
    named["both"] = {"also": 0.5, "theirs": 0.25}  # type: ignore[assignment]
    build_pipeline({"both": 1.0, "cutout": 1.0, "flip": 0.5}, functools.partial(third_party, named))(x, draws(), 0.5)
    assert seen == [("flip", 0.25), ("cutout", 0.5), ("also", 0.25), ("theirs", 0.125)]


def test_an_unknown_name_has_the_closest_ones() -> None:
    with pytest.raises(UnknownNameError, match="translation"):
        build_pipeline({"translate": 1.0})


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_a_strength_is_a_probability(strength: float) -> None:
    with pytest.raises(ConfigError, match="'cutout' must be between 0 and 1"):
        build_pipeline({"cutout": strength})


def test_points_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"not for \(2\)"):
        build_pipeline({"cutout": 1.0})(torch.zeros(8, 2), draws(), 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_halves_and_autocast_are_computed_in_single_precision(name: str) -> None:
    x, augment = images(4).bfloat16(), build_pipeline({name: 1.0})
    exact = augment(x.float(), draws(7), 1.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(x, draws(7), 1.0), exact.bfloat16())
        assert torch.equal(augment(x.float(), draws(7), 1.0), exact)


@pytest.mark.parametrize("name", [name for name in NAMES if "-bg" not in name])
def test_each_can_be_differentiated_twice(name: str) -> None:
    x = images(2, side=6, dtype=torch.float64).requires_grad_()

    def cubed(x: Tensor) -> Tensor:
        return build_pipeline({name: 1.0})(x, draws(8), 0.9) ** 3

    assert not torch.equal(cubed(x), x**3)
    assert torch.autograd.gradcheck(cubed, x)
    assert torch.autograd.gradgradcheck(cubed, x)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "flip"])
def test_grey_small_and_oblong_images_stay_finite(name: str) -> None:
    for shape in ((3, 1, 2, 2), (3, 1, 5, 12), (3, 3, 1, 1)):
        changed = build_pipeline({name: 1.0})(torch.full(shape, 0.5), draws(), 1.0)
        assert changed.shape == shape and bool(changed.isfinite().all())


def test_the_documentation_names_each() -> None:
    text = (Path(__file__).parents[2] / "docs" / "augmentation.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text] == []
