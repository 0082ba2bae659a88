"""The options that every command understands, before and after the command's name."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.cli.help import CommonOption
from reconciler.cli.output import answer_in_utf8
from reconciler.cli.said import note, options

Command = TypeVar("Command", bound=Callable[..., Any])


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and value is not False and parameter.name:
        note(parameter.name, value)


_SPECIFICATIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "directory": (("-C", "--directory", "directory"), {"metavar": "DIR", "help": "The configuration repository; else the nearest one above."}),
    "target": (("--target",), {"metavar": "NAME", "help": "Target of reconciler.yaml."}),
    "store": (("--store",), {"metavar": "URL", "help": "Live store, instead of the target's, e.g. sqlite:PATH."}),
    "env_file": (("--env-file",), {"metavar": "FILE", "help": "NAME=value lines for {env: NAME} secrets that the environment lacks."}),
    "secrets_allowed": (("--secrets-allowed",), {"metavar": "LIST", "help": "What secret references may lead to, such as 'env:CRM_* file:/run/secrets/*'; narrows reconciler.yaml's secretsAllowed."}),
    "actor": (("--as", "actor"), {"metavar": "ACTOR", "help": "Who acts; else the pipeline's actor."}),
    "output": (("-o", "--output"), {"metavar": "FORMAT", "help": "Output format."}),
    "color": (("--color",), {"type": click.Choice(["auto", "always", "never"]), "help": "Colour; auto colours terminals and minds NO_COLOR."}),
    "quiet": (("-q", "--quiet"), {"is_flag": True, "help": "Say only what is wrong."}),
    "verbose": (("-v", "--verbose"), {"is_flag": True, "help": "Say what is done, on stderr."}),
    "no_input": (("--no-input",), {"is_flag": True, "help": "Never ask."}),
    "no_cache": (("--no-cache",), {"is_flag": True, "help": "Read all files anew, and keep nothing of it."}),
}  # fmt: skip
_STORE_ONLY = ("target", "store", "env_file", "secrets_allowed", "actor", "no_input")
_READERS_ONLY = ("no_cache",)
_FOR_PEOPLE = ("text", "table")
"""Output formats that are in the encoding of the terminal."""
_VARIABLES = {"actor": "RECONCILER_AS", "directory": "RECONCILER_DIRECTORY"}


def common_options(
    *, environment: bool = False, store: bool = True, reads: bool = False
) -> Callable[[Command], Command]:
    """Add the common options to a command.

    Args:
        environment: whether they read RECONCILER_<NAME> too; true for the group alone, so that an option
            before the command wins over the environment.
        store: whether the command has to do with a store.
        reads: whether the command reads all definitions.
    """

    def decorate(function: Command) -> Command:
        for name, (declarations, settings) in reversed(_SPECIFICATIONS.items()):
            if (not store and name in _STORE_ONLY) or (not (reads or environment) and name in _READERS_ONLY):
                continue
            variable = _VARIABLES.get(name, f"RECONCILER_{name.upper()}") if environment else None
            function = click.option(
                *declarations,
                cls=CommonOption,
                **settings,
                expose_value=False,
                callback=_keep,
                envvar=variable,
                default=None,
            )(function)
        return function

    return decorate


def choose_format(known: tuple[str, ...], default: str = "text") -> str:
    """The output format, which must be one of `known`.

    Raises:
        click.BadParameter: it is not.
    """
    wanted = options().output or default
    if wanted not in known:
        raise click.BadParameter(f"'{wanted}' is not one of {', '.join(known)}", param_hint="'-o' / '--output'")
    if wanted not in _FOR_PEOPLE:
        answer_in_utf8()
    return wanted
