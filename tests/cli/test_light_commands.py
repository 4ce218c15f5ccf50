"""The commands that need no network library: list, show, plugins, help, completion; and how the process behaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from ganzoo.cli import COMMANDS, cli
from tests.support.cli import ganzoo
from tests.support.distributions import card, make_distribution

HEAVY = {"torch", "numpy", "transformers", "timm", "huggingface_hub", "safetensors", "PIL", "rich"}
COMMAND_PLUGIN = """
import click
from ganzoo.hookspecs import hookimpl

@click.command("greet")
def greet():
    click.echo("hello from a plugin")

@hookimpl
def ganzoo_commands():
    return [greet]
"""


@pytest.fixture
def env(site: Path) -> dict[str, str]:
    """An environment in which a plugin brings two models, and another plugin is broken and has a broken card."""
    two = card("zebra-one", extra='aliases = ["stripes"]') + card("zebra-two").replace('"image"', '"text"')
    make_distribution(site, "dist-acme", module="zoo_acme", plugin="acme", source=COMMAND_PLUGIN, cards={"a.toml": two})
    return {"PYTHONPATH": str(site)}


@pytest.fixture
def broken(site: Path, env: dict[str, str]) -> dict[str, str]:
    bad = card("zebra-bad").replace('modality = "image"', 'modality = "smell"')
    make_distribution(
        site, "dist-broken", module="zoo_broken", plugin="broken", source="raise RuntimeError('boom')", cards={"b.toml": bad}
    )
    return env


def test_list_is_a_table_for_people(env: dict[str, str]) -> None:
    done = ganzoo("list", "zebra*", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    header, first, second = done.stdout.splitlines()
    assert header.split() == ["NAME", "MODALITY", "ARCHITECTURE", "SIZE", "LICENCE", "SUMMARY"]
    assert first.split()[:5] == ["zebra-one", "image", "dcgan", "10", "B"]
    assert second.startswith("zebra-two")
    assert header.index("SUMMARY") == first.index("A model for tests") == second.index("A model for tests")


def test_list_filters_and_json(env: dict[str, str]) -> None:
    done = ganzoo("list", "--modality", "text", "--json", env=env)
    assert [c["name"] for c in json.loads(done.stdout) if c["name"].startswith("zebra")] == ["zebra-two"]
    assert ganzoo("list", "stripes", env=env).stdout.splitlines()[1].startswith("zebra-one")


def test_list_without_a_match_says_so_on_stderr(env: dict[str, str]) -> None:
    done = ganzoo("list", "nothing-like-this", env=env)
    assert (done.returncode, done.stdout) == (0, "")
    assert "No model matches" in done.stderr
    assert ganzoo("list", "nothing-like-this", "--json", env=env).stdout.strip() == "[]"


def test_show_a_model_an_alias_and_an_architecture(env: dict[str, str]) -> None:
    shown = ganzoo("show", "stripes", env=env).stdout
    assert "zebra-one" in shown
    assert "hf:someone/zebra-one@" + "0" * 40 in shown
    assert json.loads(ganzoo("show", "acme/zebra-one", "--json", env=env).stdout)["aliases"] == ["stripes"]
    assert "Radford" in ganzoo("show", "dcgan", env=env).stdout
    assert json.loads(ganzoo("show", "dcgan", "--json", env=env).stdout)["id"] == "dcgan"


def test_show_warns_of_what_must_not_be_sold(site: Path, env: dict[str, str]) -> None:
    text = card("zebra-nc").replace("commercial = true", "commercial = false")
    make_distribution(site, "dist-nc", module="zoo_nc", plugin="nc", cards={"a.toml": text})
    assert "NOT allowed" in ganzoo("show", "zebra-nc", env=env).stdout


def test_a_wrong_name_gets_the_closest(env: dict[str, str]) -> None:
    done = ganzoo("show", "zebra-oen", env=env)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no model or architecture named 'zebra-oen'.")
    assert "'zebra-one'" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["lst"],
        ["list", "--modalty", "x"],
        ["show"],
        ["generate", "dcgan-mnist"],
        ["completion", "tcsh"],
        ["--nope"],
        ["cache", "clear", "all"],
    ],
)
def test_wrong_usage_exits_with_2_and_a_word_of_advice(arguments: list[str]) -> None:
    done = ganzoo(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Error:" in done.stderr


def test_a_mistyped_command_gets_the_closest() -> None:
    assert "Did you mean 'list'?" in ganzoo("lst").stderr


@pytest.mark.parametrize("arguments", [["list"], ["show", "zebra-one"], ["plugins"]])
def test_a_broken_plugin_and_card_never_stop_a_command(broken: dict[str, str], arguments: list[str]) -> None:
    done = ganzoo(*arguments, env=broken)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "zebra-bad" in done.stderr or arguments == ["plugins"]


def test_plugins_shows_the_broken_one_and_what_the_others_bring(broken: dict[str, str]) -> None:
    states = {s["name"]: s for s in json.loads(ganzoo("plugins", "--json", env=broken).stdout)}
    assert states["broken"]["state"] == "broken"
    assert "RuntimeError: boom" in states["broken"]["error"]
    assert "architecture dcgan" in states["dcgan"]["brings"]
    assert states["acme"]["brings"] == ["command greet"]
    table = ganzoo("plugins", env=broken).stdout
    assert any(line.split()[:4] == ["broken", "dist-broken", "1.0", "broken"] for line in table.splitlines())


def test_plugins_that_are_switched_off_are_shown_as_such(broken: dict[str, str]) -> None:
    states = json.loads(ganzoo("plugins", "--json", env={**broken, "GANZOO_PLUGINS": "dcgan"}).stdout)
    assert {s["name"]: s["state"] for s in states}["broken"] == "switched off"


def test_asking_for_a_broken_card_by_name_fails_with_the_field(broken: dict[str, str]) -> None:
    done = ganzoo("show", "zebra-bad", env=broken)
    assert done.returncode == 1
    assert "$.modality" in done.stderr
    assert "b.toml" in done.stderr


def test_a_plugins_command_runs(env: dict[str, str]) -> None:
    assert ganzoo("greet", env=env).stdout == "hello from a plugin\n"
    assert ganzoo("greet", env={**env, "GANZOO_PLUGINS": ""}).returncode == 2


def test_help_of_every_command_has_an_example_and_agrees_with_the_short_help() -> None:
    context = click.Context(cli, info_name="ganzoo")
    for name, (_, summary) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.get_short_help_str(limit=200) == summary.rstrip(".").strip() or command.help.startswith(summary)
        assert "ganzoo " in (command.epilog or "")


def test_help_lists_every_command() -> None:
    for flag in ("--help", "-h"):
        done = ganzoo(flag)
        assert done.returncode == 0
        assert all(f"\n  {name} " in done.stdout for name in COMMANDS)
    assert "0." in ganzoo("--version").stdout


@pytest.mark.parametrize(
    "program",
    [
        "import ganzoo",
        "from ganzoo.cli import main; sys.argv = ['ganzoo', '--help']; main()",
        "from ganzoo.cli import main; sys.argv = ['ganzoo', 'list']; main()",
        "from ganzoo.cli import main; sys.argv = ['ganzoo', 'list', '--json']; main()",
        "from ganzoo.cli import main; sys.argv = ['ganzoo', 'show', 'zebra-one']; main()",
        "from ganzoo.cli import main; sys.argv = ['ganzoo', 'show', 'dcgan']; main()",
        "from ganzoo.cli import main; os.environ['_GANZOO_COMPLETE'] = 'bash_complete'; "
        "os.environ.update(COMP_WORDS='ganzoo show zebra', COMP_CWORD='2'); main()",
    ],
    ids=["import", "help", "list", "list-json", "show-model", "show-architecture", "completion"],
)
def test_nothing_heavy_is_imported(env: dict[str, str], program: str) -> None:
    code = (
        "import sys, os, atexit, json\n"
        "atexit.register(lambda: print('MODULES', json.dumps(sorted(sys.modules)), file=sys.stderr))\n" + program
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=60
    )
    modules = set(json.loads(done.stderr.rpartition("MODULES ")[2]))
    assert "ganzoo" in modules
    assert not modules & HEAVY


def test_import_ganzoo_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import ganzoo; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['ganzoo']"


@pytest.mark.parametrize(
    ("shell", "token"), [("bash", "complete -o nosort"), ("zsh", "#compdef ganzoo"), ("fish", "complete --no-files")]
)
def test_completion_scripts(shell: str, token: str) -> None:
    done = ganzoo("completion", shell)
    assert done.returncode == 0
    assert token in done.stdout
    assert "_GANZOO_COMPLETE" in done.stdout


def test_names_are_completed(env: dict[str, str]) -> None:
    completing = {**env, "_GANZOO_COMPLETE": "zsh_complete", "COMP_WORDS": "ganzoo show zebra", "COMP_CWORD": "2"}
    code = "import sys; sys.argv = ['ganzoo']; from ganzoo.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **completing}, capture_output=True, text=True, check=False
    )
    assert "zebra-one" in done.stdout
    assert "zebra-two" in done.stdout


def test_a_closed_pipe_is_quiet(site: Path, env: dict[str, str]) -> None:
    many = "".join(card(f"zebra-{i:05}") for i in range(1500))  # more than a pipe holds
    make_distribution(site, "dist-many", module="zoo_many", plugin="many", cards={"a.toml": many})
    # Unbuffered, Python gives up the rest of a write that was cut short without an error, and nobody learns of the closed pipe.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ganzoo", "list", "--json"],
        env={**buffered, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


def test_ctrl_c_is_quiet(site: Path) -> None:
    make_distribution(
        site,
        "dist-slow",
        module="zoo_slow",
        plugin="slow",
        source="""
        import click, sys, time
        from ganzoo.hookspecs import hookimpl

        @click.command("dawdle")
        def dawdle():
            print("started", flush=True)
            time.sleep(60)

        @hookimpl
        def ganzoo_commands():
            return [dawdle]
        """,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "ganzoo", "dawdle"],
        env={**os.environ, "PYTHONPATH": str(site)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err.strip()) == (130, b"")  # click ends the line that shows ^C
