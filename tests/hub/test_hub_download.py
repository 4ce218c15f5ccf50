"""Pinned files of the Hub: cold, cached, damaged, repaired, by many processes at once."""

import json
import os
from pathlib import Path

from tests.hub.hubworld import CONFIG, TOKEN, WEIGHTS, World, flip, one_warning, pinned, wait_for


def test_a_cold_download_is_verified_and_the_second_makes_no_request(world: World) -> None:
    client = world.client()
    first = client("fetch", **world.model())
    assert first["sha256"] == pinned(WEIGHTS)["sha256"]
    assert Path(first["path"]).read_bytes() == WEIGHTS
    assert (first["cached"], first["revision"], first["warnings"]) == (False, world.commit, [])
    assert world.hub.count(kind="xorb" if world.xet else "cdn") == 1
    world.hub.forget()
    for process in (client, world.client(), world.client(HF_HUB_OFFLINE="1")):
        again = process("fetch", **world.model())
        assert (again["path"], again["cached"], again["warnings"]) == (first["path"], True, [])
    assert world.hub.requests == []


def test_a_file_is_hashed_once_and_again_when_it_changed(http: World) -> None:
    client = http.client()
    path = Path(os.path.realpath(client("fetch", **http.model())["path"]))
    (record,) = (http.home / "ganzoo" / "verified").glob("*.json")
    content = json.loads(record.read_bytes())
    assert (content["path"], content["sha256"]) == (str(path), pinned(WEIGHTS)["sha256"])
    content["sha256"] = "0" * 64  # what is on record is believed: the file is not read again
    record.write_text(json.dumps(content))
    http.hub.fault("drop")
    assert http.client()("fetch", **http.model())["error"] == "IntegrityError"
    http.hub.heal()
    client("fetch", **http.model())
    path.touch()
    http.hub.forget()
    assert client("fetch", **http.model())["cached"] is True
    assert http.hub.requests == []


def test_a_record_that_cannot_be_written_costs_nothing_but_a_line(http: World) -> None:
    (http.home / "ganzoo").write_text("a file where the folder should be")
    client = http.client()
    found = client("fetch", **http.model())
    assert found["sha256"] == pinned(WEIGHTS)["sha256"]
    assert "cannot be written" in found["warnings"][0]
    assert client("fetch", **http.model())["cached"] is True


def test_a_byte_flipped_on_the_way_is_noticed_and_the_download_repeated(world: World) -> None:
    world.hub.fault("corrupt", kind="xorb" if world.xet else "cdn", times=1)
    found = world.client()("fetch", **world.model())
    assert Path(found["path"]).read_bytes() == WEIGHTS
    assert found["cached"] is False
    assert world.hub.count(kind="xorb" if world.xet else "cdn") == 2


def test_content_that_stays_wrong_names_both_sums_and_leaves_nothing(world: World) -> None:
    world.hub.fault("corrupt", kind="xorb" if world.xet else "cdn")
    client = world.client()
    failed = client("fetch", **world.model())
    assert failed["error"] == "IntegrityError"
    assert pinned(WEIGHTS)["sha256"] in failed["message"]
    assert failed["message"].count("expected ") == failed["message"].count("received ") == 1
    assert "generator.safetensors of someone/gan" in failed["message"]
    assert world.blobs() == []
    assert client("cached_path", **world.model())["value"] is None
    world.hub.heal()
    assert client("fetch", **world.model())["sha256"] == pinned(WEIGHTS)["sha256"]


def test_a_card_with_another_sum_or_size_is_an_integrity_error(http: World) -> None:
    client = http.client()
    other = http.model(b"x" * len(WEIGHTS))
    failed = client("fetch", **other)
    assert failed["error"] == "IntegrityError"
    assert other["file"]["sha256"] in failed["message"]
    assert pinned(WEIGHTS)["sha256"] in failed["message"]
    wrong_size = {**pinned(WEIGHTS), "size": 17, "path": "generator.safetensors"}
    failed = client("fetch", source=other["source"], file=wrong_size)
    assert failed["error"] == "IntegrityError"
    assert "204,800 bytes where 17 were expected" in failed["message"]
    assert http.blobs() == []


