"""How the process ends when its output cannot be written or shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganzoo.cli.output import echo_table, printable

COMMAND = f"{sys.executable} -m ganzoo"


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(line, shell=True, cwd=cwd, env=dict(os.environ), capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_output_that_cannot_be_written(tmp_path: Path, redirection: str) -> None:
    done = shell(f"{COMMAND} list {redirection}", tmp_path)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.returncode == (1 if "full" in redirection else 0)
    assert done.stderr == (b"Error: No space left on device.\n" if "full" in redirection else b"")


@pytest.mark.parametrize("options", ["", "--json"])
def test_a_path_that_is_no_utf8(tmp_path: Path, options: str) -> None:
    done = shell(f"{COMMAND} generate dcgan-mnist --seed 0 -o $(printf 'caf\\351.png') {options}", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [os.fsencode(p.name) for p in tmp_path.iterdir()] == [b"caf\xe9.png"]
    # For a shell the very bytes, for a machine an escape that leads back to them.
    assert (b"caf\xe9.png" if not options else b"caf\\udce9.png") in done.stdout


@pytest.mark.parametrize("value", ["$(printf '\\377')", "[[[[" * 2000], ids=["no-utf8", "deep"])
def test_settings_that_are_no_json_are_text(tmp_path: Path, value: str) -> None:
    done = shell(f"{COMMAND} train dcgan --data . --out run --dry-run --config image_size={value}", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: ")


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert printable("plain, naïve 数字\nnext") == "plain, naïve 数字\nnext"
    assert printable("\x1b[31mred\x07\r\udcff") == "\ufffd[31mred\ufffd\ufffd\ufffd"


def test_a_cell_of_a_table_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    echo_table(("NAME", "SUMMARY"), [("a", "one\ntwo"), ("b", "three")])
    assert capsys.readouterr().out.splitlines() == ["NAME  SUMMARY", "a     one two", "b     three"]
