"""``reconciler authorize``."""

import sys

import click

from reconciler import __version__
from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.plan_options import approvals_option
from reconciler.cli.revision import REVISION
from reconciler.cli.said import options
from reconciler.core.verdicts import Comparison, Verdict
from reconciler.errors import ExitCode, InvalidDefinitions
from reconciler.source.positions import Lines
from reconciler.wiring.run import locate_root, now
from reconciler.wiring.stores import compare_revisions, lines_of

FORMATS = ("text", "json", "markdown", "github")


@click.command(
    "authorize",
    cls=Command,
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
def command(base: str, head: str, actor: str, approvals: tuple[str, ...]) -> int:
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
