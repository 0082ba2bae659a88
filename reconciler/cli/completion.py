"""``reconciler completion``."""

import click

from reconciler.cli.help import Command
from reconciler.cli.options import common_options
from reconciler.cli.output import answer
from reconciler.harmless import own


@click.command(
    "completion",
    cls=Command,
    examples=(
        (
            "reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler",
            "for bash, from the next shell on",
        ),
        ("reconciler completion fish > ~/.config/fish/completions/reconciler.fish", "for fish"),
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options(store=False)
def command(shell: str) -> int:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from reconciler.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None
    answer(own(found(cli, {}, "reconciler", "_RECONCILER_COMPLETE").source()) + "\n")
    return 0