def test_a_damaged_blob_in_the_cache_is_found_and_repaired(world: World) -> None:
    client = world.client()
    path = Path(client("fetch", **world.model())["path"])
    flip(path)
    world.hub.forget()
    found = client("fetch", **world.model())
    assert path.read_bytes() == WEIGHTS
    assert (found["sha256"], found["cached"]) == (pinned(WEIGHTS)["sha256"], False)
    assert world.hub.count(kind="xorb" if world.xet else "cdn") == 1


def test_a_damaged_blob_with_its_old_time_stamp_is_found_too(http: World) -> None:
    client = http.client()
    path = Path(os.path.realpath(client("fetch", **http.model())["path"]))
    before = path.stat()
    flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert client("fetch", **http.model())["cached"] is False
    assert path.read_bytes() == WEIGHTS


def test_a_truncated_blob_in_the_cache_is_repaired(http: World) -> None:
    client = http.client()
    path = Path(client("fetch", **http.model())["path"])
    with Path(os.path.realpath(path)).open("r+b") as stream:
        stream.truncate(1000)
    assert client("fetch", **http.model())["sha256"] == pinned(WEIGHTS)["sha256"]


def test_a_damaged_blob_without_a_network_is_removed(http: World) -> None:
    path = http.client()("fetch", **http.model())["path"]
    flip(Path(path))
    offline = http.client(HF_HUB_OFFLINE="1")
    failed = offline("fetch", **http.model())
    assert failed["error"] == "IntegrityError"
    assert "offline mode is on" in failed["message"]
    assert not os.path.lexists(path)
    assert http.blobs() == []
    assert offline("fetch", **http.model())["error"] == "OfflineError"


def test_what_another_program_left_damaged_is_repaired(world: World) -> None:
    """Over xet the damage even reaches another repository, through the blobs that repositories share."""
    world.hub.fault("corrupt", kind="xorb" if world.xet else "cdn")
    client = world.client()
    step = {"repository": "someone/gan", "filename": "generator.safetensors", "revision": world.commit}
    assert Path(client("plain_download", **step)["value"]).read_bytes() != WEIGHTS
    world.hub.heal()
    other = world.hub.repository("other/gan")
    commit = other.commit({"generator.safetensors": WEIGHTS})
    for repository, revision in (("other/gan", commit), ("someone/gan", world.commit)):
        found = client("fetch_file", repository=repository, filename="generator.safetensors", revision=revision)
        assert Path(found["path"]).read_bytes() == WEIGHTS, repository


def test_force_downloads_again(http: World) -> None:
    client = http.client()
    client("fetch", **http.model())
    http.hub.forget()
    assert client("fetch", **http.model(force=True))["cached"] is False
    assert http.hub.count(kind="cdn") == 1


def test_small_files_are_verified_by_the_git_sum(http: World) -> None:
    http.hub.fault("corrupt", kind="blob", method="GET", times=1)
    client = http.client()
    found = client("fetch_file", repository="someone/gan", filename="config.json")
    assert Path(found["path"]).read_bytes() == CONFIG
    assert found["revision"] == http.commit
    http.hub.heal()
    http.hub.fault("corrupt", kind="blob", method="GET")
    failed = client("fetch_file", repository="someone/gan", filename="config.json", revision=http.commit, force=True)
    assert failed["error"] == "IntegrityError"


def test_weights_without_a_card_are_verified_by_the_hubs_sum(world: World) -> None:
    client = world.client()
    world.hub.fault("corrupt", kind="xorb" if world.xet else "cdn", times=1)
    step = {"repository": "someone/gan", "filename": "generator.safetensors"}
    found = client("fetch_file", **step)
    assert Path(found["path"]).read_bytes() == WEIGHTS
    world.hub.forget()
    assert client("fetch_file", **step, revision=found["revision"])["cached"] is True
    assert world.hub.requests == []


def test_without_links_in_the_cache_the_hub_is_asked_for_the_sum_once(http: World) -> None:
    client = http.client(HF_HUB_DISABLE_SYMLINKS="1")
    step = {"repository": "someone/gan", "filename": "generator.safetensors", "revision": http.commit}
    http.hub.fault("corrupt", kind="cdn", times=1)
    found = client("fetch_file", **step)
    assert Path(found["path"]).read_bytes() == WEIGHTS
    assert not Path(found["path"]).is_symlink()
    http.hub.forget()
    assert client("fetch_file", **step)["cached"] is True
    assert http.hub.requests == []


