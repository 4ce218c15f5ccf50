"""Every test runs on a machine of its own: no user cache, token, proxy, terminal width or plugin setting matters."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_PREFIXES = ("HF_", "HUGGING", "GANZOO_", "XDG_", "TRANSFORMERS_", "NO_COLOR", "FORCE_COLOR", "CLICOLOR")


@pytest.fixture(autouse=True)
def isolated_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home and fresh caches, also for the processes that a test starts."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(_PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    monkeypatch.setenv("GANZOO_HOME", str(home / "ganzoo"))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("COLUMNS", "120")
    return home


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """A test run in the background of a shell inherits a SIGINT that is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder on ``sys.path`` in which a test lays out installed distributions; the plugin host starts afresh."""
    from ganzoo.plugin_host import host

    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    host.cache_clear()
    known = set(sys.modules)
    yield folder
    host.cache_clear()
    for name in set(sys.modules) - known:
        if name.startswith("zoo_"):  # the packages of test distributions are called zoo_…
            del sys.modules[name]
