"""``ganzoo bench``: an oracle that is not there."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, listing


@pytest.mark.parametrize("name", ["nofile.pkl", "no/such/file.pkl", "./nofile", "nofile.safetensors"])
def test_a_file_of_an_oracle_that_is_not_there(run: Run, here: Path, name: str) -> None:
    told = run("bench", "text-oracle", "--model", "seqgan", "--oracle", name, "--out", "out")
    assert told.code == 1
    assert f"There is no file {name.removeprefix('./')}." in told.err and "data set" not in told.err
    assert not listing(here)


def test_a_data_set_that_is_not_there(run: Run, here: Path) -> None:
    told = run("bench", "text-oracle", "--model", "seqgan", "--oracle", "text-orakel", "--out", "out")
    assert told.code == 1
    assert "There is no data set named 'text-orakel'" in told.err and "Did you mean 'text-oracle'" in told.err