def test_a_hub_that_lists_no_sum_is_used_with_a_warning(http: World) -> None:
    http.hub.fault("status", kind="api", path="paths-info", status=404)
    client = http.client(HF_HUB_DISABLE_SYMLINKS="1")
    found = client("fetch_file", repository="someone/gan", filename="generator.safetensors", revision=http.commit)
    assert found["sha256"] == pinned(WEIGHTS)["sha256"]
    assert "could not be verified" in one_warning(found)


def test_four_processes_download_once(world: World) -> None:
    world.hub.fault("delay", kind="xorb" if world.xet else "cdn", seconds=1.0)
    clients = [world.client() for _ in range(4)]
    for client in clients:
        client.start("fetch", **world.model())
    answers = [client.finish() for client in clients]
    assert {answer["sha256"] for answer in answers} == {pinned(WEIGHTS)["sha256"]}
    assert world.hub.count(kind="xorb" if world.xet else "cdn") == 1


def test_a_killed_process_blocks_nobody(http: World) -> None:
    http.hub.fault("stall", kind="cdn", times=1, seconds=30)
    first = http.client()
    first.start("fetch", **http.model())
    wait_for(lambda: http.hub.count(kind="cdn"))
    first.kill()
    assert http.client()("fetch", **http.model())["sha256"] == pinned(WEIGHTS)["sha256"]


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(world: World) -> None:
    client = world.client()
    client("full_disk", bytes=50_000)
    failed = client("fetch", **world.model())
    assert failed["error"] == "StorageError", failed
    assert "HF_HOME" in failed["message"]
    assert world.blobs() == []


def test_a_cache_that_cannot_be_written_is_a_storage_error(http: World) -> None:
    (http.home / "hf").mkdir()
    (http.home / "hf" / "hub").write_text("a file where the folder should be")
    failed = http.client()("fetch", **http.model())
    assert failed["error"] == "StorageError"
    assert str(http.home / "hf" / "hub") in failed["message"]


def test_a_read_only_cache_serves_what_it_has(world: World) -> None:
    world.client()("fetch", **world.model())
    client = world.client()
    client("read_only", path=str(world.home))
    found = client("fetch", **world.model())
    assert (found["cached"], found["warnings"]) == (True, [])
    failed = client("fetch", **world.model(CONFIG, name="config.json"))
    assert failed["error"] == "StorageError"
    assert "Read-only file system" in failed["message"]


def test_a_damaged_file_in_a_read_only_cache_is_not_used(http: World) -> None:
    flip(Path(http.client()("fetch", **http.model())["path"]))
    client = http.client()
    client("read_only", path=str(http.home))
    failed = client("fetch", **http.model())
    assert failed["error"] == "IntegrityError"
    assert "Read-only file system" in failed["message"]


def test_cached_path_makes_no_request(http: World) -> None:
    client = http.client()
    assert client("cached_path", **http.model())["value"] is None
    path = client("fetch", **http.model())["path"]
    http.hub.forget()
    assert client("cached_path", **http.model())["value"] == path
    assert http.hub.requests == []


def test_another_revision_is_checked_against_the_hubs_sum(http: World) -> None:
    newer = WEIGHTS[::-1]
    commit = http.repository.commit({"generator.safetensors": newer}, branch="next")
    http.repository.tag("v2", commit)
    client = http.client()
    for revision in ("next", "v2", commit):
        found = client("fetch", **http.model(revision=revision))
        assert (found["sha256"], found["revision"]) == (pinned(newer)["sha256"], commit)
    http.repository.tag("same", http.commit)
    for revision in ("same", http.commit):
        assert client("fetch", **http.model(revision=revision))["sha256"] == pinned(WEIGHTS)["sha256"]
        wrong = client("fetch", **http.model(b"x" * len(WEIGHTS), revision=revision))
        assert wrong["error"] == "IntegrityError"  # the card's own commit is held to the card's sum, whatever its name


def test_the_endpoint_and_the_token_come_from_the_environment(http: World) -> None:
    http.hub.token(TOKEN, "someone/gan")
    http.repository.private = True
    found = http.client(HF_TOKEN=TOKEN)("fetch", **http.model())
    assert found["sha256"] == pinned(WEIGHTS)["sha256"]
    seen = {request.headers.get("authorization") for request in http.hub.seen(kind="resolve")}
    assert seen == {f"Bearer {TOKEN}"}
    assert all(r.headers["user-agent"].startswith("ganzoo/") for r in http.hub.seen(kind="resolve"))
