"""What the documentation tells people to type works: commands parse, the quick start runs, the site builds without warnings."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ganzoo.cli import cli

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "benchmarks" / "README.md",
]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(page.read_text()) if kind == language]


def commands() -> list[tuple[str, str]]:
    """Every ``ganzoo …`` command line of the documentation, with the page it stands on."""
    found = []
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.splitlines():
                for part in line.removeprefix("$ ").partition(" > ")[0].split("&&"):
                    if part.strip().startswith("ganzoo "):
                        found.append((page.name, part.strip()))
    return found


def test_there_are_commands_to_check() -> None:
    assert len(commands()) > 20


@pytest.mark.parametrize(("page", "line"), commands(), ids=[f"{p}: {c}" for p, c in commands()])
def test_every_documented_command_parses(page: str, line: str) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    with cli.make_context("ganzoo", list(arguments)) as context:
        name, command, rest = cli.resolve_command(context, arguments)
        assert command is not None
        with command.make_context(name, rest, parent=context) as inner:
            if isinstance(command, click.Group) and inner._protected_args:
                command.resolve_command(inner, [*inner._protected_args, *inner.args])


@pytest.mark.parametrize("page", ["index.md", "quickstart.md"])
def test_the_first_pages_run_as_they_stand(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(ROOT / "docs" / page, "python"):
        exec(compile(block, page, "exec"), names)
    assert (tmp_path / "digits.png").is_file()


def test_the_site_builds_without_warnings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*command, str(ROOT / "docs"), str(tmp_path / "site")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").is_file()
