"""Showing a plan that is not applied now."""

import sys
from typing import TYPE_CHECKING

from reconciler.cli.output import answer, wants_color
from reconciler.cli.plan_files import Saving, save
from reconciler.cli.running import preflight_of
from reconciler.cli.said import options
from reconciler.core.plan import Plan
from reconciler.errors import ExitCode
from reconciler.wiring.plan import PlanFlags, Run
from reconciler.wiring.run import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.calls import Verdict

FORMATS = ("text", "json", "markdown")


def show_plan(run: Run, plan: Plan, chosen: str, asked: PlanFlags, saving: Saving, verb: str = "apply") -> int:
    """Show a plan that is not applied now, and save it; returns the exit code for what stands against it.

    Args:
        chosen: one of `FORMATS`.
        verb: the command that carries out such a plan.
    """
    verdicts = preflight_of(run, plan) if asked.preflight else None
    _show(plan, verdicts, chosen)
    save(run, plan, asked, saving, verb)
    if plan.problems:
        return plan.problems[0].exit_code
    return ExitCode.WORLD if any(not verdict.passed for verdict in verdicts or ()) else ExitCode.OK


def _show(plan: Plan, verdicts: "Sequence[Verdict] | None", chosen: str) -> None:
    color = wants_color(options().color, sys.stdout)
    if chosen == "json":
        from reconciler.render.plan_formats import plan_json

        answer(plan_json(plan, verdicts))
    elif chosen == "markdown":
        from reconciler.render.call import preflight_markdown
        from reconciler.render.plan_formats import plan_markdown

        answer(plan_markdown(plan) + preflight_markdown(verdicts or ()))
    elif not (options().quiet and plan.is_empty):
        from reconciler.render.plan import plan_text

        answer(plan_text(plan, now(), color=color))
        if verdicts is not None:
            from reconciler.render.call import preflight_text

            answer("\n" + preflight_text(verdicts, color=color))
