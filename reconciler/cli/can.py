"""``reconciler can`` and ``reconciler who-can``."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import REVISION, ExplainedCommand, choose_format, common_options, key_of, time_of
from reconciler.cli.output import answer, options, wants_color
from reconciler.cli.run import load_desired, settings_of_run, warn_lost
from reconciler.errors import ExitCode, UsageError
from reconciler.source.positions import Lines
from reconciler.source.repository import Extent
from reconciler.wiring.run import locate_root, now, open_source, open_store

if TYPE_CHECKING:
    from reconciler.core.access import Where
    from reconciler.core.verdicts import Question


def asking_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--ref, --live and --at."""
    for decorate in (
        common_options(reads=True),
        click.option("--at", metavar="TIME", help="Judge the grants that expire as at this time, such as 2027-03-01T12:00:00Z."),
        click.option("--live", is_flag=True, help="Judge by the policies that are live in the store."),
        click.option("--ref", default="", type=REVISION, metavar="REV", help="Judge by the definitions of a commit, branch or tag."),
    ):  # fmt: skip
        function = decorate(function)
    return function


def put(
    permission: str, address: str | None, *, ref: str, live: bool, at: str | None
) -> "tuple[Question, Where | None]":
    """The question, and where the grants stand that answer it; live ones stand nowhere.

    Raises:
        InvalidDefinitions: the definitions are not valid.
        UsageError: it asks about what is not there.
    """
    from reconciler.services.questions import area_of, ask_definitions, ask_live

    if ref and live:
        raise UsageError("--ref and --live do not go together", hint="ask about one of them")
    key = key_of(address) if address else None
    area, moment = area_of(permission, key), time_of("--at", at) if at else now()
    if live:
        settings = settings_of_run()
        warn_lost(settings)
        store = open_store(settings, os.environ)
        return ask_live(store, permission, key, moment), None
    from reconciler.kinds.access import target_of
    from reconciler.services.gate import access_of

    everything = key is not None and area in ("connectors", "categories")
    folders = ("connectors", "policies") if everything else ("policies",)
    said = options()
    source = open_source(locate_root(said.directory), ref, Extent(folders=folders), cached=not said.no_cache)
    resources = load_desired(source).resources
    targets = {key: target_of(key, resources[key].content.value)} if key in resources and key else {}
    known = targets or {other: target_of(other, resource.content.value) for other, resource in resources.items() if key}
    question = ask_definitions(access_of(resources), known, permission, key, moment)
    return question, Lines(source.read, resources).of


FORMATS = ("text", "json")


@click.command(
    "can",
    cls=ExplainedCommand,
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
def can(who: str, permission: str, address: str | None, ref: str, live: bool, at: str | None) -> int:
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


@click.command(
    "who-can",
    cls=ExplainedCommand,
    examples=(("reconciler who-can connectors:edit connector/crm-contacts", "everybody who may edit one connector"),),
)
@click.argument("permission")
@click.argument("address", required=False)
@asking_options
def who_can(permission: str, address: str | None, ref: str, live: bool, at: str | None) -> int:
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
