"""``reconciler token``."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from reconciler.cli.boundary import SignalInterrupts
from reconciler.cli.completion import CONNECTOR
from reconciler.cli.execution import lock_timeout_option
from reconciler.cli.options import SectionedGroup, choose_format, common_options, parse_duration
from reconciler.cli.output import answer, columns_of, options, say, say_error, wants_color
from reconciler.cli.run import actor_of_run, named_actor, open_run, warn_lost
from reconciler.core.ports.store import RunInfo
from reconciler.errors import ExitCode
from reconciler.render.style import plural
from reconciler.wiring.plan import PlanFlags
from reconciler.wiring.run import now, open_tokens

if TYPE_CHECKING:
    from reconciler.core.calls import Care
    from reconciler.core.ports.store import Store
    from reconciler.services.token_upkeep import Carer
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
@click.option(
    "--check",
    is_flag=True,
    help="Exit with 10 when a token is missing or has expired, or the live store was not given it.",
)
@common_options()
def status(connectors: tuple[str, ...], check: bool) -> int:
    """List access tokens: age, expiry, scope; never their values.

    Where the live store sends requests itself: whether it has just this token.

    Formats (-o): text, json.
    """
    from reconciler.core.calls import Condition
    from reconciler.render.records import tokens_json, tokens_table
    from reconciler.services.token_statuses import token_statuses

    chosen = choose_format(FORMATS)
    run = open_run()
    found = token_statuses(run.store, open_tokens(run.settings, run.store), connectors)
    color = wants_color(options().color, sys.stdout)
    answer(
        tokens_json(found)
        if chosen == "json"
        else tokens_table(found, now(), color=color, columns=columns_of(sys.stdout))
    )
    bad = any(
        item.condition in (Condition.MISSING, Condition.EXPIRED) or (item.state and item.is_held is False)
        for item in found
    )
    return ExitCode.WORLD if check and bad else ExitCode.OK


def _care_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in (
        common_options(),
        lock_timeout_option(),
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
def fetch(connectors: tuple[str, ...], **how: Any) -> int:
    """Get access tokens by the credentials.

    Of the connectors named, whatever is stored; without names of all that have no token yet.

    Formats (-o): text, json.
    """
    from reconciler.services.token_upkeep import FETCH, fetch

    return _care(_Wanted(fetch, FETCH, "no access token is missing"), connectors, **how)


@token.command(
    "renew",
    examples=(
        ("reconciler token renew", "all that expire soon"),
        ("reconciler token renew --within 2h", "all that do not last until the next run of an hourly job"),
    ),
)
@_care_options
@click.option("--within", metavar="TIME", help="Also those that expire within this time, such as 90m or 2h.")
def renew(connectors: tuple[str, ...], within: str | None, **how: Any) -> int:
    """Renew access tokens, by refresh tokens where there are.

    Of the connectors named; without names of all whose token has expired or is about to.

    Formats (-o): text, json.
    """
    from reconciler.services.token_upkeep import RENEW, renew

    ahead = parse_duration("--within", within) if within else 0
    return _care(_Wanted(partial(renew, within=ahead), RENEW, "no access token is about to expire"), connectors, **how)


class _Wanted(Struct, frozen=True):
    """What is to be done.

    Attributes:
        name: what the history calls it.
        nothing: what is said where there is nothing to do.
    """

    verb: "Callable[[Store, TokenTools, Sequence[str], Carer], Care]"
    name: str
    nothing: str


def _care(wanted: _Wanted, connectors: Sequence[str], parallelism: int | None, lock_timeout: float | None) -> int:
    from reconciler.render.records import care_json
    from reconciler.services.enforcement import Caller
    from reconciler.services.token_upkeep import Carer, refuse_failed

    chosen = choose_format(FORMATS)
    run = open_run(PlanFlags("", True, False, None, None, None, lock_timeout=lock_timeout), judged=True)
    warn_lost(run.settings)
    tools = open_tokens(run.settings, run.store, parallelism, run.progress)
    interrupts = click.get_current_context().find_object(SignalInterrupts) or SignalInterrupts()
    info = RunInfo(actor_of_run(), run.settings.owner, run.settings.target, "", now(), wanted.name)
    with run.progress:
        care = wanted.verb(run.store, tools, connectors, Carer(Caller(named_actor(), now()), info, interrupts))
    if chosen == "json":
        answer(care_json(care))
    elif not options().quiet:
        _say(care, wanted.nothing if not connectors else "nothing to do")
    for whose, failure in care.kept.items():
        say_error(
            f"connector/{whose}: the live store was not given its access token: {failure.message}", hint=failure.hint
        )
    refuse_failed(care)
    if interrupts.noted:
        say("interrupted too late: it was already done")
        return ExitCode.INTERRUPTED
    return ExitCode.PARTLY_APPLIED if care.kept else ExitCode.OK


def _say(care: "Care", nothing: str) -> None:
    """What was done, or that there was nothing to do."""
    told = [("Fetched", care.done), ("Gave the live store", care.given or ())]
    lines = [
        f"{verb} {plural(len(whose), 'access token')}: {', '.join(map(str, whose))}.\n" for verb, whose in told if whose
    ]
    if lines:
        answer("".join(lines))
    elif not care.failed and not care.kept:
        say(nothing)
