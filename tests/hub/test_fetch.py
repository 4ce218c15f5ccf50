"""Mirrors in their order, bundled files, names that climb out."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ganzoo import errors, hub, spec
from ganzoo.hub.bundled import bundled_path
from tests.hub.hubworld import ROOT, WEIGHTS, World, flip, pinned

FILE = spec.WeightFile(role="generator", path="weights/g.safetensors", **pinned(WEIGHTS))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that must not be run, with weights in a sub-package."""
    for folder in ("gz_weights", "gz_weights/inner"):
        (tmp_path / folder / "weights").mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text("raise RuntimeError('this package was run')")
        (tmp_path / folder / "weights" / "g.safetensors").write_bytes(WEIGHTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "gz_weights"


def test_importing_the_package_imports_no_client() -> None:
    code = """
import sys
from ganzoo import hub, spec
source, file = spec.BundledSource(package="tests"), spec.WeightFile(role="generator", path="none", sha256="0" * 64, size=1)
assert hub.cached_path(source, file) is None
print(*sorted({m.split(".")[0] for m in sys.modules}))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"huggingface_hub", "torch", "numpy", "httpx", "httpx2", "rich", "filelock"} & set(out.split())


@pytest.mark.parametrize("name", ["gz_weights", "gz_weights.inner"])
def test_a_bundled_file_is_verified_and_the_package_not_run(package: Path, name: str) -> None:
    source = spec.BundledSource(package=name)
    found = hub.fetch(source, FILE)
    assert found == hub.Fetched(bundled_path(source, FILE) or Path(), FILE.sha256, None, True)
    assert found.path == package.joinpath(*name.split(".")[1:], "weights", "g.safetensors")
    assert hub.cached_path(source, FILE) == found.path


def test_a_bundled_file_that_was_changed(package: Path) -> None:
    flip(package / "weights" / "g.safetensors")
    with pytest.raises(errors.IntegrityError, match="install the package again") as caught:
        hub.fetch(spec.BundledSource(package="gz_weights"), FILE)
    assert caught.value.expected == FILE.sha256
    assert (package / "weights" / "g.safetensors").exists()  # it belongs to the installation, not to a cache


def test_a_bundled_file_or_package_that_is_missing(package: Path) -> None:
    with pytest.raises(errors.RemoteFileNotFoundError, match="'nowhere.inner', which is not installed"):
        hub.fetch(spec.BundledSource(package="nowhere.inner"), FILE)
    (package / "weights" / "g.safetensors").unlink()
    with pytest.raises(errors.RemoteFileNotFoundError, match=r"has no file weights/g\.safetensors"):
        hub.fetch(spec.BundledSource(package="gz_weights"), FILE)
    assert hub.cached_path(spec.BundledSource(package="gz_weights"), FILE) is None


@pytest.mark.parametrize("path", ["../g.safetensors", "/etc/passwd", "a/../../g", "", ".", "a\\..\\g", "a\0b"])
def test_a_path_that_climbs_out_is_refused(path: str, package: Path) -> None:
    file = spec.WeightFile(role="generator", path=path, **pinned(WEIGHTS))  # built by hand: decoding would refuse it
    for source in (
        spec.BundledSource(package="gz_weights"),
        spec.HttpsSource(url="https://example.com"),
        spec.HubSource(repository="someone/gan", revision="0" * 40),
    ):
        for call in (hub.fetch, hub.cached_path):
            with pytest.raises(errors.InvalidValueError, match="not a relative path"):
                call(source, file)


def test_only_the_hub_has_revisions(package: Path) -> None:
    with pytest.raises(errors.RevisionNotFoundError, match="'v2'"):
        hub.fetch(spec.BundledSource(package="gz_weights"), FILE, revision="v2")


def test_mirrors_are_asked_in_their_order(http: World) -> None:
    http.hub.publish("first/generator.safetensors", WEIGHTS[::-1])
    http.hub.publish("second/generator.safetensors", WEIGHTS)
    http.hub.publish("third/generator.safetensors", WEIGHTS)
    mirrors = [{"kind": "https", "url": f"{http.hub.url}/files/{name}"} for name in ("first", "second", "third")]
    http.hub.fault("status", kind="resolve", status=404)
    client = http.client()
    found = client("fetch", **http.model(mirrors=mirrors))
    assert Path(found["path"]).read_bytes() == WEIGHTS
    asked = [request.path.split("/")[2] for request in http.hub.seen(kind="file")]
    assert asked == ["first", "first", "second"]  # a wrong sum is tried twice
    http.hub.forget()
    assert client("fetch", **http.model(mirrors=mirrors))["cached"] is True
    assert http.hub.requests == []
    assert "second" in client.close()


def test_a_hub_mirror_serves_what_the_source_corrupts(http: World) -> None:
    other = http.hub.repository("mirror/gan")
    commit = other.commit({"generator.safetensors": WEIGHTS})
    http.repository.commits[http.commit] = {}
    mirrors = [{"kind": "hf", "repository": "mirror/gan", "revision": commit}]
    found = http.client()("fetch", **http.model(mirrors=mirrors))
    assert (found["sha256"], found["revision"]) == (pinned(WEIGHTS)["sha256"], commit)


def test_when_all_mirrors_fail_each_is_named(http: World) -> None:
    mirrors = [{"kind": "https", "url": f"{http.hub.url}/files/{name}"} for name in ("first", "second")]
    http.hub.fault("status", kind="resolve", status=403)
    failed = http.client()("fetch", **http.model(mirrors=mirrors))
    assert failed["error"] == "AuthenticationError"
    assert "files/first did not help" in failed["message"]
    assert "files/second did not help" in failed["message"]


def test_a_full_disk_is_no_reason_to_ask_a_mirror(http: World) -> None:
    http.hub.publish("generator.safetensors", WEIGHTS)
    client = http.client()
    client("full_disk", bytes=50_000)
    failed = client("fetch", **http.model(mirrors=[{"kind": "https", "url": f"{http.hub.url}/files"}]))
    assert failed["error"] == "StorageError"
    assert http.hub.count(kind="file") == 0


def test_a_redirect_that_leaves_https_is_refused(monkeypatch: pytest.MonkeyPatch, isolated_machine: Path) -> None:
    """Over a transport in this process: a certificate that a client trusts cannot be had for loopback."""
    from ganzoo.hub import http, transfer

    library = http.library()
    asked: list[str] = []

    def answer(request: Any) -> Any:
        asked.append(str(request.url))
        if request.url.path == "/safe/weights/g.safetensors":
            return library.Response(302, headers={"Location": "https://cdn.example.com/moved"})
        return library.Response(302, headers={"Location": "http://127.0.0.1:9/plain"})

    with library.Client(transport=library.MockTransport(answer)) as client:
        monkeypatch.setattr(transfer, "session", lambda: client)
        with pytest.raises(errors.UnreachableError, match="redirects from https to http://127.0.0.1, which is refused"):
            hub.fetch(spec.HttpsSource(url="https://example.com/safe"), FILE)
    assert asked == ["https://example.com/safe/weights/g.safetensors", "https://cdn.example.com/moved"]
