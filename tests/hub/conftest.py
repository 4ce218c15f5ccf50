"""Fixtures: a Hub on loopback, and a machine that uses it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakehub import FakeHub
from tests.hub.hubworld import World


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as server:
        yield server
        assert server.unhandled == []


MakeWorld = Callable[[bool], World]


@pytest.fixture
def make_world(hub: FakeHub, tmp_path: Path) -> Iterator[MakeWorld]:
    made: list[World] = []

    def make(xet: bool) -> World:
        made.append(World(hub, tmp_path, xet=xet))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture(params=[False, True], ids=["http", "xet"])
def world(request: pytest.FixtureRequest, make_world: MakeWorld) -> World:
    """Runs the test twice: over plain HTTP, and over xet."""
    return make_world(request.param)


@pytest.fixture
def http(make_world: MakeWorld) -> World:
    """Plain HTTP only, for what does not depend on the transport."""
    return make_world(False)


@pytest.fixture
def xet(make_world: MakeWorld) -> World:
    """The xet transport only."""
    return make_world(True)
