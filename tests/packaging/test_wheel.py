"""The wheel that people install: complete, and working from another folder."""

import importlib.metadata
import json
import tomllib
import zipfile
from pathlib import Path

from tests.support.environment import ROOT, Scratch

# Cards, recipes, corpora and their notices.
DATA = {("registry", ".toml"), ("plugins", ".toml"), ("plugins", ".gz"), ("plugins", ".txt")}


def test_the_wheel_holds_everything_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name.startswith("ganzoo_hub-")
    for folder, prefix in (("ganzoo", "ganzoo"), ("registry", "ganzoo/_registry"), ("plugins", "")):
        for file in (ROOT / folder).rglob("*"):
            if not file.is_file() or "__pycache__" in file.parts or file.suffix == ".pyc":
                continue
            inside = f"{prefix}/{file.relative_to(ROOT / folder).as_posix()}".lstrip("/")
            expected = file.suffix in {".py", ".typed", ".safetensors"} or (folder, file.suffix) in DATA
            assert (inside in names) == expected, inside
    packages = {name.split("/")[0] for name in names}
    families = {p.name for p in (ROOT / "plugins").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert {p for p in packages if not p.endswith(".dist-info")} == {"ganzoo", *families}
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_entry_points_agree_everywhere(wheel: Path) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["ganzoo"]
    families = {p.name for p in (ROOT / "plugins").iterdir() if (p / "__init__.py").is_file()}
    installed = {e.name: e.value for e in importlib.metadata.distribution("ganzoo-hub").entry_points if e.group == "ganzoo"}
    assert set(declared.values()) == families
    assert installed == declared, "the installed entry points are stale: install the checkout again"


def test_the_installed_package_generates_from_another_folder(scratch: Scratch, tmp_path: Path) -> None:
    where = scratch.run("-c", "import ganzoo, ganzoo_dcgan; print(ganzoo.__file__, ganzoo_dcgan.__file__)", cwd=tmp_path)
    assert where.stdout.count(str(scratch.site)) == 2, where.stdout + where.stderr
    listed = scratch.run("-m", "ganzoo", "list", "--json", cwd=tmp_path)
    assert "dcgan-mnist" in [c["name"] for c in json.loads(listed.stdout)]
    made = scratch.run("-m", "ganzoo", "generate", "dcgan-mnist", "-n", "4", "--seed", "0", "-o", "grid.png", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")
