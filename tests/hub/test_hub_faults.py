"""What the network and the servers do to a cold download, and what comes out."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.hub.hubworld import WEIGHTS, World, pinned

ONCE: list[dict[str, Any]] = [
    {"name": "drop", "kind": "resolve", "method": "HEAD"},
    {"name": "reset", "kind": "resolve", "method": "HEAD"},
    {"name": "reset", "kind": "resolve", "method": "GET"},
    {"name": "delay", "kind": "resolve", "seconds": 0.5},
    {"name": "drop", "kind": "cdn"},
    {"name": "reset", "kind": "cdn"},
    {"name": "truncate", "kind": "cdn"},
    {"name": "cut", "kind": "cdn"},
    {"name": "short", "kind": "cdn"},
    {"name": "status", "kind": "cdn", "status": 500},
    {"name": "status", "kind": "cdn", "status": 503},
    {"name": "status", "kind": "cdn", "status": 429, "headers": {"Retry-After": "0"}},
]
ONCE_XET: list[dict[str, Any]] = [
    {"name": "reset", "kind": "token"},
    {"name": "status", "kind": "token", "status": 503},
    {"name": "drop", "kind": "reconstruction"},
    {"name": "status", "kind": "reconstruction", "status": 503},
    {"name": "reset", "kind": "xorb"},
    {"name": "truncate", "kind": "xorb"},
    {"name": "status", "kind": "xorb", "status": 403},
    {"name": "status", "kind": "xorb", "status": 503},
]


def _name(rule: dict[str, Any]) -> str:
    return "-".join(str(rule[key]) for key in ("name", "kind", "method", "status") if key in rule)


@pytest.mark.parametrize("rule", ONCE, ids=_name)
def test_a_fault_that_passes_is_waited_out(http: World, rule: dict[str, Any]) -> None:
    fault = http.hub.fault(**rule, times=1)
    found = http.client()("fetch", **http.model())
    assert fault.hits == 1
    assert found.get("sha256") == pinned(WEIGHTS)["sha256"], found
    assert Path(found["path"]).read_bytes() == WEIGHTS


def test_faults_of_the_xet_storage_that_pass_are_waited_out(xet: World) -> None:
    client = xet.client(HF_XET_CLIENT_RETRY_MAX_ATTEMPTS="3")
    for rule in ONCE_XET:
        fault = xet.hub.fault(**rule, times=1)
        found = (
            client("fetch", **xet.model(force=True))
            if rule["kind"] != "token"
            else xet.client()("fetch", **xet.model(force=True))
        )
        assert fault.hits == 1, rule
        assert found.get("sha256") == pinned(WEIGHTS)["sha256"], (rule, found)


def test_the_first_version_of_reconstructions_does_too(xet: World) -> None:
    xet.hub.v2 = False
    assert xet.client()("fetch", **xet.model())["sha256"] == pinned(WEIGHTS)["sha256"]
    assert any(request.path.startswith("/v1/") for request in xet.hub.seen(kind="reconstruction"))


FOR_EVER: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "reset", "kind": "resolve"}, "UnreachableError", "try again"),
    ({"name": "drop", "kind": "resolve"}, "UnreachableError", "try again"),
    ({"name": "page", "kind": "resolve"}, "UnreachableError", "HF_ENDPOINT"),
    ({"name": "status", "kind": "resolve", "status": 403}, "AuthenticationError", "HF_TOKEN"),
    ({"name": "status", "kind": "resolve", "status": 404}, "RemoteFileNotFoundError", "HF_ENDPOINT"),
    ({"name": "status", "kind": "cdn", "status": 401}, "AuthenticationError", "HF_TOKEN"),
    ({"name": "status", "kind": "cdn", "status": 403}, "AuthenticationError", "HF_TOKEN"),
    ({"name": "status", "kind": "cdn", "status": 404}, "RemoteFileNotFoundError", "404"),
    ({"name": "status", "kind": "cdn", "status": 503}, "UnreachableError", "503"),
    ({"name": "reset", "kind": "cdn"}, "UnreachableError", "try again"),
    ({"name": "short", "kind": "cdn"}, "IntegrityError", "102400 bytes"),
    ({"name": "page", "kind": "cdn"}, "IntegrityError", "204800 bytes"),
]


def test_a_fault_that_stays_is_one_of_our_errors_and_leaves_nothing(http: World) -> None:
    client = http.client()
    for rule, error, words in FOR_EVER:
        http.hub.heal()
        http.hub.fault(**rule)
        failed = client("fetch", **http.model())
        assert failed.get("error") == error, (rule, failed)
        assert words.lower() in failed["message"].lower(), (rule, failed["message"])
        assert "generator.safetensors" in failed["message"], (rule, failed["message"])
        assert http.blobs() == []
    http.hub.heal()
    assert client("fetch", **http.model())["sha256"] == pinned(WEIGHTS)["sha256"]


FOR_EVER_XET: list[tuple[dict[str, Any], str]] = [
    ({"name": "status", "kind": "token", "status": 401}, "AuthenticationError"),
    ({"name": "status", "kind": "token", "status": 403}, "AuthenticationError"),
    ({"name": "status", "kind": "token", "status": 404}, "UnreachableError"),
    ({"name": "status", "kind": "reconstruction", "status": 403}, "AuthenticationError"),
    ({"name": "status", "kind": "reconstruction", "status": 404}, "UnreachableError"),
    ({"name": "status", "kind": "reconstruction", "status": 429}, "RateLimitError"),
    ({"name": "status", "kind": "reconstruction", "status": 500}, "UnreachableError"),
    ({"name": "page", "kind": "reconstruction"}, "UnreachableError"),
    ({"name": "status", "kind": "xorb", "status": 404}, "UnreachableError"),
    ({"name": "status", "kind": "xorb", "status": 429}, "RateLimitError"),
    ({"name": "status", "kind": "xorb", "status": 503}, "UnreachableError"),
    ({"name": "reset", "kind": "xorb"}, "UnreachableError"),
    ({"name": "drop", "kind": "xorb"}, "UnreachableError"),
    ({"name": "truncate", "kind": "xorb"}, "UnreachableError"),
    ({"name": "page", "kind": "xorb"}, "UnreachableError"),
]


@pytest.mark.parametrize(("rule", "error"), FOR_EVER_XET, ids=[_name(rule) for rule, _ in FOR_EVER_XET])
def test_a_xet_storage_that_stays_broken_is_one_of_our_errors(xet: World, rule: dict[str, Any], error: str) -> None:
    xet.hub.fault(**rule)
    failed = xet.client()("fetch", **xet.model())
    assert failed.get("error") == error, failed
    assert "generator.safetensors of someone/gan" in failed["message"]
    assert "signed-url-secret" not in failed["message"]
    assert xet.blobs() == []


def test_a_hub_that_is_down_or_busy_gives_up_in_half_a_minute(http: World) -> None:
    """The client itself tries for 23 s; the three cases run side by side."""
    http.hub.fault("status", kind="resolve", path="busy", status=429, headers={"Retry-After": "1"})
    http.hub.fault("status", kind="resolve", path="down", status=503)
    http.repository.commit({"busy.safetensors": WEIGHTS, "down.safetensors": WEIGHTS})
    http.commit = http.repository.refs["main"]
    busy, down, closed = http.client(), http.client(), http.client(HF_ENDPOINT="http://127.0.0.1:9")
    busy.start("fetch", **http.model(name="busy.safetensors"))
    down.start("fetch", **http.model(name="down.safetensors"))
    closed.start("fetch", **http.model())
    answers = [client.finish() for client in (busy, down, closed)]
    assert [answer["error"] for answer in answers] == ["RateLimitError", "UnreachableError", "UnreachableError"]
    assert re.search(r"Wait 1 seconds, or log in", answers[0]["message"])
    assert "503" in answers[1]["message"]
    assert "127.0.0.1:9" in answers[2]["message"]
