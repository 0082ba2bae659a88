"""``reconciler plan``."""

from pathlib import Path
from typing import Any

import click

from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.plan_files import Saving, refuse_unsaved
from reconciler.cli.plan_options import plan_options, saving_options
from reconciler.cli.planning import FORMATS, show_plan
from reconciler.cli.running import open_run, planned_with
from reconciler.errors import ExitCode
from reconciler.wiring.plan import PlanFlags


@click.command(
    "plan",
    cls=Command,
    examples=(
        ("reconciler plan", "what an apply of the working tree would do"),
        ("reconciler plan --ref main -o markdown", "a commit's plan, as a comment on a pull request"),
        (
            "reconciler plan --out plan.json",
            "a plan to be reviewed, and carried out as it is by: reconciler apply plan.json",
        ),
        (
            "reconciler plan --preflight --secrets check",
            "with secrets, tokens and servers tried, and new values of secrets found",
        ),
    ),
)
@plan_options
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 when git has something new, and with 11 when all there is to do is to take back drift.",
)
@saving_options
@common_options(reads=True)
def command(detailed_exitcode: bool, out: Path | None, sign_key: Path | None, valid_for: str, **flags: Any) -> int:
    """Show what would change in the live store. Writes nothing, and needs no secret.

    Formats (-o): text, json, markdown (for a pull request).
    """
    chosen, asked, saving = choose_format(FORMATS), PlanFlags(**flags), Saving(out, sign_key, valid_for)
    refuse_unsaved(saving)
    run = open_run(asked)
    plan = planned_with(run, asked).plan
    code = show_plan(run, plan, chosen, asked, saving)
    if code or not plan.changes or not detailed_exitcode:
        return code
    return ExitCode.DRIFTED if plan.is_drift_only else ExitCode.CHANGES_PENDING
