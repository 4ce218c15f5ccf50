"""CPU seconds of whole processes: what a person pays before ganzoo does anything.

    python benchmarks/startup.py

Prints, as ratios of user + system time against a baseline of the same run (fastest of ``--repeats`` alternating rounds):

- ``import ganzoo`` against ``python -c pass``;
- ``ganzoo --help`` and ``ganzoo list`` (200 cards) against ``python -c "import click"``;
- ``ganzoo list`` with 100 more plugin distributions of 10 cards each, in milliseconds a card, with and without its cache.

Everything synthetic is made in a temporary folder and put on ``PYTHONPATH``.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CARD = """
[model.{name}]
summary = "A synthetic model for timing"
architecture = "dcgan"
plugin = "dcgan"
modality = "image"
task = "unconditional-generation"
tags = ["synthetic", "benchmark"]
licence = {{weights = "Apache-2.0", code = "Apache-2.0", commercial = true}}
output = {{shape = [3, 64, 64], range = [-1.0, 1.0]}}
latent = {{shape = [100]}}
config = {{generator = {{image_size = 64, channels = 3, width = 64}}}}
source = {{kind = "hf", repository = "someone/{name}", revision = "{revision}"}}
files = [{{role = "generator", path = "generator.safetensors", sha256 = "{sha256}", size = 14000000}}]
dataset = {{name = "Synthetic", samples = 1000}}
training = {{by = "benchmark", images = 1000000, seed = 0}}
metrics = [{{figures = {{frechet-distance = 1.5, recall = 0.5}}, protocol = "synthetic", samples = 50000, source = "measured"}}]
paper = {{title = "A paper", authors = "An author", year = 2016}}
"""


def cards(prefix: str, count: int) -> str:
    return "".join(CARD.format(name=f"{prefix}-{i}", revision="0" * 40, sha256=f"{i:064x}") for i in range(count))


def distribution(root: Path, name: str, card_files: dict[str, str]) -> None:
    """An installed plugin distribution as pip would lay it out."""
    package = root / name.replace("-", "_")
    (package / "cards").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for file, text in card_files.items():
        (package / "cards" / file).write_text(text)
    info = root / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ganzoo]\n{name} = {name.replace('-', '_')}\n")


def cpu_seconds(command: list[str], env: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fastest(commands: dict[str, tuple[list[str], dict[str, str]]], repeats: int) -> dict[str, float]:
    """The least CPU time of each command; rounds alternate, so that a busy moment hits all of them."""
    rounds = [{name: cpu_seconds(*command) for name, command in commands.items()} for _ in range(repeats)]
    return {name: min(r[name] for r in rounds) for name in commands}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    script = str(Path(sys.executable).with_name("ganzoo"))
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        few, many = root / "few", root / "many"
        for folder in (few, many):
            distribution(folder, "timing-base", {f"family{i}.toml": cards(f"base{i}", 20) for i in range(10)})
        for i in range(100):
            distribution(many, f"timing-{i:03}", {"cards.toml": cards(f"plugin{i:03}", 10)})
        env = {**os.environ, "GANZOO_HOME": str(root / "home"), "PYTHONPATH": str(few)}
        env_many = {**env, "PYTHONPATH": str(many)}
        time.sleep(2.5)  # a cache does not trust folders that changed within two seconds of being read
        for each in (env, env_many):
            subprocess.run([script, "list"], env=each, check=True, stdout=subprocess.DEVNULL)
        listed = subprocess.run([script, "list"], env=env_many, check=True, capture_output=True, text=True).stdout
        python = sys.executable
        uncached = {"GANZOO_HOME": "/dev/null/none"}
        times = fastest(
            {
                "pass": ([python, "-c", "pass"], env),
                "import ganzoo": ([python, "-c", "import ganzoo"], env),
                "import click": ([python, "-c", "import click"], env),
                "--help": ([script, "--help"], env),
                "list": ([script, "list"], env),
                "list many": ([script, "list"], env_many),
                "list cold": ([script, "list"], {**env, **uncached}),
                "list many cold": ([script, "list"], {**env_many, **uncached}),
            },
            repeats,
        )
    for name, seconds in times.items():
        print(f"{name:16} {seconds * 1000:8.1f} ms CPU")
    print(f"import ganzoo / python -c pass             {times['import ganzoo'] / times['pass']:.2f}  (at most 1.2)")
    print(f"ganzoo --help / import click               {times['--help'] / times['import click']:.2f}  (at most 1.3)")
    print(f"ganzoo list, 200 cards / import click      {times['list'] / times['import click']:.2f}  (at most 2.0)")
    for label, a, b in (("cached", "list many", "list"), ("cold", "list many cold", "list cold")):
        print(f"each of 1,000 cards of 100 plugins, {label:6} {(times[a] - times[b]) * 1000 / 1000:.3f} ms  (at most 1)")
    if listed.count("\n") < 1200:
        raise SystemExit("The synthetic cards were not all listed, so these times mean nothing.")


if __name__ == "__main__":
    main()
