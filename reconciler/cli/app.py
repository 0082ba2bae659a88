"""The top of the command line: global options, commands by name, and shell completion."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from reconciler.cli.boundary import SignalInterrupts, code_with_answer, told
from reconciler.cli.options import ExplainedCommand, common_options, write_options
from reconciler.cli.output import answer, forget
from reconciler.cli.streams import bordered
from reconciler.errors import UsageError
from reconciler.harmless import own
from reconciler.version import __version__

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Write and check": {
        "init": ("files", "Make a new configuration repository."),
        "validate": ("validate", "Check all definitions, offline."),
        "fmt": ("files", "Bring definitions to their canonical form; comments stay."),
        "import": ("imports", "Make definitions from OpenAPI, Postman, HAR, curl or ProcessMaker."),
        "explain": ("explain", "Explain a key, a diagnostic code or the exit codes."),
        "schema": ("explain", "Print a published JSON Schema."),
    },
    "Review a change": {
        "plan": ("plan", "Show what would change in the live store."),
        "authorize": ("access", "Judge a change by the policies at its base."),
        "access-diff": ("access", "Show what access a change gives and takes."),
        "can": ("access", "Tell whether somebody may do something, and why."),
        "who-can": ("access", "List everybody who may do something, and why."),
    },
    "Bring it live, and back": {
        "apply": ("apply", "Take the live store to what git declares."),
        "drift": ("drift", "Show what changed in the live store without a commit."),
        "adopt": ("drift", "Write drift back into the definitions; comments stay."),
        "rollback": ("undo", "Go back to what the records were after a run."),
        "restore": ("undo", "Bring deleted records back."),
    },
    "Look at what is live": {
        "get": ("get", "View, list and search live records."),
        "history": ("history", "Show who changed what, when, from which commit."),
        "export": ("export", "Write live records as definitions that plan empty."),
        "call": ("call", "Call an endpoint of a live connector."),
    },
    "Take care": {
        "token": ("token", "See, fetch and renew access tokens."),
        "store": ("store", "Check, back up, purge and re-key the live store."),
        "lock": ("lock", "See and release the lease of the run that writes."),
        "completion": ("app", "Print shell completion."),
    },
}
"""What one wants to do, and the commands for it."""

COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}
"""Command to (module, summary): the group's help needs no command's module."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        name = "import_" if cmd_name == "import" else cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"reconciler.cli.{found[0]}"), name)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write names and summaries without importing the commands, then the options."""
        widest = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{widest}}", summary) for name, (_, summary) in commands.items()])
        write_options(self.get_params(ctx), ctx, formatter)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command, or tell what may be meant by it."""
        name, *rest = args or [""]
        if name == "help":
            if not rest:
                answer(ctx.get_help() + "\n")
                ctx.exit()
            return self.resolve_command(ctx, [*rest, "--help"])
        if name == "version":
            answer(f"reconciler {__version__}\n")
            ctx.exit()
        if name and not name.startswith("-") and name not in COMMANDS:
            raise _unknown(name)
        return super().resolve_command(ctx, args)


def _unknown(name: str) -> UsageError:
    from reconciler.cli.synonyms import meant_by

    lines, hint = meant_by(name, [*COMMANDS])
    if len(lines) == 1:
        return UsageError(f"there is no command '{name}'; did you mean '{lines[0]}'?", hint="see: reconciler --help")
    said = tuple(f"reconciler {line:{max(map(len, lines))}}  {_summary(line)}".rstrip() for line in lines)
    known = "; did you mean one of these?" if lines else ""
    return UsageError(f"there is no command '{name}'{known}", hint=hint or "see: reconciler --help", details=said)


def _summary(line: str) -> str:
    """What a command is for, if it is all of the line."""
    return COMMANDS[line][1] if line in COMMANDS else ""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s", prog_name="reconciler")
@common_options(environment=True)
def cli() -> None:
    """GitOps for data connectors: definitions in git, validated, planned and applied to a live store.

    Every option also reads RECONCILER_<NAME> from the environment, and may stand before or after the command.
    `reconciler COMMAND --help` has examples.
    """


def run(arguments: Sequence[str], interrupts: SignalInterrupts | None = None) -> int:
    """Run one command line; returns the exit code. What fails is told, here and nowhere else.

    Args:
        interrupts: what has caught the signals.
    """
    forget()
    with bordered() as stdout:
        try:
            code = int(cli.main(list(arguments), prog_name="reconciler", standalone_mode=False, obj=interrupts) or 0)
        except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001 (the one place where a bug becomes a message)
            code = told(failure)
        stdout.flush()
        return code_with_answer(code, stdout)


@click.command(
    "completion",
    cls=ExplainedCommand,
    examples=(
        (
            "reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler",
            "for bash, from the next shell on",
        ),
        ("reconciler completion fish > ~/.config/fish/completions/reconciler.fish", "for fish"),
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options(store=False, formats=False)
def completion(shell: str) -> int:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    answer(own(found(cli, {}, "reconciler", "_RECONCILER_COMPLETE").source()) + "\n")
    return 0
