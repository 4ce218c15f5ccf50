"""Folders for the files of these tests."""

from pathlib import Path

import pytest


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name has none of the words that a test looks for in an error (pytest's own has the test's name)."""
    return tmp_path_factory.mktemp("x")
