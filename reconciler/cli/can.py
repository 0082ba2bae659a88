"""``reconciler can``."""

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
    "can",
    cls=Command,
    examples=(
        ("reconciler can ada connectors:edit connector/crm-contacts", "one person, one record"),
        ("reconciler can ada connectors:edit --live", "by the policies in the store, on every connector"),
        ("reconciler can ada connectors:edit --at 2027-03-01", "when grants have ended by then"),
    ),
)
@click.argument("who", metavar="ACTOR")
@click.argument("permission")
@click.argument("address", required=False)
@asking_options
def command(who: str, permission: str, address: str | None, ref: str, live: bool, at: str | None) -> int:
    """May ACTOR do what PERMISSION says, such as connectors:edit, with ADDRESS, such as connector/crm-contacts?

    Judged by the definitions of the working tree. Without an ADDRESS: with anything of its kind, which takes a
    grant that is not narrowed. Exits with 0 for yes and 4 for no.

    Formats (-o): text, json.
    """
    chosen = choose_format(FORMATS)
    if not who.strip():
        raise click.BadParameter("name somebody", param_hint="ACTOR")
    question, where = put(permission, address, ref=ref, live=live, at=at)
    decision = question.about(who)
    if chosen == "json":
        from reconciler.render.questions import answers_json

        answer(answers_json(question, [(who, decision)], where))
    elif not options().quiet:
        from reconciler.render.questions import answer_text

        answer(answer_text(question, who, decision, where, color=wants_color(options().color, sys.stdout)))
    return ExitCode.OK if decision.allowed else ExitCode.NOT_PERMITTED
