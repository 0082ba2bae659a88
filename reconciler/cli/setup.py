"""``reconciler store init`` and ``reconciler store copy``."""

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from reconciler.cli.boundary import SignalInterrupts
from reconciler.cli.options import ExplainedCommand, choose_format, common_options
from reconciler.cli.output import answer, options, say
from reconciler.cli.run import settings_of_run
from reconciler.errors import ExitCode
from reconciler.secrets.keys import KEY_VARIABLE, NEW_KEY_VARIABLE
from reconciler.settings import Overrides
from reconciler.wiring.roots import locate_root
from reconciler.wiring.run import load_settings, open_state

if TYPE_CHECKING:
    from reconciler.core.ports.state import State

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
        ("reconciler store init", "make it, and print what makes its roles, such as for psql"),
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


@click.command(
    "copy",
    cls=ExplainedCommand,
    examples=(
        ("reconciler store copy sqlite:.reconciler/store.db postgresql://db.example.com/connectors", "move in"),
        ("reconciler store copy postgresql://db.example.com/connectors sqlite:copy.db", "and out again"),
    ),
)
@click.argument("source", metavar="FROM")
@click.argument("to", metavar="TO")
@common_options(store=False)
def copy(source: str, to: str) -> int:
    """Copy a whole store into one that is empty, in one transaction. FROM and TO are URLs, as in reconciler.yaml.

    Identities, records and owners, the history with its chain, what was deleted, access tokens, and secrets, which are
    opened with the key of FROM and sealed with that of TO: RECONCILER_NEW_STORE_KEY where it is set, else the key that
    a store at TO has or makes. Afterwards the plan is empty, and the history has the head that it had. FROM stays as
    it is; have nobody apply to it while it is copied, nor afterwards.

    Formats (-o): text, json.
    """
    from reconciler.render.setup import copied_json, copied_text
    from reconciler.services.setup import copy_store

    chosen = choose_format(FORMATS)
    keys = {KEY_VARIABLE: new} if (new := os.environ.get(NEW_KEY_VARIABLE)) else {}
    interrupts = click.get_current_context().find_object(SignalInterrupts) or SignalInterrupts()
    copied = copy_store(_state(source, os.environ), _state(to, {**os.environ, **keys}), interrupts)
    if chosen == "json":
        answer(copied_json(copied, source, to))
    elif not options().quiet:
        answer(copied_text(copied, source, to))
    if interrupts.noted:
        say("interrupted too late: the store was already copied")
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _state(url: str, environment: Mapping[str, str]) -> "State":
    """The state at a URL, with the password and the key file of the target that has it, if there is one."""
    said = options()
    given = Overrides(store=url, env_file=said.env_file, secrets_allowed=said.secrets_allowed, judged=True)
    return open_state(load_settings(locate_root(said.directory), given), environment)
