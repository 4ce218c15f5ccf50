import math

import msgspec
import pytest

from ganzoo.spec import Schedule
from ganzoo.training.schedules import extremes, value_at


@pytest.mark.parametrize(
    ("shape", "images", "value"),
    [
        ("linear", 0, 2.0),
        ("linear", 25, 2.0),
        ("linear", 50, 1.25),
        ("linear", 75, 0.5),
        ("linear", 90, 0.5),
        ("cosine", 25, 2.0),
        ("cosine", 50, 1.25),
        ("cosine", 37.5, 2 - 1.5 * (1 - math.cos(math.pi / 4)) / 2),
        ("cosine", 75, 0.5),
        ("step", 74, 2.0),
        ("step", 75, 0.5),
    ],
)
def test_values_along_the_way(shape: str, images: int, value: float) -> None:
    schedule = msgspec.convert({"start": 2.0, "end": 0.5, "begin": 25, "until": 75, "shape": shape}, Schedule)
    assert value_at(schedule, images, 100) == pytest.approx(value, rel=1e-12)


def test_without_an_end_of_its_own_it_arrives_with_the_run() -> None:
    schedule = Schedule(start=0.0, end=1.0, shape="linear")
    assert [value_at(schedule, images, 200) for images in (0, 50, 200, 300)] == [0.0, 0.25, 1.0, 1.0]


def test_a_number_stays_what_it_is() -> None:
    assert value_at(3.0, 10, 20) == 3.0
    assert extremes(3.0) == (3.0, 3.0) and extremes(Schedule(start=2.0, end=-1.0)) == (-1.0, 2.0)


def test_it_must_end_after_it_begins() -> None:
    with pytest.raises(msgspec.ValidationError, match="must come after"):
        msgspec.convert({"start": 1.0, "end": 0.0, "begin": 10, "until": 10}, Schedule)
