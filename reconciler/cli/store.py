"""``reconciler store``: check, repair, backup and rotate-key; purge, init and copy are beside it."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from reconciler.cli.boundary import SignalInterrupts
from reconciler.cli.execution import lock_timeout_option, noted, refuse_returned, refuse_unnoted
from reconciler.cli.options import ExplainedCommand, SectionedGroup, choose_format, common_options
from reconciler.cli.output import answer, options, say, wants_color
from reconciler.cli.plan import witness_option
from reconciler.cli.purge import purge
from reconciler.cli.run import actor_of_run, named_actor, open_run, settings_of_run
from reconciler.cli.setup import copy, init
from reconciler.core.ports.store import RunInfo
from reconciler.errors import ExitCode, UsageError
from reconciler.settings import Settings
from reconciler.wiring.plan import PlanFlags
from reconciler.wiring.run import now, open_state, open_store
from reconciler.wiring.stores import key_place, next_key, with_live

if TYPE_CHECKING:
    from reconciler.core.care import Audit


STORE_FORMATS = ("text", "json")


@click.command(
    "backup",
    cls=ExplainedCommand,
    examples=(("reconciler store backup /backups/connectors.db", "a copy, while others write"),),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file that is there.")
@common_options()
def backup(file: Path, *, force: bool) -> None:
    """Copy the live store to FILE, consistent while others write. Secrets stay sealed, and the key is not in it.

    The copy is a store: name it with --store, or put it in the place of the store while nothing uses that.

    Formats (-o): text, json.
    """
    from reconciler.render.care import backup_json, backup_text

    chosen = choose_format(STORE_FORMATS)
    settings, to = settings_of_run(), Path(os.path.abspath(file))
    sealed = open_state(settings, os.environ).back_up(to, replace=force)
    key = key_place(settings, os.environ, to) if sealed else None
    if chosen == "json":
        answer(backup_json(to, key, settings.target))
    elif not options().quiet:
        answer(backup_text(to, key, settings.target))


@click.command(
    "rotate-key",
    cls=ExplainedCommand,
    examples=(("reconciler store rotate-key", "under a new random key"),),
)
@lock_timeout_option()
@witness_option()
@common_options()
def rotate_key(lock_timeout: float | None, witness: str | None) -> int:
    """Seal all secrets and access tokens anew, under a new key, in one transaction.

    A key file is replaced by a random key, or by the one in RECONCILER_NEW_STORE_KEY. Where the key is in
    RECONCILER_STORE_KEY the new one has to be in RECONCILER_NEW_STORE_KEY. The old key is kept beside its file,
    as backups from before need it. When it is cut off, run it again: the store is under one of the two keys, and
    both are there. Takes a super admin, where the store has one.

    Formats (-o): text, json.
    """
    from reconciler.render.care import rotation_json, rotation_text
    from reconciler.services.care import ROTATE_KEY, change_key

    chosen = choose_format(STORE_FORMATS)
    run = open_run(PlanFlags("", True, False, None, None, None, lock_timeout=lock_timeout), judged=True)
    refuse_returned(run, witness)
    keys, new = open_state(run.settings, os.environ).keys(), next_key(run.settings, os.environ)
    interrupts = click.get_current_context().find_object(SignalInterrupts) or SignalInterrupts()
    info = RunInfo(actor_of_run(), run.settings.owner, run.settings.target, "", now(), ROTATE_KEY)
    rotation = change_key(keys, run.store, new, info, named_actor(), interrupts)
    unnoted = noted(run, witness, rotation.done.head if rotation.done else "")
    if chosen == "json":
        answer(rotation_json(rotation, run.settings.target))
    elif not options().quiet:
        answer(rotation_text(rotation, run.settings.target))
    refuse_unnoted(unnoted)
    if interrupts.noted:
        say("interrupted too late: the key was already changed")
        return ExitCode.INTERRUPTED
    return ExitCode.OK


@click.group("store", cls=SectionedGroup)
def store() -> None:
    """Take care of the live store."""


store.add_command(rotate_key)
store.add_command(backup)
store.add_command(purge)
store.add_command(init)
store.add_command(copy)


@store.command(
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
@witness_option()
@common_options()
def check(head: str | None, lock_timeout: float | None, witness: str | None, *, mends: bool) -> int:
    """Look the store over: the file, bodies, references, and the chain of its history. Exits with 10 when something is broken.

    --repair mends what somebody has done to the tables outside of a run, in one transaction, and says what: notes,
    indexes and triggers are made anew, what belongs to no record is removed, a record that is not what was written is
    put before the next plan, and a break in the history is acknowledged by an entry behind it, never written over. It
    is a run of its own in the history, and takes a super admin, where the store has one. What is left is said; a file
    that is damaged in its pages takes a backup.

    Whoever may write to the file can write the whole history anew, and the chain fits again. Note the head that
    `apply -o json` and `apply -v` report where they cannot write, such as in the pipeline's log, and compare it
    with --head: a head is in the history for ever. --witness does both: it says too when a whole store is an older one.

    Of a ProcessMaker instance it is asked what it can do and what the token's user may do there, by reading alone. The
    state keeps that, so that `validate --target` knows it without asking.

    Formats (-o): text, json.
    """  # fmt: skip
    chosen = choose_format(STORE_FORMATS)
    hash_noted = _hash(head) if head is not None else ""
    if mends:
        return _repair(chosen, hash_noted, lock_timeout, witness)
    if lock_timeout is not None:
        raise UsageError("--lock-timeout goes with --repair, as looking waits for nobody", hint="leave it out")
    settings = settings_of_run()
    audit = with_live(open_state(settings, os.environ).audit(hash_noted), settings, os.environ)
    if witness is not None:
        audit = _with_witness(audit, settings, witness)
    _show_done(audit, chosen)
    return ExitCode.WORLD if audit.faults else ExitCode.OK


def _with_witness(audit: "Audit", settings: Settings, witness: str) -> "Audit":
    """The audit, with what the witness says of the store."""
    from reconciler.core.care import WITNESS, Fault
    from reconciler.wiring.witnesses import testimony

    said = testimony(settings, open_store(settings, os.environ), witness)
    problem = said.problem
    faults = (Fault(WITNESS, "; ".join((problem.message, *problem.details)), problem.hint),) if problem else ()
    return replace(audit, faults=(*audit.faults, *faults), notes=(*audit.notes, *said.notices))


def _show_done(audit: "Audit", chosen: str) -> None:
    if chosen == "json":
        from reconciler.render.history import audit_json

        answer(audit_json(audit))
    elif audit.faults or not options().quiet:
        from reconciler.render.care import audit_text

        answer(audit_text(audit, color=wants_color(options().color, sys.stdout)))


def _repair(chosen: str, hash_noted: str, lock_timeout: float | None, witness: str | None) -> int:
    """Mend, say what was mended, and look over what came of it."""
    from reconciler.services.care import REPAIR, repair_store

    run = open_run(PlanFlags("", True, False, None, None, None, lock_timeout=lock_timeout), judged=True)
    refuse_returned(run, witness)
    interrupts = click.get_current_context().find_object(SignalInterrupts) or SignalInterrupts()
    info = RunInfo(actor_of_run(), run.settings.owner, run.settings.target, "", now(), REPAIR)
    state = open_state(run.settings, os.environ)
    repair = repair_store(state.repairs(), run.store, info, named_actor(), interrupts)
    unnoted = noted(run, witness, repair.audit.head if repair.run is not None else "")
    audit = state.audit(hash_noted) if hash_noted else repair.audit
    if chosen == "json":
        from reconciler.render.history import audit_json

        answer(audit_json(audit, repair))
    else:
        from reconciler.render.care import repair_text

        if not options().quiet:
            answer(repair_text(repair))
        _show_done(audit, chosen)
    refuse_unnoted(unnoted)
    if interrupts.noted:
        say("interrupted too late: the store was already mended")
        return ExitCode.INTERRUPTED
    return ExitCode.WORLD if audit.faults else ExitCode.OK


def _hash(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise UsageError("--head takes a hash of 64 hexadecimal digits", hint="apply -o json reports it as run.head")
    return text.lower()
