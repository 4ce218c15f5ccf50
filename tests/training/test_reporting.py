import io
import sys
from pathlib import Path

import pytest

from ganzoo.training import Options, PlainLines, Progress, terminal_reporter, train
from tests.training.toy import EVERY, NETWORKS, TOY, toy_data

MAIN = {"d_loss": 1.25, "g_loss": 0.75, "d_real": 0.5, "d_fake": -0.25}
STEP = Progress(500, MAIN)
FULL_STEP = Progress(500, {**MAIN, "r1": 0.03125, "augment_p": 0.2})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_there_is_one_line_per_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal_reporter() as reporter:
        assert isinstance(reporter, PlainLines)
        train(TOY, NETWORKS, toy_data(), tmp_path / "run", options=Options(intervals=EVERY), plugin="toy", reporter=reporter)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" ")[0] for line in err.splitlines()] == [f"{i}/48" for i in range(8, 49, 8)]


def test_a_line_says_losses_speed_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = PlainLines()
    reporter.started(0, 10_500, "images")
    reporter.stepped(STEP)
    reporter.logged(STEP, 100.0)
    assert capsys.readouterr().err == (
        "500/10500 images  D 1.250  G 0.750  D(real) +0.50  D(fake) -0.25  100 images/s  1:40 left\n"
    )


def test_hours_are_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = PlainLines()
    reporter.started(0, 500 + 7265, "images")
    reporter.logged(STEP, 1.0)
    assert "2:01:05 left" in capsys.readouterr().err


def test_penalties_and_the_augmentation_come_last(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = PlainLines()
    reporter.started(0, 1000, "images")
    reporter.logged(FULL_STEP, 100.0)
    assert capsys.readouterr().err.endswith("0:05 left  r1 0.0312  augment_p 0.2\n")


def test_names_of_files_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    PlainLines().note("Skipped \x1b]0;title\x07.png: broken\nand so on")
    assert capsys.readouterr().err == "Skipped \\x1b]0;title\\x07.png: broken\nand so on\n"


def test_a_terminal_gets_a_live_display_and_notes_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with terminal_reporter() as reporter:
        reporter.note("before it begins")
        reporter.started(0, 1000, "images")
        reporter.note("[bold] stays \x1b[2J as it is")
        reporter.stepped(FULL_STEP)
        reporter.evaluated({"frechet-distance": 12.3456}, 500)
    shown = screen.getvalue()
    assert "before it begins" in shown and "[bold] stays \\x1b[2J as it is" in shown and "\x1b[2J" not in shown
    assert "500/1000" in shown and "D 1.250  G 0.750  D(real) +0.50  D(fake) -0.25  r1 0.0312" in shown
    assert "after 500 images: frechet-distance 12.35" in shown
    assert "\x1b[?25h" in shown  # the cursor is shown again


def test_the_display_goes_back_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with terminal_reporter() as reporter:
        reporter.started(0, 1000, "images")
        reporter.stepped(STEP)
        reporter.started(250, 1000, "images")
    assert "250/1000" in screen.getvalue().splitlines()[-3]


def test_the_display_ends_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with pytest.raises(SystemExit), terminal_reporter() as reporter:
        reporter.started(0, 1000, "images")
        raise SystemExit
    assert screen.getvalue().rstrip().endswith("\x1b[?25h")
