"""``reconciler apply``."""

import os
import sys
from dataclasses import replace
from typing import Any

import click

from reconciler.cli.options import choose_format, common_options, options
from reconciler.cli.output import answer, say, wants_color
from reconciler.cli.plan import plan_options
from reconciler.cli.running import PlanFlags, open_run, plan_with
from reconciler.core.plan import Plan
from reconciler.errors import Declined, UsageError
from reconciler.wiring.run import default_actor, now

FORMATS = ("text", "json")


@click.command("apply")
@plan_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common_options()
def command(yes: bool, **flags: Any) -> int:
    """Take the live store to what git declares, in one transaction. Asks first on a terminal.

    Formats (-o): text, json.
    """
    from reconciler.render.plan_json import report_json
    from reconciler.render.plan_text import plan_text, report_text
    from reconciler.services.apply import apply_plan, refuse_problems

    chosen = choose_format(FORMATS)
    asked = PlanFlags(**flags)
    run = open_run(asked)
    plan = plan_with(run, asked)
    if plan.changes and not (options().quiet and yes) and chosen == "text":
        answer(plan_text(replace(plan, problems=()), color=wants_color(options().color, sys.stdout)))
    refuse_problems(plan)
    if plan.changes and not yes:
        _ask(plan)
    actor = options().actor or default_actor(os.environ)
    report = apply_plan(plan, run.store, run.secrets, actor=actor, clock=now)
    if options().verbose and plan.changes:
        say(f"run by {actor}, {report.started} to {report.finished}")
    if chosen == "json":
        times = {"started": report.started, "finished": report.finished}
        answer(report_json(plan, actor=actor, secrets=report.secrets, **times))
    elif not options().quiet:
        answer(report_text(plan, report.secrets))
    return 0


def _ask(plan: Plan) -> None:
    """Ask whether to go on.

    Raises:
        UsageError: nobody can be asked.
        Declined: the answer is not yes.
    """
    if options().no_input or not sys.stdin.isatty():
        raise UsageError(
            "apply asks before it changes something, and there is no terminal to ask on", hint="pass --yes"
        )
    sys.stdout.flush()
    if not click.confirm(f"Apply to {plan.target}?", default=False, err=True):
        raise Declined("not applied; nothing was changed")
