"""What `--help` says: examples, and the options that commands share in a section of their own.

cloup and rich-click do more and are loaded with every command; this is all that is used of them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import click

Examples = Sequence[tuple[str, str]]
"""Command lines, each with what it is for."""


class CommonOption(click.Option):
    """An option that commands share."""


class Command(click.Command):
    """A command with examples.

    Attributes:
        examples: shown below what it does.
    """

    def __init__(self, *arguments: Any, examples: Examples = (), **settings: Any) -> None:
        """As click's, with examples."""
        super().__init__(*arguments, **settings)
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, the command's own options, then those that commands share."""
        if self.examples:
            with formatter.section("Examples"):
                indent = " " * formatter.current_indent
                for line, purpose in self.examples:
                    formatter.write(f"{indent}# {purpose}\n{indent}{line}\n")
        write_options(self.get_params(ctx), ctx, formatter)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


def write_options(parameters: Iterable[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write options, each sort in a section."""
    own: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None:
            (common if isinstance(parameter, CommonOption) or "--help" in parameter.opts else own).append(record)
    for title, records in (("Options", own), ("Common options", common)):
        if records:
            with formatter.section(title):
                formatter.write_dl(records)
