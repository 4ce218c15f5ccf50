"""Files of ordinary servers: resumed, verified, never more than announced."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from tests.fakehub import FakeHub
from tests.hub.hubworld import Client, World, flip, pinned, wait_for

DATA = os.urandom(3 * 1024 * 1024)
NAME = "model.pkl"


def model(hub: FakeHub, data: bytes = DATA, **changes: Any) -> dict[str, Any]:
    return {"source": {"kind": "https", "url": f"{hub.url}/files/"}, "file": {"path": NAME, **pinned(data)}, **changes}


def kept(world: World) -> list[Path]:
    """What lies in ganzoo's own cache for https servers, lock files aside."""
    return sorted(p for p in (world.home / "ganzoo" / "https").rglob("*") if p.is_file() and p.suffix != ".lock")


def ranges(hub: FakeHub) -> list[str | None]:
    return [request.headers.get("range") for request in hub.seen(kind="file")]


def interrupted(world: World) -> Client:
    """A process that was killed when half of the file was on disk."""
    fault = world.hub.fault("stall", kind="file", times=1, seconds=20)
    client = world.client()
    client.start("fetch", **model(world.hub))
    part = world.home / "ganzoo" / "https" / hashlib.sha256(DATA).hexdigest() / f"{NAME}.part"
    wait_for(lambda: fault.hits and part.exists() and part.stat().st_size > 1_000_000)
    client.kill()
    assert DATA.startswith(part.read_bytes())
    world.hub.forget()
    return client


def test_a_cold_download_and_a_warm_one(http: World) -> None:
    http.hub.publish(NAME, DATA, etag='"v1"')
    client = http.client()
    first = client("fetch", **model(http.hub))
    assert Path(first["path"]).read_bytes() == DATA
    assert (first["sha256"], first["revision"], first["cached"]) == (hashlib.sha256(DATA).hexdigest(), None, False)
    assert kept(http) == [Path(first["path"])]
    assert http.home / "ganzoo" in Path(first["path"]).parents
    http.hub.forget()
    again = http.client(HF_HUB_OFFLINE="1")
    assert again("fetch", **model(http.hub)) == {**first, "cached": True}
    assert again("cached_path", **model(http.hub))["value"] == first["path"]
    assert http.hub.requests == []
    assert client("fetch", **model(http.hub, force=True))["cached"] is False


def test_no_token_is_sent(http: World) -> None:
    http.hub.publish(NAME, DATA)
    http.client(HF_TOKEN="hf_abcdefghijklmnopqrstuvwxyz")("fetch", **model(http.hub))
    assert "authorization" not in http.hub.seen(kind="file")[0].headers


@pytest.mark.parametrize("etag", ['"v1"', None, 'W/"v1"'])
def test_a_killed_download_goes_on_in_another_process(http: World, etag: str | None) -> None:
    http.hub.publish(NAME, DATA, etag=etag)
    interrupted(http)
    found = http.client()("fetch", **model(http.hub))
    assert Path(found["path"]).read_bytes() == DATA
    (request,) = http.hub.seen(kind="file")
    start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
    assert 1_000_000 < start < len(DATA)
    assert request.headers.get("if-range") == (etag if etag == '"v1"' else None)
    assert request.status == 206
    assert kept(http) == [Path(found["path"])]


def test_a_file_that_changed_is_started_over(http: World) -> None:
    http.hub.publish(NAME, b"\0" * len(DATA), etag='"old"')
    fault = http.hub.fault("stall", kind="file", times=1, seconds=20)
    client = http.client()
    client.start("fetch", **model(http.hub))
    wait_for(lambda: fault.hits and any(p.suffix == ".part" and p.stat().st_size > 1_000_000 for p in kept(http)))
    client.kill()
    http.hub.publish(NAME, DATA, etag='"new"')
    http.hub.forget()
    assert Path(http.client()("fetch", **model(http.hub))["path"]).read_bytes() == DATA
    assert [request.status for request in http.hub.seen(kind="file")] == [200]


def test_a_changed_file_without_marks_is_noticed_by_its_sum(http: World) -> None:
    http.hub.publish(NAME, b"\0" * len(DATA))
    fault = http.hub.fault("stall", kind="file", times=1, seconds=20)
    client = http.client()
    client.start("fetch", **model(http.hub))
    wait_for(lambda: fault.hits and any(p.suffix == ".part" and p.stat().st_size > 1_000_000 for p in kept(http)))
    client.kill()
    http.hub.publish(NAME, DATA)
    http.hub.forget()
    assert Path(http.client()("fetch", **model(http.hub))["path"]).read_bytes() == DATA
    assert [request.status for request in http.hub.seen(kind="file")] == [206, 200]


