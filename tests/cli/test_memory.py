"""How a process of the command line gets its memory."""

import os
import platform
import subprocess
import sys

import pytest

from ganzoo.cli.memory import keep_freed_memory

PROGRAM = """
import sys
from ganzoo.cli.memory import keep_freed_memory

def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) // 1024  # MiB

kept = keep_freed_memory() if sys.argv[1] == "keep" else None
before = resident()
large = bytearray(300 * 2**20)
del large
print(kept, resident() - before > 250)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is about glibc")
@pytest.mark.parametrize(
    ("ask", "environment", "told"),
    [
        ("leave", {}, "None False"),
        ("keep", {}, "True True"),
        ("keep", {"MALLOC_TRIM_THRESHOLD_": "131072"}, "False False"),
        ("keep", {"GLIBC_TUNABLES": "glibc.malloc.check=0"}, "False False"),
    ],
)
def test_freed_memory_is_kept_unless_somebody_decided_otherwise(ask: str, environment: dict[str, str], told: str) -> None:
    given = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_") and name != "GLIBC_TUNABLES"}
    command = [sys.executable, "-c", PROGRAM, ask]
    done = subprocess.run(command, env={**given, **environment}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False
