"""``reconciler rollback`` and ``reconciler restore``."""

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from reconciler.cli.execution import FORMATS, ApplyFlags, carry_out, carrying_options
from reconciler.cli.options import ExplainedCommand, choose_format, common_options, key_of, time_of
from reconciler.cli.output import answer, columns_of, options, wants_color
from reconciler.cli.plan import (
    approvals_option,
    guarding_options,
    override_option,
    preflight_option,
    saving_options,
    show_plan,
    tokens_option,
    witness_option,
)
from reconciler.cli.run import Saving, open_run, planned_with, refuse_demanded, refuse_unsaved
from reconciler.core.guards import Override
from reconciler.core.model import Key
from reconciler.core.plan import Plan
from reconciler.errors import ExitCode, UsageError
from reconciler.wiring.plan import OpenedRun, PlanFlags
from reconciler.wiring.run import now, open_state


@click.command(
    "rollback",
    cls=ExplainedCommand,
    examples=(
        ("reconciler rollback 41 --dry-run", "what going back to the state after run 41 would change"),
        ("reconciler rollback 2027-03-01T12:00:00Z", "to the state at a time"),
    ),
)
@click.argument("wanted", required=False, metavar="RUN|TIME")
@click.option("--dry-run", is_flag=True, help="Show the plan, and write nothing.")
@guarding_options
@carrying_options
@saving_options
@common_options()
def rollback(
    wanted: str | None, dry_run: bool, yes: bool, on_error: str, parallelism: int | None,
    out: Path | None, sign_key: Path | None, valid_for: str, **given: Any,
) -> int:  # fmt: skip
    """Take this repository's records back to what they were right after a run, or at a time.

    RUN is a number of `reconciler history`; TIME is such as 2027-03-01 (its first moment, UTC) or
    2027-03-01T12:00:00+01:00. It is a plan as any other, with the same guards and the same judgement. Renames are
    undone, what was deleted since comes back under its identity, what was created since is deleted.

    Formats (-o): text, json.
    """
    from reconciler.services.scope import refuse_lost

    if wanted is None:
        raise UsageError("rollback needs to know where to: the number of a run, or a time", hint="list the runs with: reconciler history; what run 41 left comes back with: reconciler rollback 41 --dry-run")  # fmt: skip
    chosen = choose_format(FORMATS)
    flags = PlanFlags(ref="", no_prune=False, adopt=False, full=True, **given)
    saving = Saving(out, sign_key, valid_for)
    refuse_unsaved(saving)
    run = open_run(flags, judged=not dry_run and out is None)
    refuse_lost(run.store)
    plan, past, in_git = _plan(run, flags, wanted)
    if dry_run or out is not None:
        return show_plan(past, plan, chosen, flags, saving, "rollback")
    refuse_demanded(past, plan, None, saved=False)
    how = ApplyFlags(chosen, yes, on_error, parallelism, flags.preflight, flags.witness)
    return carry_out(past, plan, how, verb="rollback", afterwards=(in_git,))


def _plan(run: OpenedRun, flags: PlanFlags, wanted: str) -> tuple[Plan, OpenedRun, str]:
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
        raise UsageError(f"'{wanted}' is neither a run nor a time", hint="all records go back at once: write the number of a run that `reconciler history` lists, or a time such as 2027-03-01T12:00:00Z")  # fmt: skip
    time = time_of("RUN|TIME", wanted)
    if time > now():
        raise UsageError(f"{wanted} is in the future", hint="name a run, or a time that has been")
    return None, time


@click.command(
    "restore",
    cls=ExplainedCommand,
    examples=(
        ("reconciler restore", "what can be restored"),
        ("reconciler restore connector/crm-contacts", "bring one record back, with its secrets"),
    ),
)
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option("--run", "number", type=click.IntRange(1), metavar="N", help="What run N deleted; default: what was deleted last.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show the plan, and write nothing.")
@override_option()
@approvals_option()
@preflight_option()
@tokens_option()
@witness_option()
@carrying_options
@saving_options
@common_options()
def restore(
    addresses: tuple[str, ...],
    number: int | None,
    dry_run: bool,
    overrides: tuple[Override, ...],
    approvals: tuple[str, ...],
    preflight: bool,
    tokens: str | None,
    witness: str | None,
    yes: bool,
    lock_timeout: float | None,
    on_error: str,
    parallelism: int | None,
    out: Path | None,
    sign_key: Path | None,
    valid_for: str,
) -> int:
    """Bring deleted records back: identity, body and sealed secrets, as they were. Access tokens are fetched anew.

    It is a plan as any other, with the same guards and the same judgement. Without an ADDRESS, such as
    connector/crm-contacts, it lists what can be restored.

    Formats (-o): text, json.
    """
    from reconciler.services.scope import refuse_lost

    chosen = choose_format(FORMATS)
    flags = PlanFlags(
        "", True, False, None, None, tokens, preflight, lock_timeout, overrides, approvals=approvals, witness=witness
    )
    saving = Saving(out, sign_key, valid_for)
    refuse_unsaved(saving)
    run = open_run(flags, judged=bool(addresses) and not dry_run and out is None)
    refuse_lost(run.store)
    if not addresses:
        if number is not None:
            raise UsageError("--run says which deleted record of an address is meant", hint="name the address too")
        return _list(run, chosen)
    plan, past, in_git = _plan_of_deleted(run, flags, [key_of(address) for address in addresses], number)
    if dry_run or out is not None:
        return show_plan(past, plan, chosen, flags, saving, "restore")
    refuse_demanded(past, plan, None, saved=False)
    how = ApplyFlags(chosen, yes, on_error, parallelism, preflight, witness)
    return carry_out(past, plan, how, verb="restore", afterwards=in_git)


def _plan_of_deleted(
    run: OpenedRun, flags: PlanFlags, keys: list[Key], number: int | None
) -> tuple[Plan, OpenedRun, tuple[str, ...]]:
    """The plan, the run with the deleted records as its source, and what stands in git about them."""
    from reconciler.services.restore import deleted_named, deleted_state, standing_in_git

    chosen = deleted_named(run.store, keys, run.settings.owner, number)
    with closing(open_state(run.settings, os.environ).history()) as history:
        state = deleted_state(chosen, run.store, history)
    past = replace(run, source=state)
    plan = planned_with(past, flags).plan
    in_git = tuple(standing_in_git(state, run.source.load()))
    return replace(plan, notices=(*plan.notices, *state.notices, *in_git)), past, in_git


def _list(run: OpenedRun, chosen: str) -> int:
    deleted = [item for item in run.store.deleted() if item.owner == run.settings.owner]
    if chosen == "json":
        from reconciler.render.care import deleted_json

        answer(deleted_json(deleted, run.settings.quarantine_days))
    else:
        from reconciler.render.care import deleted_table

        answer(
            deleted_table(
                deleted,
                run.settings.quarantine_days,
                now(),
                color=wants_color(options().color, sys.stdout),
                columns=columns_of(sys.stdout),
            )
        )
    return ExitCode.OK
