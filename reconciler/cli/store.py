"""``reconciler store``."""

import re
import sys

import click

from reconciler.cli.backing_up import backup
from reconciler.cli.history import settings_of_run
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.purging import purge
from reconciler.cli.rotating import rotate_key
from reconciler.cli.said import options
from reconciler.errors import ExitCode, UsageError
from reconciler.wiring.history import audit_store

FORMATS = ("text", "json")


@click.group("store")
def command() -> None:
    """Take care of the live store."""


command.add_command(rotate_key)
command.add_command(backup)
command.add_command(purge)


@command.command("check")
@click.option(
    "--head", metavar="HASH", help="A head of the history that was noted elsewhere; it must be in the history still."
)
@common_options()
def check(head: str | None) -> int:
    """Look the store over: the file, bodies, references, and the chain of its history. Exits with 10 when something is broken.

    Whoever may write to the file can write the whole history anew, and the chain fits again. Note the head that
    `apply -o json` and `apply -v` report where they cannot write, such as in the pipeline's log, and compare it
    with --head: a head is in the history for ever.

    Formats (-o): text, json.
    """  # fmt: skip
    chosen = choose_format(FORMATS)
    audit = audit_store(settings_of_run(), _hash(head) if head is not None else "")
    if chosen == "json":
        from reconciler.render.history_json import audit_json

        answer(audit_json(audit))
    elif audit.faults or not options().quiet:
        from reconciler.render.audit import audit_text

        answer(audit_text(audit, color=wants_color(options().color, sys.stdout)))
    return ExitCode.WORLD if audit.faults else ExitCode.OK


def _hash(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise UsageError("--head takes a hash of 64 hexadecimal digits", hint="apply -o json reports it as run.head")
    return text.lower()
