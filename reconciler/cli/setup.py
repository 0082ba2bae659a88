"""``reconciler store init``."""

import os
import re

import click

from reconciler.cli.options import ExplainedCommand, choose_format, common_options
from reconciler.cli.output import answer, options, say
from reconciler.cli.run import settings_of_run
from reconciler.wiring.run import open_state

FORMATS = ("text", "json")
_PREFIX = "reconciler"


def _prefix(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[a-z_][a-z0-9_]{0,39}", value):
        raise click.BadParameter("begin the names of roles with lower-case letters, digits and _, at most 40")
    return value


@click.command(
    "init",
    cls=ExplainedCommand,
    examples=(
        ("reconciler store init", "make it, and print what makes its roles"),
        (
            "reconciler store init | psql postgresql://admin@db.example.com/connectors",
            "let somebody else make the roles",
        ),
        ("reconciler store init --roles", "make the roles too, as somebody who may"),
    ),
)
@click.option(
    "--roles",
    "prefix",
    is_flag=False,
    flag_value=_PREFIX,
    callback=_prefix,
    metavar="[PREFIX]",
    help=f"Make the roles of the server too; their names begin with PREFIX, by default {_PREFIX}.",
)
@common_options()
def init(prefix: str | None) -> None:
    """Make the live store before anything is applied to it, as somebody who may. Where it is there, nothing happens.

    Most stores need no such thing: the first apply makes them. On a server whoever applies should not own the tables.
    There it prints the statements of SQL that make four roles, or makes them with --roles: an owner, which changes the
    schema and nobody logs in as; a writer for apply; a reader for plan and drift, which sees no sealed secret; and one
    for applications, which sees the views alone. They get no password and no login: grant them to those who connect.

    Formats (-o): text, json.
    """
    from reconciler.render.setup import made_json, statements_text
    from reconciler.services.setup import make_store

    chosen = choose_format(FORMATS)
    settings = settings_of_run(judged=True)
    made = make_store(open_state(settings, os.environ), prefix or _PREFIX, roles=prefix is not None)
    if chosen == "json":
        answer(made_json(made, settings.target))
        return
    if not options().quiet:
        say(f"made the store of {settings.target}" if made.new else f"the store of {settings.target} is there already")
        if made.roles:
            say("made its roles, where they were missing: grant them to those who connect")
    answer(statements_text(made))
