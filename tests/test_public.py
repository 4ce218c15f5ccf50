"""What packages offer lazily is what type checkers see, and all of it can be had."""

import ast
import importlib
from pathlib import Path

import pytest

PACKAGES = ["ganzoo", "ganzoo.checkpoint", "ganzoo.metrics"]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_lazy_names_are_the_static_ones(package: str) -> None:
    module = importlib.import_module(package)
    tree = ast.parse(Path(module.__file__ or "").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    static = {alias.asname: node.module for node in imports for alias in node.names if alias.asname is not None}
    full = {n: m if m.startswith("ganzoo") else f"{package}.{m}" for n, m in module._PUBLIC.items()}
    assert static == full


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_can_be_had(package: str) -> None:
    module = importlib.import_module(package)
    assert set(module._PUBLIC) <= set(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
