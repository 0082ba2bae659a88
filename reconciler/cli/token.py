"""``reconciler token``."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.completion import CONNECTOR
from reconciler.cli.options import SectionedGroup, choose_format, common_options
from reconciler.cli.output import answer, columns_of, options, say, wants_color
from reconciler.cli.run import named_actor, open_run
from reconciler.errors import ExitCode
from reconciler.render.style import plural
from reconciler.wiring.run import now, open_tokens

if TYPE_CHECKING:
    from reconciler.core.ports.store import Store
    from reconciler.services.enforcement import Caller
    from reconciler.services.token_care import Care
    from reconciler.services.tokens import TokenTools

FORMATS = ("text", "json")


@click.group("token", cls=SectionedGroup)
def token() -> None:
    """See, fetch and renew the access tokens of live connectors."""


@token.command(
    "status",
    examples=(
        ("reconciler token status", "which there are, and when they expire"),
        ("reconciler token status --check", "for a monitor: exits with 10 where one is missing"),
    ),
)
@click.argument("connectors", nargs=-1, type=CONNECTOR, metavar="[CONNECTOR]...")
@click.option("--check", is_flag=True, help="Exit with 10 when a token is missing or has expired.")
@common_options()
def status(connectors: tuple[str, ...], check: bool) -> int:
    """List access tokens: age, expiry, scope; never their values.

    Formats (-o): text, json.
    """
    from reconciler.core.calls import Condition
    from reconciler.render.records import tokens_json, tokens_table
    from reconciler.services.token_care import token_statuses

    chosen = choose_format(FORMATS)
    run = open_run()
    found = token_statuses(run.store, open_tokens(run.settings, run.store), connectors)
    color = wants_color(options().color, sys.stdout)
    answer(
        tokens_json(found)
        if chosen == "json"
        else tokens_table(found, now(), color=color, columns=columns_of(sys.stdout))
    )
    bad = any(item.condition in (Condition.MISSING, Condition.EXPIRED) for item in found)
    return ExitCode.WORLD if check and bad else ExitCode.OK


def _care_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in (
        common_options(),
        click.option("--parallelism", type=click.IntRange(1, 256), metavar="N", help="How many requests are under way at once; default 8."),
        click.argument("connectors", nargs=-1, type=CONNECTOR, metavar="[CONNECTOR]..."),
    ):  # fmt: skip
        function = decorate(function)
    return function


@token.command(
    "fetch",
    examples=(
        ("reconciler token fetch", "for all that have none yet"),
        ("reconciler token fetch crm-contacts", "for one, whatever is stored"),
    ),
)
@_care_options
def fetch(connectors: tuple[str, ...], parallelism: int | None) -> int:
    """Get access tokens by the credentials.

    Of the connectors named, whatever is stored; without names of all that have no token yet.

    Formats (-o): text, json.
    """
    from reconciler.services import token_care

    return _care(token_care.fetch, connectors, parallelism, nothing="no access token is missing")


@token.command(
    "renew",
    examples=(("reconciler token renew", "all that expire soon, from a nightly job"),),
)
@_care_options
def renew(connectors: tuple[str, ...], parallelism: int | None) -> int:
    """Renew access tokens, by refresh tokens where there are.

    Of the connectors named; without names of all whose token has expired or is about to.

    Formats (-o): text, json.
    """
    from reconciler.services import token_care

    return _care(token_care.renew, connectors, parallelism, nothing="no access token is about to expire")


def _care(
    verb: "Callable[[Store, TokenTools, Sequence[str], Caller], Care]",
    connectors: Sequence[str],
    parallelism: int | None,
    *,
    nothing: str,
) -> int:
    from reconciler.render.records import care_json
    from reconciler.services.enforcement import Caller
    from reconciler.services.token_care import refuse_failed

    chosen = choose_format(FORMATS)
    run = open_run(judged=True)
    tools = open_tokens(run.settings, run.store, parallelism, run.progress)
    with run.progress:
        care = verb(run.store, tools, connectors, Caller(named_actor(), now()))
    if chosen == "json":
        answer(care_json(care.done, care.failed))
    elif care.done and not options().quiet:
        answer(f"Fetched {plural(len(care.done), 'access token')}: {', '.join(map(str, care.done))}.\n")
    elif not care.failed and not options().quiet:
        say(nothing if not connectors else "nothing to do")
    refuse_failed(care)
    return ExitCode.OK
