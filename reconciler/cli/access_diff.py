"""``reconciler access-diff``."""

import sys
from datetime import datetime

import click

from reconciler.cli.authorize import refuse_faults
from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.revision import REVISION
from reconciler.cli.said import options
from reconciler.errors import ExitCode
from reconciler.wiring.run import locate_root, now
from reconciler.wiring.stores import compare_revisions, connectors_of, lines_of

FORMATS = ("text", "json", "markdown")


@click.command(
    "access-diff",
    cls=Command,
    examples=(
        ("reconciler access-diff --base origin/main --head WORKTREE", "whose access the working tree changes"),
        ("reconciler access-diff --base main --head HEAD --actor ada -o markdown", "for a pull request of ada's"),
    ),
)
@click.option("--base", required=True, type=REVISION, metavar="REV", help="What the change goes into.")
@click.option("--head", required=True, type=REVISION, metavar="REV", help="The change; WORKTREE for the working tree.")
@click.option("--actor", default="", metavar="ACTOR", help="Whose change it is: growth of their access stands apart.")
@common_options(store=False)
def command(base: str, head: str, actor: str) -> int:
    """Show whose effective access a change of policies and groups takes and gives, why, and on how much.

    After nesting of groups, scopes and expiry. Works from git alone.

    Formats (-o): text, json, markdown.
    """
    from reconciler.kinds.access import target_of
    from reconciler.services.access_diff import access_diff
    from reconciler.services.gate import access_of
    from reconciler.services.shifts import Covering

    chosen = choose_format(FORMATS)
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
