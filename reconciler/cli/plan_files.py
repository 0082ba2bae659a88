"""Saved plans on the command line: `plan --out` and `apply FILE`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli.output import say
from reconciler.cli.parsing import parse_duration
from reconciler.cli.running import asked_by, open_run
from reconciler.cli.said import options
from reconciler.core.calls import later
from reconciler.core.history import duration
from reconciler.core.plan import Plan
from reconciler.errors import GuardStopped, UsageError
from reconciler.wiring.plan import PlanFlags, Run
from reconciler.wiring.run import now

if TYPE_CHECKING:
    from reconciler.core.baseline import Memory
    from reconciler.services.plan import Asked

VALID_FOR = "7d"


class Saving(Struct, frozen=True):
    """Where to save a plan, the key to sign it with, and how long it is good for."""

    out: Path | None
    sign_key: Path | None
    valid_for: str


def save(run: Run, plan: Plan, flags: PlanFlags, saving: Saving, verb: str) -> None:
    """Save a plan, where that is asked for, and say what to do with it."""
    if saving.out is None:
        return
    from reconciler import __version__
    from reconciler.render.saved_plan import About
    from reconciler.wiring.saved_plans import write_plan

    created = now()
    seconds = parse_duration("--valid-for", saving.valid_for)
    expires = later(created, seconds)
    about = About(__version__, created, expires, verb, run.store.identity(), flags.adopt)
    named = write_plan(plan, saving.out, run.store, about, key_file=saving.sign_key, environment=os.environ)
    if not options().quiet:
        signed = f", signed by {named}" if named else ""
        say(f"saved to {saving.out}{signed}; good for {duration(seconds)}: reconciler apply {saving.out}")


def refuse_unsaved(saving: Saving) -> None:
    """Stop when a key is named and no file.

    Raises:
        UsageError: it is.
    """
    if saving.sign_key is not None and saving.out is None:
        raise UsageError("--sign signs a saved plan", hint="name the file with --out FILE")


def open_saved(path: Path, flags: PlanFlags, keys: Sequence[Path]) -> "tuple[Run, Plan, str, Memory | None]":
    """The parts of a run, the plan that was saved, the command that made it, and what the store is to remember of it.

    Args:
        keys: public keys, of which one must have signed it; those of the target count when none is given.

    Raises:
        GuardStopped: it was edited, or is not signed as it has to be.
        RecordConflict: it is stale or has expired.
        UsageError: it is no saved plan, or one for another target, owner or store.
    """
    from reconciler.services.saved_plans import revive
    from reconciler.wiring.saved_plans import read_plan, refuse_unsigned

    saved = read_plan(path)
    run = open_run(flags, target=saved.target if options().store is None else None)
    trusted = list(keys) or list(run.settings.signed_by)
    if trusted:
        named = refuse_unsigned(saved, trusted)
        if options().verbose:
            say(f"signed by {named}")
    elif saved.signature and not options().quiet:
        say(f"the plan says that {saved.signed_by} signed it; that was not looked at: --verify KEY")
    asked = asked_by(run, replace(flags, adopt=saved.adopt), remember=True)
    with run.progress:
        plan = revive(saved, run.store, asked.options)
        memory = _memory(run, plan, asked) if saved.verb == "apply" else None
    return run, plan, saved.verb, memory


def _memory(run: Run, plan: Plan, asked: "Asked") -> "Memory | None":
    """What the store is to remember once the plan is carried out."""
    from reconciler.services.saved_plans import memory_of_saved
    from reconciler.wiring.run import open_source

    source = open_source(run.settings.root, plan.revision.commit, progress=run.progress)
    return memory_of_saved(plan, source, run.store, asked)


def refuse_demanded(run: Run, plan: Plan, branch: str | None, *, saved: bool) -> None:
    """Stop when the target or the command line demands more of a plan than this one has.

    Args:
        branch: on which its commit has to be; None for the target's.

    Raises:
        GuardStopped: it does.
    """
    if run.settings.signed_by and not saved:
        raise GuardStopped(
            f"the target {run.settings.target} takes signed plans only",
            hint="save and sign it with --out FILE --sign KEY, then: reconciler apply FILE",
        )
    wanted = branch or run.settings.require_commit_on
    if wanted and plan.changes:
        from reconciler.wiring.saved_plans import refuse_off_branch

        refuse_off_branch(run.settings.root, plan.revision, wanted)
