"""The cache of the reference's features."""

import logging
from pathlib import Path

import pytest
import torch

from ganzoo.checkpoint import write_safetensors
from ganzoo.errors import CacheWarning
from ganzoo.metrics import FeatureBatch, reference, reference_features
from ganzoo.metrics.reference import cache_path
from tests.metrics.toys import Brightness, bright

SHAPE = (1, 4, 4)


def equal(one: FeatureBatch, two: FeatureBatch) -> bool:
    assert one.scores is not None and two.scores is not None
    return torch.equal(one.features, two.features) and torch.equal(one.scores, two.scores)


def test_the_second_time_nothing_is_computed() -> None:
    space, data = Brightness(), bright(30, 1)
    first = reference_features(data, SHAPE, space)
    again = reference_features(bright(30, 1), SHAPE, space)  # the same content under another object
    assert space.seen == 30 and equal(first, again)
    assert cache_path(data, SHAPE, space).is_file()
    plain = reference_features(data, SHAPE, space, cache=False)
    assert space.seen == 60 and equal(first, plain)


def test_whatever_the_features_depend_on_makes_another_entry() -> None:
    space, data = Brightness(), bright(30, 1)
    paths = {cache_path(data, SHAPE, space), cache_path(bright(30, 2), SHAPE, space), cache_path(data, (1, 8, 8), space)}
    for attribute, value in (("sha256", "1" * 64), ("name", "other"), ("preprocessing", "other")):
        changed = Brightness()
        setattr(changed, attribute, value)
        paths.add(cache_path(data, SHAPE, changed))
    assert len(paths) == 6


@pytest.mark.parametrize("changed", [("decode.VERSION", 99), ("versions", lambda: {"torch": "99"})])
def test_other_versions_compute_features_of_their_own(monkeypatch: pytest.MonkeyPatch, changed: tuple[str, object]) -> None:
    """What the protocol says of versions is true of the reference too."""
    space, data = Brightness(), bright(30, 1)
    reference_features(data, SHAPE, space)
    monkeypatch.setattr(reference, changed[0].removeprefix("decode."), changed[1])
    reference_features(data, SHAPE, space)
    assert space.seen == 60


def damage_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def other_content(path: Path) -> None:
    write_safetensors(path, {"features": torch.zeros(30, 2)})


@pytest.mark.parametrize("damage", [damage_byte, cut, other_content, lambda path: path.write_bytes(b"")])
def test_a_damaged_entry_is_computed_again(damage, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    space, data = Brightness(), bright(30, 1)
    first = reference_features(data, SHAPE, space)
    damage(cache_path(data, SHAPE, space))
    with caplog.at_level(logging.WARNING, "ganzoo"):
        second = reference_features(data, SHAPE, space)
    assert space.seen == 60 and equal(first, second)
    assert "computed again" in caplog.text
    assert equal(first, reference_features(data, SHAPE, space)) and space.seen == 60  # whole once more


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "file"))
    space = Brightness()
    for seen in (30, 60):
        with pytest.warns(CacheWarning, match="could not be kept"):
            assert len(reference_features(bright(30, 1), SHAPE, space)) == 30
        assert space.seen == seen
