"""``ganzoo doctor``."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ganzoo.hub import endpoint
from tests.cli.conftest import Run
from tests.support.distributions import card, make_distribution


def test_doctor(run: Run, isolated_machine: Path) -> None:
    told = run("doctor", "--offline", "--json")
    report = json.loads(told.out)
    assert (told.code, report["ok"]) == (0, True), told.out
    assert report["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert report["devices"]["cpu"]
    assert report["cache"]["ganzoo"] == str(isolated_machine / "ganzoo")
    assert report["hub"]["endpoint"].endswith("not asked")
    assert report["plugins"]["dcgan"].startswith("ok (")
    people = run("doctor", "--offline").out
    assert all(f"{section}\n" in people for section in ("versions", "devices", "cache", "hub", "plugins", "cards"))


def test_doctor_finds_a_broken_plugin_and_a_broken_card(run: Run, site: Path) -> None:
    bad = card("zebra-bad").replace('modality = "image"', 'modality = "smell"')
    make_distribution(site, "dist-broken", module="zoo_broken", plugin="broken", source="1 / 0", cards={"b.toml": bad})
    told = run("doctor", "--offline", "--json")
    report = json.loads(told.out)
    assert (told.code, report["ok"], told.err) == (1, False, "Error: Something is broken: plugins, cards.\n")
    assert report["plugins"]["broken"].startswith("BROKEN (dist-broken 1.0): ZeroDivisionError")
    (problem,) = [text for name, text in report["cards"].items() if name.endswith("b.toml zebra-bad")]
    assert "$.modality" in problem


def test_doctor_finds_a_cache_that_cannot_be_written(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "file").touch()
    monkeypatch.setenv("GANZOO_HOME", str(here / "file" / "cache"))
    told = run("doctor", "--offline")
    assert told.code == 1
    assert f"BROKEN: {here / 'file' / 'cache'} cannot be written" in told.out


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that answers one byte at a time, so that no single time-out is ever reached."""
    done = threading.Event()

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
                if done.wait(0.1):
                    return
                connection.sendall(bytes([byte]))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        done.set()
        thread.join()


def ask(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    told = run("doctor", "--json")
    assert told.code == 0  # no defect of this machine
    hub: dict[str, str] = json.loads(told.out)["hub"]
    assert hub["endpoint"] == url
    return hub["reachable"]


@pytest.mark.parametrize("kind", ["silent", "dripping"])
def test_doctor_waits_for_no_hub_longer_than_it_says(
    run: Run, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, kind: str
) -> None:
    assert endpoint.TIMEOUT <= 6
    monkeypatch.setattr(endpoint, "TIMEOUT", 1.0)
    url = request.getfixturevalue(kind)
    start = time.monotonic()
    assert ask(run, monkeypatch, url).startswith("no: ")
    assert time.monotonic() - start < 4


@pytest.mark.parametrize(
    ("url", "words"), [("http://127.0.0.1:9", "refused"), ("http://[bad", "no: "), ("nowhere", "no: "), ("http://x:y", "no: ")]
)
def test_doctor_says_why_the_hub_is_not_reached(run: Run, monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    reached = ask(run, monkeypatch, url)
    assert reached.startswith("no: ")
    assert words in reached
    assert "\n" not in reached


def test_doctor_of_a_hub_that_answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fakehub import FakeHub

    with FakeHub() as hub:
        hub.fault("status", status=503, times=1)
        assert ask(run, monkeypatch, hub.url) == "no: it answers 503"
        assert ask(run, monkeypatch, hub.url) == "yes"
