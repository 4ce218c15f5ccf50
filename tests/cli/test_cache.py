"""``ganzoo cache``."""

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganzoo.cli import cache as cache_command
from tests.cli.conftest import Run, listing


@pytest.fixture
def kept(isolated_machine: Path) -> Path:
    """A cache with something in two of its folders."""
    home = isolated_machine / "ganzoo"
    (home / "https" / "abc").mkdir(parents=True)
    (home / "https" / "abc" / "weights").write_bytes(b"x" * 1500)
    (home / "https" / "abc" / "weights.lock").write_bytes(b"y" * 40)
    (home / "converted").mkdir()
    (home / "converted" / "z").write_bytes(b"z" * 10)
    return home


def test_cache_shows_what_is_kept(run: Run, kept: Path) -> None:
    report = json.loads(run("cache", "--json").out)
    assert report["folder"] == str(kept)
    assert report["bytes"] == {"index": 0, "verified": 0, "https": 1500, "converted": 10, "pictures": 0, "features": 0}
    lines = run("cache").out.splitlines()
    assert any(line.split()[:3] == ["https", "1.5", "kB"] for line in lines)


def test_cache_clear(run: Run, kept: Path) -> None:
    assert run("cache", "clear", "https").out == "https: 1.5 kB deleted\n"
    assert listing(kept) == {"converted", "converted/z"}
    assert "converted: 10 B deleted" in run("cache", "clear").out
    assert listing(kept) == set()
    assert run("cache", "clear").code == 0


def test_files_that_vanish_meanwhile_are_no_matter(kept: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.walk

    def slow(folder: Any, *args: Any, **options: Any) -> Iterator[Any]:
        for parent, folders, names in real(folder, *args, **options):
            yield parent, folders, [*names, "vanished"]

    monkeypatch.setattr(cache_command.os, "walk", slow)
    assert json.loads(run("cache", "--json").out)["bytes"]["https"] == 1500


def test_a_cache_that_cannot_be_deleted(run: Run, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def refuse(folder: Path) -> None:
        calls.append(folder)
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(cache_command.shutil, "rmtree", refuse)
    told = run("cache", "clear", "https")
    assert told.code == 1
    assert f"{kept / 'https'} cannot be deleted" in told.err
    assert len(calls) > 1  # another process may have been writing: tried again
