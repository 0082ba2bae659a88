"""Who may do what: ``reconciler authorize``, ``access-diff``, ``can`` and ``who-can``."""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.completion import ADDRESS
from reconciler.cli.options import REVISION, ExplainedCommand, choose_format, common_options, key_of, time_of
from reconciler.cli.output import answer, options, wants_color
from reconciler.cli.plan import approvals_option
from reconciler.cli.run import load_desired, settings_of_run, warn_lost
from reconciler.core.verdicts import Comparison, Verdict
from reconciler.diagnostics import FaultyDefinitions
from reconciler.errors import ExitCode, InvalidDefinitions, UsageError
from reconciler.source.positions import Lines
from reconciler.source.repository import Extent
from reconciler.version import __version__
from reconciler.wiring.roots import locate_root
from reconciler.wiring.run import now, open_source, open_store
from reconciler.wiring.stores import compare_revisions, connectors_of, lines_of

if TYPE_CHECKING:
    from reconciler.core.access import Where
    from reconciler.core.verdicts import Question


FORMATS = ("text", "json", "markdown", "github")


@click.command(
    "authorize",
    cls=ExplainedCommand,
    examples=(
        ("reconciler authorize --base origin/main --head HEAD --actor ada", "may ada make this change?"),
        ("reconciler authorize --base main --head HEAD --actor ada --approved-by grace", "and if grace approves it?"),
    ),
)
@click.option(
    "--base", required=True, type=REVISION, metavar="REV", help="What the change goes into; its policies judge."
)
@click.option("--head", required=True, type=REVISION, metavar="REV", help="The change; WORKTREE for the working tree.")
@click.option(
    "--actor", required=True, metavar="ACTOR", help="Who makes the change, exactly as policies and groups name them."
)
@approvals_option()
@common_options(store=False)
def authorize(base: str, head: str, actor: str, approvals: tuple[str, ...]) -> int:
    """May this person make the change from one revision to another? Judged by the policies at the base.

    Works from git alone: no store, no secrets, no network. Exits with 4 when something is refused, and says
    who could approve it. A head that does not descend from the base is judged as git would merge it.

    Formats (-o): text, json, markdown, github.
    """
    from reconciler.services.gate import judge

    chosen = choose_format(FORMATS)
    if not actor.strip():
        raise click.BadParameter("name somebody", param_hint="'--actor'")
    root = locate_root(options().directory)
    comparison, revisions = compare_revisions(root, base, head)
    refuse_faults(comparison, chosen)
    verdict = judge(comparison, actor, approvals, now())
    _show(verdict, lines_of(root, revisions.base, comparison.before.policies), chosen)
    return ExitCode.OK if verdict.allowed else ExitCode.NOT_PERMITTED


def refuse_faults(comparison: Comparison, chosen: str) -> None:
    """Stop when one of the revisions is not valid, and show why: what is broken cannot be judged.

    Raises:
        InvalidDefinitions: it is.
    """
    from reconciler.render import diagnostics as render

    for name, side in (("base", comparison.before), ("head", comparison.after)):
        if side.faults:
            files = tuple(sorted({fault.span.file for fault in side.faults}))
            checked = render.Checked(len(files), 0, files, __version__)
            stream = sys.stdout if chosen == "github" else sys.stderr
            shown = render.render("github" if chosen == "github" else "text", side.faults, checked=checked, color=wants_color(options().color, stream))  # fmt: skip
            stream.write(shown)
            revision = getattr(comparison, name)[:12] or "the working tree"
            raise InvalidDefinitions(
                f"the definitions at the {name}, {revision}, are not valid; nothing is allowed",
                hint=f"run: reconciler validate --ref {revision}"
                if getattr(comparison, name)
                else "run: reconciler validate",
            ) from FaultyDefinitions(side.faults)


def _show(verdict: Verdict, lines: Lines, chosen: str) -> None:
    if chosen == "json":
        from reconciler.render.gate import verdict_json

        answer(verdict_json(verdict, lines.of))
    elif chosen == "markdown":
        from reconciler.render.gate import verdict_markdown

        answer(verdict_markdown(verdict, lines.of))
    elif chosen == "github":
        from reconciler.render.gate import verdict_github

        answer(verdict_github(verdict, lines.of))
    elif not (options().quiet and verdict.allowed):
        from reconciler.render.gate import verdict_text

        color = wants_color(options().color, sys.stdout)
        answer(verdict_text(verdict, lines.of, color=color, verbose=options().verbose))


