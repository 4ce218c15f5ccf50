import pytest

from ganzoo.errors import AmbiguousNameError, UnknownNameError
from ganzoo.naming import NameTable, closest


@pytest.fixture
def table() -> NameTable[int]:
    table: NameTable[int] = NameTable("model")
    table.add("dcgan", "dcgan-mnist", 1, aliases=("digits",))
    table.add("dcgan", "dcgan-celeba", 2)
    table.add("acme", "dcgan-celeba", 3)
    return table


@pytest.mark.parametrize(
    ("name", "value"),
    [("dcgan-mnist", 1), ("digits", 1), ("dcgan/dcgan-mnist", 1), ("dcgan/digits", 1), ("acme/dcgan-celeba", 3)],
)
def test_names_aliases_and_qualified_names_are_found(table: NameTable[int], name: str, value: int) -> None:
    assert table.find(name) == value


def test_a_name_claimed_twice_is_an_error_for_that_name_alone(table: NameTable[int]) -> None:
    with pytest.raises(AmbiguousNameError) as caught:
        table.find("dcgan-celeba")
    assert caught.value.qualified == ("dcgan/dcgan-celeba", "acme/dcgan-celeba")
    assert "'dcgan/dcgan-celeba' and 'acme/dcgan-celeba'" in str(caught.value)
    assert table.find("dcgan-mnist") == 1


def test_an_alias_that_is_another_models_name_is_ambiguous(table: NameTable[int]) -> None:
    table.add("acme", "digits", 4)
    with pytest.raises(AmbiguousNameError):
        table.find("digits")
    assert table.find("acme/digits") == 4


def test_one_owner_claiming_a_name_twice_is_ambiguous_even_when_qualified(table: NameTable[int]) -> None:
    table.add("dcgan", "dcgan-mnist", 5)
    for name in ("dcgan-mnist", "dcgan/dcgan-mnist"):
        with pytest.raises(AmbiguousNameError):
            table.find(name)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("dcgan-mnits", "dcgan-mnist"),
        ("DCGAN-MNIST", "dcgan-mnist"),
        ("mnist", "dcgan-mnist"),
        ("dcgn/dcgan-mnist", "dcgan/dcgan-mnist"),
    ],
)
def test_a_miss_names_the_closest(table: NameTable[int], typed: str, expected: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        table.find(typed)
    assert caught.value.close[0] == expected
    assert expected in str(caught.value)


def test_nothing_close_gives_no_suggestion(table: NameTable[int]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        table.find("zzzzzzz")
    assert caught.value.close == ()
    assert str(caught.value) == "There is no model named 'zzzzzzz'."


def test_values_are_everything_once(table: NameTable[int]) -> None:
    assert sorted(table.values()) == [1, 2, 3]


def test_closest_is_limited() -> None:
    assert len(closest("model", [f"model{i}" for i in range(10)], limit=3)) == 3
