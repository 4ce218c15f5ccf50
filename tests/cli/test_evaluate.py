"""``ganzoo evaluate``."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_evaluate(run: Run, here: Path, model: Path, photos: Path) -> None:
    options = ["--data", photos, "--features", "digits", "--samples", "50", "--device", "cpu"]
    told = run("evaluate", model, *options)
    assert told.code == 0, told.err
    header, *lines = told.out.splitlines()
    assert header.split()[:2] == ["MEASURED", "SAMPLES"]
    assert lines[0].split()[:2] == ["model", "50"]
    report = json.loads(run("evaluate", model, *options, "--no-controls", "--json").out)
    assert "model" in json.dumps(report)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--features", "digit"], 1, "There is no feature space named 'digit'.\nDid you mean 'digits'"),
        (["--samples", "1"], 2, "is not in the range"),
        (["--data", "nowhere"], 1, "There is no data set named 'nowhere'"),
        (["--held-out", "./nowhere"], 1, "There is no folder nowhere"),
        (["--device", "gpu"], 1, "The device 'gpu'"),
    ],
)
def test_evaluate_with_wrong_arguments(
    run: Run, model: Path, photos: Path, arguments: list[str], code: int, words: str
) -> None:
    told = run("evaluate", model, "--data", photos, "--features", "digits", "--samples", "8", *arguments)
    assert told.code == code
    assert words in told.err
