"""``reconciler history``."""

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from reconciler.cli.completion import ADDRESS
from reconciler.cli.options import ExplainedCommand, choose_format, common_options, key_of, time_of
from reconciler.cli.output import answer, columns_of, options, wants_color
from reconciler.cli.run import settings_of_run, warn_lost
from reconciler.core.model import Key
from reconciler.errors import ExitCode, UsageError
from reconciler.settings import Settings
from reconciler.wiring.run import now, open_state
from reconciler.wiring.stores import PastLines

if TYPE_CHECKING:
    from reconciler.core.history import Futile, KeepsHistory, RunEntry
    from reconciler.core.verdicts import Answer

FORMATS = ("text", "json")
MOST = 30


class HistoryFlags(NamedTuple):
    """What the user wants to see."""

    key: Key | None
    limit: int
    since: str
    chosen: str
    color: bool


@click.command(
    "history",
    cls=ExplainedCommand,
    examples=(
        ("reconciler history", "the last runs"),
        ("reconciler history connector/crm-contacts", "each version of one record"),
        ("reconciler history connector/crm-contacts --diff 2 5", "what differs between two versions"),
        ("reconciler history --at 2027-03-01 --who-can connectors:edit", "who could edit connectors then"),
    ),
)
@click.argument("address", required=False, type=ADDRESS)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=MOST,
    show_default=True,
    metavar="N",
    help="How many runs or versions to show at most.",
)
@click.option(
    "--all", "every", is_flag=True, help="Also the runs that changed nothing: failed, refused, died, under way."
)
@click.option("--since", metavar="TIME", help="Only what happened at this time or later.")
@click.option(
    "--diff", "numbers", type=int, nargs=2, metavar="A B", help="What differs between two versions of the record."
)
@click.option("--at", metavar="TIME", help="Answer --can or --who-can as things were then.")
@click.option(
    "--can", nargs=2, metavar="ACTOR PERMISSION", help="Whether somebody could do this at that time, and why."
)
@click.option("--who-can", metavar="PERMISSION", help="Everybody who could do this at that time, and why.")
@common_options()
def history(
    address: str | None,
    limit: int,
    every: bool,
    since: str | None,
    numbers: tuple[int, int] | None,
    at: str | None,
    can: tuple[str, str] | None,
    who_can: str | None,
) -> int:
    """Show who changed what, when, and from which commit.

    Without an ADDRESS the runs; with one, such as connector/crm-contacts, each version of that record and what
    changed, also when it is deleted or has another name now.

    With --at TIME and --can or --who-can: who could do what then, judged by the policies that were live then. As `can`
    does, --can exits with 0 for yes and 4 for no.

    A TIME is such as 2027-03-01 (its first moment, UTC) or 2027-03-01T12:00:00+01:00.

    Formats (-o): text, json.
    """  # fmt: skip
    chosen = choose_format(FORMATS)
    asked = HistoryFlags(
        key_of(address) if address else None,
        limit,
        time_of("--since", since) if since else "",
        chosen,
        wants_color(options().color, sys.stdout),
    )
    _refuse_mixed(asked, numbers=numbers is not None, at=at is not None, asks=(can is not None) + (who_can is not None))
    if every and (at is not None or asked.key is not None):
        raise UsageError("--all is about the list of runs", hint="leave it out, or the rest")
    settings = settings_of_run()
    warn_lost(settings)
    history = open_state(settings, os.environ).history()
    code = ExitCode.OK
    try:
        if at is not None:
            shown, code = _past(history, settings, asked, _past_time(at), can, who_can)
        elif asked.key is None:
            shown = _runs(history, asked, every=every)
        elif numbers:
            shown = _difference(history, asked.key, numbers, asked)
        else:
            shown = _versions(history, asked.key, asked)
    finally:
        history.close()
    answer(shown)
    return code


def _refuse_mixed(asked: HistoryFlags, *, numbers: bool, at: bool, asks: int) -> None:
    """Stop when options are missing or do not go together.

    Raises:
        UsageError: they do not.
    """
    if at != (asks == 1):
        hint = "such as: reconciler history --at 2027-03-01 --can ada connectors:edit connector/crm-contacts"
        raise UsageError("--at goes with --can or with --who-can", hint=hint)
    if numbers and (at or asked.key is None):
        raise UsageError("--diff compares two versions of one record", hint="name it: reconciler history KIND/NAME --diff A B")  # fmt: skip


def _past_time(text: str) -> str:
    time = time_of("--at", text)
    if time > now():
        raise UsageError(f"--at {text} is in the future", hint="name a time that has been")
    return time


def _runs(history: "KeepsHistory", asked: HistoryFlags, *, every: bool) -> str:
    found: list[RunEntry | Futile] = [*history.runs(since=asked.since, limit=asked.limit + 1)]
    if every:
        found += history.futile(since=asked.since, limit=asked.limit + 1)
        found.sort(key=lambda run: run.started, reverse=True)
    runs, more = found[: asked.limit], len(found) > asked.limit
    if asked.chosen == "json":
        from reconciler.render.history import runs_json

        return runs_json(runs, every=every, more=more)
    from reconciler.render.history import runs_table

    return runs_table(runs, now(), more=more, color=asked.color, columns=columns_of(sys.stdout))


def _versions(history: "KeepsHistory", key: Key, asked: HistoryFlags) -> str:
    from reconciler.services.history import versions

    found = versions(history, key)[::-1]
    shown = [version for version in found if not version.time or version.time >= asked.since][: asked.limit]
    more = len(shown) < len(found)
    if asked.chosen == "json":
        from reconciler.render.history import versions_json

        return versions_json(key, shown, more=more)
    from reconciler.render.history import versions_text

    return versions_text(key, shown, now(), more=more, color=asked.color)


def _difference(history: "KeepsHistory", key: Key, numbers: tuple[int, int], asked: HistoryFlags) -> str:
    from reconciler.services.history import difference, version_numbered, versions

    found = versions(history, key)
    before, after = (version_numbered(found, number) for number in numbers)
    fields = difference(before, after)
    if asked.chosen == "json":
        from reconciler.render.history import difference_json

        return difference_json(key, before, after, fields)
    from reconciler.render.history import difference_text

    return difference_text(key, before, after, fields, color=asked.color)


def _past(
    history: "KeepsHistory", settings: Settings, asked: HistoryFlags, time: str,
    can: tuple[str, str] | None, who_can: str | None,
) -> tuple[str, ExitCode]:  # fmt: skip
    """The answer, and the exit code that says it too, where one person was asked about."""
    from reconciler.services.questions import could, past, who_could

    state = past(history, can[1] if can else who_can or "", asked.key, time)
    answers = [could(state, can[0])] if can else who_could(state)
    code = ExitCode.NOT_PERMITTED if can and not answers[0].decision.allowed else ExitCode.OK
    lines = PastLines(settings.root)

    def place(found: "Answer") -> tuple[str, int] | None:
        if not found.settings or found.decision.route is None or found.settings[0].run is None:
            return None
        policy = found.settings[0]
        return lines.of(policy.run.commit if policy.run else "", policy.fingerprint, found.decision.route)

    if asked.chosen == "json":
        from reconciler.render.history import past_json

        return past_json(state, answers, place), code
    from reconciler.render.questions import past_answer_text, past_answers_text

    if can:
        return past_answer_text(state, answers[0], place, color=asked.color), code
    return past_answers_text(state, answers, place, color=asked.color), code
