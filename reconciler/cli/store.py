"""``reconciler store``."""

import os
import re
import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.backing_up import backup
from reconciler.cli.carrying import lock_timeout_option
from reconciler.cli.help import Group
from reconciler.cli.interrupts import SignalInterrupts
from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, say, wants_color
from reconciler.cli.purging import purge
from reconciler.cli.rotating import rotate_key
from reconciler.cli.running import actor_of_run, named_actor, open_run, settings_of_run
from reconciler.cli.said import options
from reconciler.core.ports.runs import RunInfo
from reconciler.errors import ExitCode, UsageError
from reconciler.wiring.plan import PlanFlags
from reconciler.wiring.run import now, open_state

if TYPE_CHECKING:
    from reconciler.core.care import Audit

FORMATS = ("text", "json")


@click.group("store", cls=Group)
def command() -> None:
    """Take care of the live store."""


command.add_command(rotate_key)
command.add_command(backup)
command.add_command(purge)


@command.command(
    "check",
    examples=(
        ("reconciler store check", "is everything whole?"),
        ("reconciler store check --repair --as ada", "mend what can be mended"),
    ),
)
@click.option(
    "--head", metavar="HASH", help="A head of the history that was noted elsewhere; it must be in the history still."
)
@click.option("--repair", "mends", is_flag=True, help="Mend what can be mended, and say what was done.")
@lock_timeout_option()
@common_options()
def check(head: str | None, lock_timeout: float | None, *, mends: bool) -> int:
    """Look the store over: the file, bodies, references, and the chain of its history. Exits with 10 when something is broken.

    --repair mends what somebody has done to the tables outside of a run, in one transaction, and says what: notes,
    indexes and triggers are made anew, what belongs to no record is removed, a record that is not what was written is
    put before the next plan, and a break in the history is acknowledged by an entry behind it, never written over. It
    is a run of its own in the history, and takes a super admin, where the store has one. What is left is said; a file
    that is damaged in its pages takes a backup.

    Whoever may write to the file can write the whole history anew, and the chain fits again. Note the head that
    `apply -o json` and `apply -v` report where they cannot write, such as in the pipeline's log, and compare it
    with --head: a head is in the history for ever.

    Formats (-o): text, json.
    """  # fmt: skip
    chosen = choose_format(FORMATS)
    noted = _hash(head) if head is not None else ""
    if mends:
        return _repair(chosen, noted, lock_timeout)
    if lock_timeout is not None:
        raise UsageError("--lock-timeout goes with --repair, as looking waits for nobody", hint="leave it out")
    audit = open_state(settings_of_run(), os.environ).audit(noted)
    _show(audit, chosen)
    return ExitCode.WORLD if audit.faults else ExitCode.OK


def _show(audit: "Audit", chosen: str) -> None:
    if chosen == "json":
        from reconciler.render.history import audit_json

        answer(audit_json(audit))
    elif audit.faults or not options().quiet:
        from reconciler.render.care import audit_text

        answer(audit_text(audit, color=wants_color(options().color, sys.stdout)))


def _repair(chosen: str, noted: str, lock_timeout: float | None) -> int:
    """Mend, say what was mended, and look over what came of it."""
    from reconciler.services.care import REPAIR, repair_store

    run = open_run(PlanFlags("", True, False, None, None, None, lock_timeout=lock_timeout))
    interrupts = click.get_current_context().find_object(SignalInterrupts) or SignalInterrupts()
    info = RunInfo(actor_of_run(), run.settings.owner, run.settings.target, "", now(), REPAIR)
    state = open_state(run.settings, os.environ)
    repair = repair_store(state.repairs(), run.store, info, named_actor(), interrupts)
    audit = state.audit(noted) if noted else repair.audit
    if chosen == "json":
        from reconciler.render.history import audit_json

        answer(audit_json(audit, repair))
    else:
        from reconciler.render.care import repair_text

        if not options().quiet:
            answer(repair_text(repair))
        _show(audit, chosen)
    if interrupts.noted:
        say("interrupted too late: the store was already mended")
        return ExitCode.INTERRUPTED
    return ExitCode.WORLD if audit.faults else ExitCode.OK


def _hash(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise UsageError("--head takes a hash of 64 hexadecimal digits", hint="apply -o json reports it as run.head")
    return text.lower()
