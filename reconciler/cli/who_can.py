"""``reconciler who-can``."""

import sys

import click

from reconciler.cli.asking import asking_options, put
from reconciler.cli.help import Command
from reconciler.cli.options import choose_format
from reconciler.cli.output import answer, wants_color
from reconciler.cli.said import options
from reconciler.errors import ExitCode

FORMATS = ("text", "json")


@click.command(
    "who-can",
    cls=Command,
    examples=(("reconciler who-can connectors:edit connector/crm-contacts", "everybody who may edit one connector"),),
)
@click.argument("permission")
@click.argument("address", required=False)
@asking_options
def command(permission: str, address: str | None, ref: str, live: bool, at: str | None) -> int:
    """List everybody who may do what PERMISSION says, such as connectors:edit, with ADDRESS, and why.

    Judged by the definitions of the working tree. Without an ADDRESS: with anything of its kind, which takes a
    grant that is not narrowed.

    Formats (-o): text, json.
    """
    chosen = choose_format(FORMATS)
    question, where = put(permission, address, ref=ref, live=live, at=at)
    found = list(question.everybody())
    if chosen == "json":
        from reconciler.render.questions import answers_json

        answer(answers_json(question, found, where))
    else:
        from reconciler.render.questions import answers_text

        answer(answers_text(question, found, where, color=wants_color(options().color, sys.stdout)))
    return ExitCode.OK
