import hashlib

import pytest

from ganzoo_emoji.split import HELD_OUT_PERCENT, held_out, kin


@pytest.mark.parametrize(
    "variants",
    [
        ["1F468-200D-1F680", "1F469-200D-1F680", "1F9D1-1F3FD-200D-1F680"],  # astronauts: man, woman, person with a skin tone
        ["1F3C3", "1F3C3-1F3FB-200D-2642-FE0F", "1F3C3-200D-2640-FE0F-200D-27A1-FE0F"],  # runners, one to the right
        ["1F468-200D-1F469-200D-1F466-200D-1F466", "1F46A", "1F9D1-200D-1F9D2"],  # families
        ["1F468-200D-2764-FE0F-200D-1F468", "1F469-1F3FB-200D-2764-FE0F-200D-1F468-1F3FF", "1F491"],  # couples with heart
        ["1F46B", "1F46D", "1F9D1-200D-1F91D-200D-1F9D1"],  # holding hands
        ["1F385", "1F936-1F3FE", "1F9D1-200D-1F384"],  # Father, Mrs and Mx Claus
        ["1F468", "1F469", "1F9D1"],
        ["1F550", "1F567"],  # clocks
        ["0023-FE0F-20E3", "0039-FE0F-20E3"],  # keycaps
        ["2764-FE0F", "2764"],
    ],
)
def test_variants_of_one_emoji_are_kin(variants: list[str]) -> None:
    assert len({kin(variant) for variant in variants}) == 1


def test_different_emoji_are_not() -> None:
    emoji = [
        *("1F1E6-1F1F9", "1F1F9-1F1E6"),  # the flags of Austria and of Tristan da Cunha have the same letters
        *("2642-FE0F", "2640-FE0F", "27A1-FE0F"),  # signs alone
        *("1F468", "1F466", "1F468-200D-1F680", "1F468-200D-1F692", "1F491", "1F48F", "1F46B", "1F46A", "1F550", "2764"),
        *("2764-FE0F-200D-1F525", "1F525"),
    ]
    assert len({kin(e) for e in emoji}) == len(emoji)


def below(group: str) -> bool:
    return int(hashlib.sha256(group.encode()).hexdigest()[:16], 16) / 2**64 < HELD_OUT_PERCENT / 100


def test_a_group_is_held_out_by_the_hash_of_its_first_kin() -> None:
    names = [f"kin {i}" for i in range(2000)]
    chosen = held_out(names, [name.encode() for name in names])
    assert chosen == [below(name) for name in names]
    assert 0.13 < sum(chosen) / len(chosen) < 0.17


def test_equal_pictures_bind_kins_together_also_through_others() -> None:
    out = next(f"a{i}" for i in range(100) if below(f"a{i}"))
    kept = next(f"b{i}" for i in range(100) if not below(f"b{i}"))
    assert held_out([out, kept], [b"1", b"2"]) == [True, False]
    assert held_out([kept, out], [b"1", b"1"]) == [True, True]
    # kept shares a picture with "m", whose other picture is that of out.
    assert held_out([kept, "m", "m", out], [b"1", b"1", b"2", b"2"]) == [True] * 4