ACCESS_DIFF_FORMATS = ("text", "json", "markdown")


@click.command(
    "access-diff",
    cls=ExplainedCommand,
    examples=(
        ("reconciler access-diff --base origin/main --head WORKTREE", "whose access the working tree changes"),
        ("reconciler access-diff --base main --head HEAD --actor ada -o markdown", "for a pull request of ada's"),
    ),
)
@click.option("--base", required=True, type=REVISION, metavar="REV", help="What the change goes into.")
@click.option("--head", required=True, type=REVISION, metavar="REV", help="The change; WORKTREE for the working tree.")
@click.option("--actor", default="", metavar="ACTOR", help="Whose change it is: growth of their access stands apart.")
@common_options(store=False)
def access_diff(base: str, head: str, actor: str) -> int:
    """Show whose effective access a change of policies and groups takes and gives, why, and on how much.

    After nesting of groups, scopes and expiry. Works from git alone.

    Formats (-o): text, json, markdown.
    """
    from reconciler.kinds.access import target_of
    from reconciler.services.access_diff import access_diff
    from reconciler.services.gate import access_of
    from reconciler.services.shifts import Covering

    chosen = choose_format(ACCESS_DIFF_FORMATS)
    root = locate_root(options().directory)
    comparison, revisions = compare_revisions(root, base, head)
    refuse_faults(comparison, chosen)
    before, after, at = comparison.before.policies, comparison.after.policies, now()
    changed = {key: item.fingerprint for key, item in before.items()} != {
        key: item.fingerprint for key, item in after.items()
    }
    targets = [target_of(key, item.content.value) for key, item in after.items()] if changed else []
    targets += [target_of(item.key, item.content.value) for item in connectors_of(root, revisions)] if changed else []
    moment = datetime.fromisoformat(at)
    found = access_diff(access_of(before), access_of(after), Covering(targets), actor=actor, now=moment)
    was, becomes = lines_of(root, revisions.base, before), lines_of(root, revisions.tree, after)
    if chosen == "json":
        from reconciler.render.access_diff import Compared, access_diff_json

        compared = Compared(revisions.base, revisions.head, revisions.merged, at)
        answer(access_diff_json(found, was.of, becomes.of, compared))
    elif chosen == "markdown":
        from reconciler.render.access_diff import access_markdown

        answer(access_markdown(found, was.of, becomes.of))
    elif not (options().quiet and found.is_empty):
        from reconciler.render.access_diff import access_text

        answer(access_text(found, was.of, becomes.of, color=wants_color(options().color, sys.stdout)))
    return ExitCode.OK


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


QUESTION_FORMATS = ("text", "json")


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
@click.argument("address", required=False, type=ADDRESS)
@asking_options
def can(who: str, permission: str, address: str | None, ref: str, live: bool, at: str | None) -> int:
    """May ACTOR do what PERMISSION says, such as connectors:edit, with ADDRESS, such as connector/crm-contacts?

    Judged by the definitions of the working tree. Without an ADDRESS: with anything of its kind, which takes a
    grant that is not narrowed. Exits with 0 for yes and 4 for no.

    Formats (-o): text, json.
    """
    chosen = choose_format(QUESTION_FORMATS)
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
@click.argument("address", required=False, type=ADDRESS)
@asking_options
def who_can(permission: str, address: str | None, ref: str, live: bool, at: str | None) -> int:
    """List everybody who may do what PERMISSION says, such as connectors:edit, with ADDRESS, and why.

    Judged by the definitions of the working tree. Without an ADDRESS: with anything of its kind, which takes a
    grant that is not narrowed.

    Formats (-o): text, json.
    """
    chosen = choose_format(QUESTION_FORMATS)
    question, where = put(permission, address, ref=ref, live=live, at=at)
    found = list(question.everybody())
    if chosen == "json":
        from reconciler.render.questions import answers_json

        answer(answers_json(question, found, where))
    else:
        from reconciler.render.questions import answers_text

        answer(answers_text(question, found, where, color=wants_color(options().color, sys.stdout)))
    return ExitCode.OK
