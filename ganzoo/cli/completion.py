"""``ganzoo completion``: the script that a shell sources."""

import click
from click.shell_completion import get_completion_class

HOWTO = {
    "bash": 'eval "$(ganzoo completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(ganzoo completion zsh)"   in ~/.zshrc',
    "fish": "ganzoo completion fish > ~/.config/fish/completions/ganzoo.fish",
}


@click.command("completion", epilog="\b\nSwitch it on:\n" + "\n".join(f"  {how}" for how in HOWTO.values()))
@click.argument("shell", type=click.Choice(list(HOWTO)))
def command(shell: str) -> None:
    """Print the completion script of a shell."""
    from ganzoo.cli import cli

    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"click does not know the shell '{shell}'.")
    # click asks a bash for its version first and prints a notice if there is none; the script itself needs no bash.
    template = complete(cli, {}, "ganzoo", "_GANZOO_COMPLETE")
    click.echo(template.source_template % template.source_vars())
