import io
import sys
from pathlib import Path

import pytest

from ganzoo.training import PlainLines, Progress, terminal_reporter, train
from tests.training.toy import EVERY, NETWORKS, TOY, toy_data

STEP = Progress(images=500, d_loss=1.25, g_loss=0.75, d_real=0.5, d_fake=-0.25)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_there_is_one_line_per_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal_reporter() as reporter:
        assert isinstance(reporter, PlainLines)
        train(TOY, NETWORKS, toy_data(), tmp_path / "run", intervals=EVERY, plugin="toy", reporter=reporter)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" ")[0] for line in err.splitlines()] == [f"{i}/48" for i in range(8, 49, 8)]


def test_a_line_says_losses_speed_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = PlainLines()
    reporter.started(0, 10_500)
    reporter.stepped(STEP)
    reporter.logged(STEP, 100.0)
    assert capsys.readouterr().err == (
        "500/10500 images  D 1.250  G 0.750  D(real) +0.50  D(fake) -0.25  100 images/s  1:40 left\n"
    )


def test_hours_are_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = PlainLines()
    reporter.started(0, 500 + 7265)
    reporter.logged(STEP, 1.0)
    assert "2:01:05 left" in capsys.readouterr().err


def test_a_terminal_gets_a_bar_and_notes_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with terminal_reporter() as reporter:
        reporter.started(0, 1000)
        reporter.note("[bold] stays as it is")
        reporter.stepped(STEP)
        reporter.logged(STEP, 123.0)
    shown = screen.getvalue()
    assert "[bold] stays as it is" in shown
    assert "500/1000" in shown and "123/s" in shown and "D 1.250" in shown
