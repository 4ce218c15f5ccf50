"""The Hub cannot be reached, and something is in the cache."""

from typing import Any

import pytest

from tests.hub.hubworld import CONFIG, TOKEN, World, one_warning, pinned

STEP = {"repository": "someone/gan", "filename": "config.json"}

UNREACHABLE: list[dict[str, Any]] = [
    {"name": "drop"},
    {"name": "reset"},
    {"name": "page"},
    {"name": "status", "status": 500},
    {"name": "status", "status": 503},
    {"name": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"name": "status", "status": 403},
]


def test_the_cached_copy_is_used_and_one_line_says_so(http: World) -> None:
    client = http.client()
    warm = client("fetch_file", **STEP)
    for rule in UNREACHABLE:
        http.hub.heal()
        http.hub.fault(**rule)
        found = client("fetch_file", **STEP)
        assert (found.get("path"), found.get("cached")) == (warm["path"], True), (rule, found)
        line = one_warning(found)
        assert line.startswith("CacheWarning: using the cached copy of someone/gan@main; "), line
        assert ("could not reach the Hub (" in line) == (rule.get("status") not in (403, 429)), line
        assert one_warning(client("resolve", repository="someone/gan")) == line


def test_a_closed_port_and_a_stalled_hub(http: World) -> None:
    warm = http.client()("fetch_file", **STEP)
    found = http.client(HF_ENDPOINT="http://127.0.0.1:9")("fetch_file", **STEP)
    assert found["path"] == warm["path"]
    assert "could not reach the Hub" in one_warning(found)
    http.hub.fault("delay", kind="api", seconds=3)
    found = http.client(HF_HUB_ETAG_TIMEOUT="1")("fetch_file", **STEP)
    assert found["path"] == warm["path"]
    assert "could not reach the Hub" in one_warning(found)


def test_a_fault_that_passes_needs_no_cached_copy(http: World) -> None:
    client = http.client()
    for rule in UNREACHABLE[:2] + UNREACHABLE[3:6]:
        http.hub.fault(**rule, kind="api", times=1)
        assert client("resolve", repository="someone/gan") == {"value": http.commit, "warnings": []}, rule


def test_nothing_in_the_cache_is_an_error(http: World) -> None:
    http.hub.fault("reset")
    failed = http.client()("fetch_file", **STEP)
    assert failed["error"] == "UnreachableError"
    assert "Check the network" in failed["message"]


def test_a_pinned_file_in_the_cache_never_notices(world: World) -> None:
    client = world.client()
    client("fetch", **world.model())
    world.hub.fault("reset")
    world.hub.forget()
    assert client("fetch", **world.model())["warnings"] == []
    assert world.hub.requests == []


def test_a_new_commit_that_cannot_be_fetched_leaves_the_old_one(http: World) -> None:
    client = http.client()
    warm = client("fetch_file", **STEP)
    http.repository.commit({"config.json": b'{"new": true}'})
    for kind in ("resolve", "blob"):
        http.hub.heal()
        http.hub.fault("reset", kind=kind)
        found = client("fetch_file", **STEP)
        assert (found["revision"], found["path"]) == (http.commit, warm["path"])
        assert f"config.json of someone/gan@{http.commit[:10]}; could not reach the Hub" in one_warning(found)
    offline = http.client(HF_HUB_OFFLINE="1")("fetch_file", **STEP)
    assert (offline["revision"], offline["warnings"]) == (http.commit, [])
    http.hub.heal()
    assert client("fetch_file", **STEP)["sha256"] == pinned(b'{"new": true}')["sha256"]


def test_a_forced_download_does_not_fall_back(http: World) -> None:
    client = http.client()
    client("fetch_file", **STEP)
    for kind in ("api", "resolve"):
        http.hub.heal()
        http.hub.fault("reset", kind=kind)
        assert client("fetch_file", **STEP, force=True)["error"] == "UnreachableError"


def test_access_that_was_taken_away_leaves_the_cached_copy(http: World) -> None:
    http.hub.token(TOKEN, "someone/gan")
    client = http.client(HF_TOKEN=TOKEN)
    warm = client("fetch_file", **STEP)
    http.repository.private = True
    http.hub.tokens[TOKEN].clear()
    found = client("fetch_file", **STEP)
    assert found["path"] == warm["path"]
    assert "the Hub did not serve it" in one_warning(found)


def test_a_revision_that_is_gone_is_an_error(http: World) -> None:
    http.repository.tag("v1", http.commit)
    client = http.client()
    client("fetch_file", **STEP, revision="v1")
    del http.repository.refs["v1"]
    assert client("fetch_file", **STEP, revision="v1")["error"] == "RevisionNotFoundError"


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode(http: World, variable: str) -> None:
    offline = http.client(**{variable: "1"})
    for do, step in (("fetch", http.model()), ("fetch_file", STEP), ("resolve", {"repository": "someone/gan"})):
        failed = offline(do, **step)
        assert failed["error"] == "OfflineError"
        assert "Unset HF_HUB_OFFLINE" in failed["message"]
    assert http.hub.requests == []
    online = http.client()
    online("fetch_file", **STEP)
    online("fetch", **http.model())
    http.hub.forget()
    again = http.client(**{variable: "1"})
    found = again("fetch_file", **STEP)
    assert (found["sha256"], found["cached"], found["warnings"]) == (pinned(CONFIG)["sha256"], True, [])
    assert again("fetch", **http.model())["cached"] is True
    assert again("fetch", **http.model(force=True))["error"] == "OfflineError"
    assert http.hub.requests == []
