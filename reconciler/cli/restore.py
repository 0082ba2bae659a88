"""``reconciler restore``."""

import os
import sys
from contextlib import closing
from pathlib import Path

import click
from msgspec.structs import replace

from reconciler.cli.carrying import FORMATS, ApplyFlags, carry_out, carrying_options
from reconciler.cli.help import Command
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.parsing import key_of
from reconciler.cli.plan_files import Saving, refuse_demanded, refuse_unsaved
from reconciler.cli.plan_options import (
    approvals_option,
    override_option,
    preflight_option,
    saving_options,
    tokens_option,
)
from reconciler.cli.planning import show_plan
from reconciler.cli.running import open_run, planned_with
from reconciler.cli.said import options
from reconciler.core.guards import Override
from reconciler.core.model import Key
from reconciler.core.plan import Plan
from reconciler.errors import ExitCode, UsageError
from reconciler.wiring.plan import PlanFlags, Run
from reconciler.wiring.run import now, open_state


@click.command(
    "restore",
    cls=Command,
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
@carrying_options
@saving_options
@common_options()
def command(
    addresses: tuple[str, ...],
    number: int | None,
    dry_run: bool,
    overrides: tuple[Override, ...],
    approvals: tuple[str, ...],
    preflight: bool,
    tokens: str | None,
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
    flags = PlanFlags("", True, False, None, None, tokens, preflight, lock_timeout, overrides, approvals=approvals)
    saving = Saving(out, sign_key, valid_for)
    refuse_unsaved(saving)
    run = open_run(flags)
    refuse_lost(run.store)
    if not addresses:
        if number is not None:
            raise UsageError("--run says which deleted record of an address is meant", hint="name the address too")
        return _list(run, chosen)
    plan, past, in_git = _plan(run, flags, [key_of(address) for address in addresses], number)
    if dry_run or out is not None:
        return show_plan(past, plan, chosen, flags, saving, "restore")
    refuse_demanded(past, plan, None, saved=False)
    how = ApplyFlags(chosen, yes, on_error, parallelism, preflight)
    return carry_out(past, plan, how, verb="restore", afterwards=in_git)


def _plan(run: Run, flags: PlanFlags, keys: list[Key], number: int | None) -> tuple[Plan, Run, tuple[str, ...]]:
    """The plan, the run with the deleted records as its source, and what stands in git about them."""
    from reconciler.services.restore import deleted_named, deleted_state, standing_in_git

    chosen = deleted_named(run.store, keys, run.settings.owner, number)
    with closing(open_state(run.settings, os.environ).history()) as history:
        state = deleted_state(chosen, run.store, history)
    past = replace(run, source=state)
    plan = planned_with(past, flags).plan
    in_git = tuple(standing_in_git(state, run.source.load()))
    return replace(plan, notices=(*plan.notices, *state.notices, *in_git)), past, in_git


def _list(run: Run, chosen: str) -> int:
    deleted = [item for item in run.store.deleted() if item.owner == run.settings.owner]
    if chosen == "json":
        from reconciler.render.care import deleted_json

        answer(deleted_json(deleted, run.settings.quarantine_days))
    else:
        from reconciler.render.care import deleted_table

        answer(
            deleted_table(deleted, run.settings.quarantine_days, now(), color=wants_color(options().color, sys.stdout))
        )
    return ExitCode.OK
