"""Making a plan and showing it, once the command line is understood."""

import sys
from typing import TYPE_CHECKING

from reconciler.cli.output import answer, wants_color
from reconciler.cli.plan_files import Saving, refuse_unsaved, save
from reconciler.cli.running import PlanFlags, Run, open_run, planned_with, preflight_of
from reconciler.cli.said import options
from reconciler.core.plan import Plan
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.preflight import Verdict

FORMATS = ("text", "json", "markdown")


def plan_and_show(asked: PlanFlags, saving: Saving, chosen: str, *, detailed: bool) -> int:
    """Plan and show it; returns the exit code.

    Args:
        chosen: one of `FORMATS`.
        detailed: whether the exit code tells that something is to be done.
    """
    refuse_unsaved(saving)
    run = open_run(asked)
    plan = planned_with(run, asked).plan
    code = show_plan(run, plan, chosen, asked, saving, "apply")
    if code or not plan.changes or not detailed:
        return code
    return ExitCode.DRIFTED if plan.is_drift_only else ExitCode.CHANGES_PENDING


def show_plan(run: Run, plan: Plan, chosen: str, asked: PlanFlags, saving: Saving, verb: str) -> int:
    """Show a plan that is not applied now, and save it; returns the exit code for what stands against it."""
    verdicts = preflight_of(run, plan) if asked.preflight else None
    _show(plan, verdicts, chosen)
    save(run, plan, asked, saving, verb)
    if plan.problems:
        return plan.problems[0].exit_code
    return ExitCode.WORLD if any(not verdict.passed for verdict in verdicts or ()) else ExitCode.OK


def _show(plan: Plan, verdicts: "Sequence[Verdict] | None", chosen: str) -> None:
    color = wants_color(options().color, sys.stdout)
    if chosen == "json":
        from reconciler.render.plan_json import plan_json

        answer(plan_json(plan, verdicts))
    elif chosen == "markdown":
        from reconciler.render.plan_markdown import plan_markdown
        from reconciler.render.preflight import preflight_markdown

        answer(plan_markdown(plan) + preflight_markdown(verdicts or ()))
    elif not (options().quiet and plan.is_empty):
        from reconciler.render.plan_text import plan_text

        answer(plan_text(plan, color=color))
        if verdicts is not None:
            from reconciler.render.preflight import preflight_text

            answer("\n" + preflight_text(verdicts, color=color))
