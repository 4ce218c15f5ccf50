from pathlib import Path

import pytest

from ganzoo.errors import MissingExtraError, PluginError
from ganzoo.naming import NameTable
from ganzoo.targets import import_target


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the search path for the modules of a test; they are called zoo_…"""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_object_is_returned() -> None:
    assert import_target("ganzoo.naming:NameTable", "The part 'x'") is NameTable


@pytest.mark.parametrize("extra", [None, "faces"])
def test_what_is_missing_is_named(extra: str | None) -> None:
    with pytest.raises(PluginError, match="The part 'x' names 'no_such_module_here:Thing', which cannot be imported"):
        import_target("no_such_module_here:Thing", "The part 'x'", extra)
    with pytest.raises(PluginError, match="ganzoo.naming has no 'Nothing'"):
        import_target("ganzoo.naming:Nothing", "The part 'x'", extra)


def test_a_package_of_the_extra_gives_the_exact_pip_command(modules: Path) -> None:
    (modules / "zoo_needs.py").write_text("from package_that_an_extra_brings import thing")
    with pytest.raises(MissingExtraError) as caught:
        import_target("zoo_needs:Thing", "The part 'x'", "faces")
    assert caught.value.hint is not None
    assert caught.value.hint.endswith('pip install "ganzoo-hub[faces]"')
    with pytest.raises(PluginError, match="package_that_an_extra_brings"):  # nobody said that an extra brings it
        import_target("zoo_needs:Thing", "The part 'x'")


def test_a_module_of_the_plugins_own_that_is_missing_is_no_extra(modules: Path) -> None:
    (modules / "zoo_needs2.py").write_text("import zoo_needs2.inner")
    with pytest.raises(PluginError, match="zoo_needs2"):
        import_target("zoo_needs2:Thing", "The part 'x'", "faces")


@pytest.mark.parametrize(
    ("number", "source", "reason"),
    [(1, "1 / 0", "ZeroDivisionError"), (2, "def (", "SyntaxError"), (3, "import sys; sys.exit(3)", "SystemExit: 3")],
)
def test_whatever_goes_wrong_in_the_module_is_the_plugins_error(modules: Path, number: int, source: str, reason: str) -> None:
    (modules / f"zoo_wrong{number}.py").write_text(source)
    with pytest.raises(PluginError, match=reason):
        import_target(f"zoo_wrong{number}:Thing", "The part 'x'")
