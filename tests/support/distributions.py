"""Installed plugin distributions, as pip lays them out, made in a folder of the test."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

CARD = """
[model.{name}]
summary = "A model for tests"
architecture = "{architecture}"
plugin = "{plugin}"
modality = "image"
task = "unconditional-generation"
tags = ["small"]
licence = {{weights = "Apache-2.0", code = "MIT", commercial = true}}
output = {{shape = [1, 8, 8], range = [-1.0, 1.0]}}
source = {{kind = "hf", repository = "someone/{name}", revision = "{revision}"}}
files = [{{role = "generator", path = "generator.safetensors", sha256 = "{sha256}", size = 10}}]
{extra}
"""


def card(name: str, *, architecture: str = "dcgan", plugin: str = "dcgan", extra: str = "") -> str:
    """A valid card; ``extra`` is appended to the model's table."""
    return CARD.format(name=name, architecture=architecture, plugin=plugin, extra=extra, revision="0" * 40, sha256="0" * 64)


def make_distribution(
    root: Path,
    name: str,
    *,
    module: str,
    source: str = "",
    cards: Mapping[str, str] | None = None,
    entry_points: str | None = None,
    plugin: str | None = None,
) -> Path:
    """A distribution with one package ``module`` and an entry point for it. Returns the package's folder."""
    package = root / module
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(dedent(source))
    if cards is not None:
        (package / "cards").mkdir(exist_ok=True)
        for file, text in cards.items():
            (package / "cards" / file).write_text(text)
    info = root / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points or f"[ganzoo]\n{plugin or name} = {module}\n")
    return package
