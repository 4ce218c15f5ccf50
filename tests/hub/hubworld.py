"""A Hub on loopback and processes that use it: what the tests of the hub layer share."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakehub import FakeHub, Repository

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("driver.py")
TOKEN = "hf_abcdefghijklmnopqrstuvwxyz012345"
WEIGHTS = bytes(range(256)) * 800  # 200 KiB: four xet chunks
CONFIG = b'{"library_name": "ganzoo"}'


class Client:
    """A process with the real client in it. Calls return what ``answer`` of the driver says."""

    def __init__(self, environment: dict[str, str], driver: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(driver)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        self._token = environment.get("HF_TOKEN", "").strip()

    def start(self, do: str, **step: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **step}) + "\n")
        self._process.stdin.flush()

    def finish(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(self._process.communicate()[1])
        assert not self._token or self._token not in line, "the token was shown"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __call__(self, do: str, **step: Any) -> dict[str, Any]:
        self.start(do, **step)
        return self.finish()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> str:
        """End the process.

        Returns:
            What it wrote to standard error.
        """
        return self._process.communicate()[1]


class World:
    """One machine (home folder, environment) and one Hub with one repository; ``driver`` is the program of its processes."""

    def __init__(self, hub: FakeHub, home: Path, *, xet: bool, driver: Path = DRIVER) -> None:
        self.hub, self.home, self.xet, self.driver = hub, home, xet, driver
        self.repository: Repository = hub.repository("someone/gan")
        self.commit = self.repository.commit({"config.json": CONFIG, "generator.safetensors": WEIGHTS})
        self._clients: list[Client] = []

    def client(self, **environment: str) -> Client:
        """A new process; ``environment`` goes on top of this world's."""
        base = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        settings = {
            "HF_HOME": str(self.home / "hf"),
            "GANZOO_HOME": str(self.home / "ganzoo"),
            "HF_ENDPOINT": self.hub.url,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_XET": "0" if self.xet else "1",
            "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1",
            "HF_XET_CLIENT_RETRY_BASE_DELAY": "100ms",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        }
        client = Client({**base, **settings, **environment}, self.driver)
        self._clients.append(client)
        return client

    def model(self, data: bytes = WEIGHTS, *, name: str = "generator.safetensors", **changes: Any) -> dict[str, Any]:
        """Arguments of ``fetch``: the pinned file of the repository."""
        return {
            "source": {"kind": "hf", "repository": self.repository.id, "revision": self.commit},
            "file": {"path": name, **pinned(data)},
            **changes,
        }

    def blobs(self) -> list[Path]:
        """Every file in the Hub's cache that holds the weights' size."""
        files = (path for path in (self.home / "hf").rglob("*") if path.is_file() and not path.is_symlink())
        return [path for path in files if path.stat().st_size == len(WEIGHTS)]

    def close(self) -> None:
        for client in self._clients:
            client.kill()
            client.close()


def pinned(data: bytes) -> dict[str, Any]:
    """The sum and size that a card pins."""
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def flip(path: Path) -> None:
    """Damage one byte; the size stays."""
    path = Path(os.path.realpath(path))
    mode = path.stat().st_mode
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    path.chmod(mode)


def wait_for(condition: Callable[[], object]) -> None:
    """Until the condition holds, at most ten seconds."""
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen within ten seconds")


def one_warning(answer: dict[str, Any]) -> str:
    """The only warning of an answer, which is one line."""
    assert len(answer["warnings"]) == 1, answer["warnings"]
    text: str = answer["warnings"][0]
    assert "\n" not in text
    return text
