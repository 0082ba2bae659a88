"""``reconciler rollback``."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from reconciler.cli.carrying import FORMATS, ApplyFlags, carry_out, carrying_options
from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.parsing import time_of
from reconciler.cli.plan_files import Saving, refuse_demanded, refuse_unsaved
from reconciler.cli.plan_options import guarding_options, saving_options
from reconciler.cli.planning import show_plan
from reconciler.cli.running import open_run, planned_with
from reconciler.core.plan import Plan
from reconciler.errors import UsageError
from reconciler.wiring.plan import PlanFlags, Run
from reconciler.wiring.run import now, open_state


@click.command(
    "rollback",
    cls=Command,
    examples=(
        ("reconciler rollback 41 --dry-run", "what going back to the state after run 41 would change"),
        ("reconciler rollback 2027-03-01T12:00:00Z", "to the state at a time"),
    ),
)
@click.argument("wanted", metavar="RUN|TIME")
@click.option("--dry-run", is_flag=True, help="Show the plan, and write nothing.")
@guarding_options
@carrying_options
@saving_options
@common_options()
def command(
    wanted: str, dry_run: bool, yes: bool, on_error: str, parallelism: int | None,
    out: Path | None, sign_key: Path | None, valid_for: str, **given: Any,
) -> int:  # fmt: skip
    """Take this repository's records back to what they were right after a run, or at a time.

    RUN is a number of `reconciler history`; TIME is such as 2027-03-01 (its first moment, UTC) or
    2027-03-01T12:00:00+01:00. It is a plan as any other, with the same guards and the same judgement. Renames are
    undone, what was deleted since comes back under its identity, what was created since is deleted.

    Formats (-o): text, json.
    """
    from reconciler.services.scope import refuse_lost

    chosen = choose_format(FORMATS)
    flags = PlanFlags(ref="", no_prune=False, adopt=False, full=True, **given)
    saving = Saving(out, sign_key, valid_for)
    refuse_unsaved(saving)
    run = open_run(flags)
    refuse_lost(run.store)
    plan, past, in_git = _plan(run, flags, wanted)
    if dry_run or out is not None:
        return show_plan(past, plan, chosen, flags, saving, "rollback")
    refuse_demanded(past, plan, None, saved=False)
    how = ApplyFlags(chosen, yes, on_error, parallelism, flags.preflight)
    return carry_out(past, plan, how, verb="rollback", afterwards=(in_git,))


def _plan(run: Run, flags: PlanFlags, wanted: str) -> tuple[Plan, Run, str]:
    """The plan, the run with the earlier state as its source, and what stands in git about that."""
    from reconciler.services.rollback import run_at, standing_in_git, state_after

    number, time = _point(wanted)
    with closing(open_state(run.settings, os.environ).history()) as history:
        state = state_after(history, run_at(history, number, time), run.store, run.settings.owner)
    past = replace(run, source=state)
    plan = planned_with(past, flags).plan
    in_git = standing_in_git(state, run.source.load())
    return replace(plan, notices=(*plan.notices, *state.notices, in_git)), past, in_git


def _point(wanted: str) -> tuple[int | None, str]:
    """A run's number, or a time.

    Raises:
        UsageError: it is neither, or a time that has not come.
    """
    if wanted.isascii() and wanted.isdigit():
        if len(wanted) > 18:
            raise UsageError(f"there is no run {wanted}", hint="list the runs with: reconciler history")
        return int(wanted), ""
    if not wanted[:4].isdecimal():
        raise UsageError(f"'{wanted}' is neither a run nor a time", hint="write a number that `reconciler history` lists, or a time such as 2027-03-01T12:00:00Z")  # fmt: skip
    time = time_of("RUN|TIME", wanted)
    if time > now():
        raise UsageError(f"{wanted} is in the future", hint="name a run, or a time that has been")
    return None, time