def test_a_server_without_ranges_sends_everything_again(http: World) -> None:
    http.hub.publish(NAME, DATA, ranges=False)
    interrupted(http)
    assert Path(http.client()("fetch", **model(http.hub))["path"]).read_bytes() == DATA
    assert [request.status for request in http.hub.seen(kind="file")] == [200]


def test_a_range_that_the_server_refuses_starts_over(http: World) -> None:
    http.hub.publish(NAME, DATA)
    interrupted(http)
    http.hub.fault("status", kind="file", status=416, times=1)
    assert Path(http.client()("fetch", **model(http.hub))["path"]).read_bytes() == DATA
    assert [request.status for request in http.hub.seen(kind="file")] == [416, 200]


def test_a_complete_part_needs_no_request(http: World) -> None:
    folder = http.home / "ganzoo" / "https" / hashlib.sha256(DATA).hexdigest()
    folder.mkdir(parents=True)
    (folder / f"{NAME}.part").write_bytes(DATA)
    assert Path(http.client()("fetch", **model(http.hub))["path"]).read_bytes() == DATA
    assert http.hub.requests == []


@pytest.mark.parametrize("junk", [b"x" * 1000, b"x" * (len(DATA) + 5)])
def test_a_part_that_is_rubbish_is_started_over(http: World, junk: bytes) -> None:
    http.hub.publish(NAME, DATA)
    folder = http.home / "ganzoo" / "https" / hashlib.sha256(DATA).hexdigest()
    folder.mkdir(parents=True)
    (folder / f"{NAME}.part").write_bytes(junk)
    assert Path(http.client()("fetch", **model(http.hub))["path"]).read_bytes() == DATA


def test_faults_that_pass_are_waited_out_and_bytes_kept(http: World) -> None:
    http.hub.publish(NAME, DATA, etag='"v1"')
    client = http.client()
    for name in ("drop", "reset", "truncate", "cut", "corrupt"):
        http.hub.forget()
        http.hub.fault(name, kind="file", times=1)
        found = client("fetch", **model(http.hub, force=True))
        assert Path(found["path"]).read_bytes() == DATA, name
        assert len(http.hub.requests) == 2
        assert (ranges(http.hub)[1] is not None) == (name in ("truncate", "cut")), name
    for status in (500, 503, 429, 408):
        http.hub.fault("status", kind="file", status=status, times=1, headers={"Retry-After": "0"})
        assert client("fetch", **model(http.hub, force=True))["cached"] is False, status


def test_faults_that_stay_are_our_errors(http: World) -> None:
    http.hub.publish(NAME, DATA)
    client = http.client()
    cases = [(401, "AuthenticationError"), (403, "AuthenticationError"), (404, "RemoteFileNotFoundError")]
    cases += [(410, "RemoteFileNotFoundError"), (418, "UnreachableError")]
    later = [(429, "RateLimitError"), (503, "UnreachableError")]
    for status, error in cases + later:
        http.hub.heal()
        http.hub.forget()
        http.hub.fault("status", kind="file", status=status, headers={"Retry-After": "0"})
        failed = client("fetch", **model(http.hub))
        assert failed["error"] == error, (status, failed)
        assert len(http.hub.requests) == (5 if (status, error) in later else 1)
    http.hub.heal()
    http.hub.fault("truncate", kind="file", path=NAME)
    found = client("fetch", **model(http.hub))  # every attempt brings half of the rest
    assert found["error"] == "UnreachableError" or Path(found["path"]).read_bytes() == DATA


def test_a_server_that_stalls_is_left_and_asked_for_the_rest(http: World) -> None:
    http.hub.publish(NAME, DATA)
    http.hub.fault("stall", kind="file", times=1, seconds=6)
    found = http.client(HF_HUB_DOWNLOAD_TIMEOUT="1")("fetch", **model(http.hub))
    assert Path(found["path"]).read_bytes() == DATA
    assert ranges(http.hub) == [None, f"bytes={len(DATA) // 2}-"]


def test_a_closed_port(http: World) -> None:
    step = model(http.hub, source={"kind": "https", "url": "http://127.0.0.1:9"})
    failed = http.client()("fetch", **step)
    assert failed["error"] == "UnreachableError"
    assert "http://127.0.0.1:9/model.pkl" in failed["message"]


def test_content_that_stays_wrong_keeps_nothing(http: World) -> None:
    http.hub.publish(NAME, DATA[::-1])
    failed = http.client()("fetch", **model(http.hub))
    assert failed["error"] == "IntegrityError"
    assert hashlib.sha256(DATA).hexdigest() in failed["message"]
    assert hashlib.sha256(DATA[::-1]).hexdigest() in failed["message"]
    assert kept(http) == []


