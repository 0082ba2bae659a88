"""``reconciler authorize`` and ``reconciler access-diff``."""

import sys
from datetime import datetime

import click

from reconciler.cli.options import REVISION, ExplainedCommand, choose_format, common_options
from reconciler.cli.output import answer, options, wants_color
from reconciler.cli.plan import approvals_option
from reconciler.core.verdicts import Comparison, Verdict
from reconciler.errors import ExitCode, InvalidDefinitions
from reconciler.source.positions import Lines
from reconciler.version import __version__
from reconciler.wiring.run import locate_root, now
from reconciler.wiring.stores import compare_revisions, connectors_of, lines_of

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
            )


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
