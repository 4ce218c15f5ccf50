from pathlib import Path

import pytest

from tests.support.environment import ROOT, Scratch, build_wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Scratch:
    """An environment with that wheel and a third party's plugin, both really built and installed."""
    environment = Scratch(tmp_path_factory.mktemp("scratch") / "venv")
    plugin = build_wheel(ROOT / "tests" / "external" / "acme_plugin", tmp_path_factory.mktemp("plugin"))
    environment.install(str(wheel), str(plugin))
    return environment