@pytest.mark.parametrize("length", [True, False], ids=["announced", "unannounced"])
@pytest.mark.parametrize("data", [DATA + b"!", DATA[:-1], b""], ids=["longer", "shorter", "empty"])
def test_a_body_of_another_size_keeps_nothing(http: World, data: bytes, length: bool) -> None:
    http.hub.publish(NAME, data, length=length)
    failed = http.client()("fetch", **model(http.hub))
    assert failed["error"] == "IntegrityError"
    assert f"{len(DATA):,} were expected" in failed["message"]
    assert kept(http) == []


def test_a_body_without_end_is_cut_off(http: World) -> None:
    http.hub.publish(NAME, DATA * 4, length=False)
    small = {**pinned(DATA[:1000]), "path": NAME}
    failed = http.client()("fetch", **{**model(http.hub), "file": small})
    assert failed["error"] == "IntegrityError"
    assert kept(http) == []


def test_a_log_in_page_is_called_one(http: World) -> None:
    http.hub.publish(NAME, DATA)
    http.hub.fault("page", kind="file")
    failed = http.client()("fetch", **model(http.hub))
    assert failed["error"] == "IntegrityError"
    assert "web page" in failed["message"]
    assert kept(http) == []


def test_a_damaged_cached_file_is_downloaded_again(http: World) -> None:
    http.hub.publish(NAME, DATA)
    client = http.client()
    path = Path(client("fetch", **model(http.hub))["path"])
    flip(path)
    assert client("fetch", **model(http.hub))["cached"] is False
    assert path.read_bytes() == DATA
    flip(path)
    assert http.client(HF_HUB_OFFLINE="1")("fetch", **model(http.hub))["error"] == "OfflineError"
    assert kept(http) == []


def test_offline_mode(http: World) -> None:
    http.hub.publish(NAME, DATA)
    failed = http.client(HF_HUB_OFFLINE="1")("fetch", **model(http.hub))
    assert failed["error"] == "OfflineError"
    assert http.hub.requests == []


def test_redirects_are_followed_on_this_machine_only(http: World) -> None:
    http.hub.publish("real.bin", DATA)
    http.hub.publish(NAME, b"", location=f"{http.hub.cdn_url}/files/real.bin")
    client = http.client()
    assert Path(client("fetch", **model(http.hub))["path"]).read_bytes() == DATA
    http.hub.publish(NAME, b"", location="http://example.com/real.bin")
    failed = client("fetch", **model(http.hub, force=True))
    assert failed["error"] == "UnreachableError"
    assert "https" in failed["message"]
    http.hub.publish(NAME, b"", location=f"{http.hub.url}/files/{NAME}")
    failed = client("fetch", **model(http.hub, force=True))
    assert "10 redirects" in failed["message"]


def test_plain_http_is_refused(http: World) -> None:
    failed = http.client()("fetch", **model(http.hub, source={"kind": "https", "url": "http://example.com/weights"}))
    assert failed["error"] == "UnreachableError"
    assert "https only" in failed["message"]


def test_four_processes_download_once(http: World) -> None:
    http.hub.publish(NAME, DATA)
    http.hub.fault("delay", kind="file", seconds=1.0)
    clients = [http.client() for _ in range(4)]
    for client in clients:
        client.start("fetch", **model(http.hub))
    answers = [client.finish() for client in clients]
    assert {answer["sha256"] for answer in answers} == {hashlib.sha256(DATA).hexdigest()}
    assert sorted(answer["cached"] for answer in answers) == [False, True, True, True]
    assert http.hub.count(kind="file") == 1


def test_a_full_disk_leaves_nothing(http: World) -> None:
    http.hub.publish(NAME, DATA)
    client = http.client()
    client("full_disk", bytes=500_000)
    failed = client("fetch", **model(http.hub))
    assert failed["error"] == "StorageError"
    assert "the disk is full" in failed["message"]
    assert kept(http) == []


def test_a_read_only_cache_serves_what_it_has(http: World) -> None:
    http.hub.publish(NAME, DATA)
    http.client()("fetch", **model(http.hub))
    client = http.client()
    client("read_only", path=str(http.home))
    assert client("fetch", **model(http.hub))["cached"] is True
    failed = client("fetch", **model(http.hub, force=True))
    assert failed["error"] == "StorageError"
    assert "Read-only file system" in failed["message"]


def test_a_cache_that_cannot_be_written(http: World) -> None:
    http.hub.publish(NAME, DATA)
    (http.home / "ganzoo").write_text("a file where the folder should be")
    failed = http.client()("fetch", **model(http.hub))
    assert failed["error"] == "StorageError"
    assert "GANZOO_HOME" in failed["message"]


def test_a_bar_is_shown_on_standard_error_when_asked_for(http: World) -> None:
    http.hub.publish(NAME, DATA)
    shown, quiet = http.client(), http.client()
    assert "path" in shown("fetch", **model(http.hub, progress=True))
    assert NAME in shown.close()
    assert "path" in quiet("fetch", **model(http.hub, force=True))
    assert quiet.close() == ""
