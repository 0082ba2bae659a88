"""A run of a command that works with a live store: opened, planned, and saved as a file."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli.options import parse_duration
from reconciler.cli.output import open_progress, options, say, say_read, say_warning, say_warnings, wants_color
from reconciler.core.calls import later
from reconciler.core.history import duration
from reconciler.core.plan import Plan
from reconciler.core.ports.source import Desired, Source
from reconciler.core.progress import UNTOLD, ShownProgress
from reconciler.diagnostics import Diagnostic, FaultyDefinitions, has_errors
from reconciler.errors import GuardStopped, InvalidDefinitions, RecordConflict, UsageError
from reconciler.settings import Overrides, Settings
from reconciler.source.repository import Extent
from reconciler.version import __version__
from reconciler.wiring.plan import OpenedRun, PlanFlags, asked_of, make, run_of, settings_of, with_notes
from reconciler.wiring.roots import locate_root
from reconciler.wiring.run import default_actor, load_settings, now, open_state, open_tokens, pipeline_actor

if TYPE_CHECKING:
    from reconciler.core.baseline import Memory
    from reconciler.core.calls import PreflightVerdict
    from reconciler.core.saved_plan import SavedPlan
    from reconciler.services.plan import Asked, Planned


def open_run(
    flags: PlanFlags | None = None, target: str | None = None, *, reading: bool = False, judged: bool = False
) -> OpenedRun:
    """Settings, source, store and secrets from the command line, the project file and the environment.

    Args:
        flags: None for a command that only reads the store; it is told at once where the store was lost.
        target: the one that is used where the command line names none.
        reading: whether nothing is going to be written to the store; see `without_far_key`.
        judged: whether the command writes to the store; see `Overrides`.
    """
    said = options()
    root = locate_root(said.directory)
    overrides = Overrides(
        target=said.target or target,
        store=said.store,
        env_file=said.env_file,
        secrets_allowed=said.secrets_allowed,
        max_deletes=flags.max_deletes if flags else None,
        secrets=flags.secrets if flags else None,
        tokens=flags.tokens if flags else None,
        lock_seconds=flags.lock_timeout if flags else None,
        judged=judged,
        say=say,
    )
    settings = settings_of(root, overrides, reading=reading)
    if said.verbose:
        say(f"repository {root}, target {settings.target}, store {settings.store}, owner {settings.owner}")
    if flags is None:
        warn_lost(settings)
    return run_of(settings, flags.ref if flags else "", open_progress(), cached=not said.no_cache)


def settings_of_run(*, judged: bool = False) -> Settings:
    """Settings of a command that makes no plan.

    Args:
        judged: whether it writes to the store; see `Overrides`.
    """
    said = options()
    overrides = Overrides(
        target=said.target,
        store=said.store,
        env_file=said.env_file,
        secrets_allowed=said.secrets_allowed,
        judged=judged,
        say=say,
    )
    return load_settings(locate_root(said.directory), overrides)


def warn_lost(settings: Settings) -> None:
    """Tell that the store was lost, where that is so: what a command reads of it says that there was nothing."""
    from reconciler.core.guards import BRING_BACK, LOST_STORE

    if found := open_state(settings, os.environ).lost():
        say_warning(LOST_STORE, found, BRING_BACK)


def named_actor() -> str:
    """Whom the command line, the environment or the pipeline names as the one who acts, or "".

    The account does not count: anybody can have one of any name.

    Raises:
        UsageError: what they say is no name.
    """
    said = options().actor
    name = pipeline_actor(os.environ) if said is None else said
    if said is not None and not said.strip():
        raise UsageError("--as names nobody", hint="leave it out, or name who makes the change")
    if not name.isprintable() or len(name) > 255:
        raise UsageError("the actor's name holds what no name holds", hint="check --as, RECONCILER_AS and the pipeline's variables")  # fmt: skip
    return name


def actor_of_run() -> str:
    """Who is told to have acted."""
    return named_actor() or default_actor(os.environ)


def load_desired(
    source: Source, progress: ShownProgress = UNTOLD, *, undone: str = "nothing was planned", warn: bool = True
) -> Desired:
    """The desired state; faults are shown.

    Args:
        progress: what `source` tells how far it has come.
        undone: what is not done where there are errors.
        warn: whether warnings are shown too.

    Raises:
        InvalidDefinitions: there are errors.
    """
    with progress:
        desired = source.load()
    if has_errors(list(desired.diagnostics)):
        show_faults(desired, desired.diagnostics)
        invalid = InvalidDefinitions(f"the definitions are not valid; {undone}", hint="run: reconciler validate")
        raise invalid from FaultyDefinitions(desired.diagnostics)
    if warn and not options().quiet:
        say_warnings(desired.diagnostics, options().color)
    if options().verbose:
        say_read(desired)
    return desired


def planned_with(run: OpenedRun, flags: PlanFlags, *, remember: bool = False) -> "Planned":
    """Load, compare, order, judge; what was found and looked at is told."""
    asked = asked_by(run, flags, remember=remember)
    planned = make(run, asked, partial(load_desired, run.source, run.progress), _say_details, full=flags.full)
    if planned.narrowed:
        if not options().quiet:
            say_warnings(planned.warnings, options().color)
        _say_details(f"looked at {planned.files} files and {planned.records} records, of which something moved")
    return planned


def _say_details(text: str) -> None:
    if options().verbose:
        say(text)


def asked_by(run: OpenedRun, flags: PlanFlags, *, remember: bool) -> "Asked":
    """What whoever acts asks a plan to be; see `asked_of`."""
    return asked_of(run, flags, actor_of_run(), named_actor(), remember=remember)


def preflight_of(run: OpenedRun, plan: Plan) -> "list[PreflightVerdict]":
    """What trying the connectors that change finds."""
    from reconciler.services.preflight import preflight

    with run.progress:
        return preflight(plan, run.store, run.secrets, open_tokens(run.settings, run.store, progress=run.progress))


VALID_FOR = "7d"


class Saving(Struct, frozen=True):
    """Where to save a plan, the key to sign it with, and how long it is good for."""

    out: Path | None
    sign_key: Path | None
    valid_for: str


def save(run: OpenedRun, plan: Plan, flags: PlanFlags, saving: Saving, verb: str) -> None:
    """Save a plan, where that is asked for, and say what to do with it."""
    if saving.out is None:
        return
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


def open_saved(path: Path, flags: PlanFlags, keys: Sequence[Path]) -> "tuple[OpenedRun, Plan, str, Memory | None]":
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
    run = open_run(flags, target=saved.target if options().store is None else None, judged=True)
    trusted = list(keys) or list(run.settings.signed_by)
    if trusted:
        named = refuse_unsigned(saved, trusted)
        if options().verbose:
            say(f"signed by {named}")
    elif saved.signature and not options().quiet:
        say(f"the plan says that {saved.signed_by} signed it; that was not looked at: --verify KEY")
    asked = asked_by(run, replace(flags, adopt=saved.adopt), remember=True)
    with run.progress:
        try:
            plan = with_notes(revive(saved, run.store, asked.options), run.store)
        except RecordConflict as conflict:
            raise _applied_before(saved, run) or conflict from None
        memory = _memory(run, plan, asked) if saved.verb == "apply" else None
    return run, plan, saved.verb, memory


def _applied_before(saved: "SavedPlan", run: OpenedRun) -> RecordConflict | None:
    """That the very plan was carried out once, which explains that it is stale now."""
    with closing(open_state(run.settings, os.environ).history()) as history:
        done = [entry for entry in history.runs(since=saved.created) if entry.plan == saved.fingerprint]
    if not done:
        return None
    first = min(done, key=lambda entry: entry.id)
    return RecordConflict(
        f"the plan was already applied as run {first.id}, by {first.actor} at {first.finished}; nothing was changed now",
        hint="see it with: reconciler history; what there is to do now with: reconciler plan",
    )


def _memory(run: OpenedRun, plan: Plan, asked: "Asked") -> "Memory | None":
    """What the store is to remember once the plan is carried out."""
    from reconciler.services.saved_plans import memory_of_saved
    from reconciler.wiring.run import open_source

    source = open_source(run.settings.root, plan.revision.commit, Extent(progress=run.progress))
    return memory_of_saved(plan, source, run.store, asked)


def refuse_demanded(run: OpenedRun, plan: Plan, branch: str | None, *, saved: bool) -> None:
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


def show_faults(desired: Desired, found: Sequence[Diagnostic]) -> None:
    """Show diagnostics of what was read, with the lines that they are about."""
    from reconciler.render import diagnostics as render

    color = wants_color(options().color, sys.stderr)
    checked = render.Checked(len(desired.files), desired.documents, desired.files, __version__)
    sys.stderr.write(render.render("text", found, checked=checked, color=color))
