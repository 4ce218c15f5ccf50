"""The command line: every command is a module of its own, imported only when it runs."""

import os
import sys
from typing import NoReturn

import click

import ganzoo
from ganzoo.cli.group import LazyGroup

COMMANDS = {
    "list": ("ganzoo.cli.list:command", "List the models of the catalogue."),
    "show": ("ganzoo.cli.show:command", "Show one model or architecture in full."),
    "download": ("ganzoo.cli.download:command", "Download and verify the weights of models."),
    "generate": ("ganzoo.cli.generate:command", "Generate samples and write them to files."),
    "convert": ("ganzoo.cli.convert:command", "Convert a checkpoint of another project to safetensors."),
    "export": ("ganzoo.cli.export:command", "Write weights under the keys of another program."),
    "dataset": ("ganzoo.cli.dataset:command", "Crop and resize pictures for training, and check them."),
    "train": ("ganzoo.cli.train:command", "Train an architecture on your own data."),
    "resume": ("ganzoo.cli.resume:command", "Go on with a training run that was interrupted."),
    "evaluate": ("ganzoo.cli.evaluate:command", "Measure the samples of models against real data."),
    "bench": ("ganzoo.cli.bench:command", "Run a benchmark of the literature, with the controls that it needs."),
    "plugins": ("ganzoo.cli.plugins:command", "List the installed plugins and their state."),
    "cache": ("ganzoo.cli.cache:command", "Show or empty ganzoo's own cache."),
    "doctor": ("ganzoo.cli.doctor:command", "Check this machine: versions, devices, cache, network, plugins."),
    "completion": ("ganzoo.cli.completion:command", "Print the completion script of a shell."),
}

EPILOG = """\b
Examples:
  ganzoo list --modality image
  ganzoo generate dcgan-mnist -n 64 --seed 0 -o grid.png
  ganzoo train dcgan --data ./photos --out runs/first

Plugins may bring more commands; `ganzoo plugins` lists them."""

FAILURE = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
)  # how torch says it; it has no class for all devices


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(ganzoo.__version__, prog_name="ganzoo")
def cli() -> None:
    """A model zoo for generative adversarial networks: load, generate, train, evaluate."""


def main() -> NoReturn:
    """Runs the command line and exits: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    A closed pipe and Ctrl-C are quiet. Only a defect of ganzoo gives a traceback.
    """
    import warnings

    if sys.stdout is None:  # closed by the shell, `>&-`
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # lives as long as the process
    warnings.showwarning = _show_warning
    # Else a storage server that is down means minutes of silence. The client reads it when it is first imported.
    os.environ.setdefault("HF_XET_CLIENT_RETRY_MAX_ATTEMPTS", "3")
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as e:
        e.show()
        code = e.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # the reader has gone: nothing more to say
        code = FAILURE
    except Exception as e:
        reason = _reason(e)
        if reason is None:
            raise
        if type(e) is OSError:  # standard output on a full disk, say
            _drop_output()
        _say(f"Error: {reason}")
        code = FAILURE
    sys.exit(code if isinstance(code, int) else 0)


def _reason(e: Exception) -> str | None:
    """What went wrong, for a person. None for a defect of ganzoo, whose traceback is wanted."""
    from ganzoo.errors import GanzooError  # not needed when nothing goes wrong

    if isinstance(e, GanzooError):
        return str(e)
    if isinstance(e, OSError) and e.strerror:
        return f"{e.filename}: {e.strerror}." if e.filename else f"{e.strerror}."
    if isinstance(e, MemoryError) or (isinstance(e, RuntimeError) and any(words in str(e) for words in NO_MEMORY)):
        return "There is not enough memory on this device for that. Try a smaller batch size, or another device."
    return None


def _drop_output() -> None:
    """What is still unwritten is given up, so that the interpreter does not stumble over it at exit."""
    import contextlib
    import io

    with contextlib.suppress(io.UnsupportedOperation):  # standard output is replaced by something without a descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: object = None, line: str | None = None
) -> None:
    from ganzoo.errors import CacheWarning, PluginWarning

    # Warnings of libraries are for developers, who ask for them with python -W.
    if issubclass(category, PluginWarning | CacheWarning) or sys.warnoptions:
        _say(f"Warning: {message}")


def _say(text: str) -> None:
    from ganzoo.cli.output import printable

    click.echo(printable(text), err=True)
