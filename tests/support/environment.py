"""Scratch environments: a real venv with real installs, that borrows the heavy packages of the tests' own environment."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


class Scratch:
    """A venv without pip. What is installed into it comes first; torch and the like are found in the test's environment.

    Args:
        folder: Where to make it.
    """

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.python = folder / "bin" / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site = folder / "lib" / version / "site-packages"
        # A plain path entry: the borrowed environment's own .pth files (an editable ganzoo) are not followed.
        (self.site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def install(self, *what: str) -> None:
        """Installs wheels or projects, from this machine alone."""
        options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", *options, *what]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self._env())
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Runs its Python in ``cwd``; never raises."""
        command = [str(self.python), *arguments]
        return subprocess.run(command, cwd=cwd, env=self._env(), capture_output=True, text=True, check=False, timeout=300)

    def _env(self) -> dict[str, str]:
        return {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}}


def build_wheel(project: Path, output: Path) -> Path:
    """The wheel of ``project``, built with the installed hatchling."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
    done = subprocess.run([*command, "-w", str(output), str(project)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = output.glob("*.whl")
    return wheel
