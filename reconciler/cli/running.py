"""What the commands that work with a live store have in common."""

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.cli.output import open_progress, say, say_read, say_warning, say_warnings, wants_color
from reconciler.cli.said import options
from reconciler.core.plan import Plan
from reconciler.core.ports.source import Desired, Source
from reconciler.core.progress import UNTOLD, Shown
from reconciler.diagnostics import has_errors
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.settings import Overrides, Settings
from reconciler.wiring.plan import PlanFlags, Run, asked_of, make, run_of, settings_of
from reconciler.wiring.run import default_actor, load_settings, locate_root, open_state, open_tokens, pipeline_actor

if TYPE_CHECKING:
    from reconciler.core.calls import Verdict
    from reconciler.services.plan import Asked, Planned


def open_run(flags: PlanFlags | None = None, target: str | None = None, *, reading: bool = False) -> Run:
    """Settings, source, store and secrets from the command line, the project file and the environment.

    Args:
        flags: None for a command that only reads the store; it is told at once where the store was lost.
        target: the one that is used where the command line names none.
        reading: whether nothing is going to be written to the store; see `without_far_key`.
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
    )
    settings = settings_of(root, overrides, reading=reading)
    if said.verbose:
        say(f"repository {root}, target {settings.target}, store {settings.store}, owner {settings.owner}")
    if flags is None:
        warn_lost(settings)
    return run_of(settings, flags.ref if flags else "", open_progress(), cached=not said.no_cache)


def settings_of_run() -> Settings:
    """Settings of a command that only reads the store."""
    said = options()
    overrides = Overrides(target=said.target, store=said.store, env_file=said.env_file)
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


def load_desired(source: Source, progress: Shown = UNTOLD) -> Desired:
    """The desired state; faults are shown.

    Args:
        progress: what `source` tells how far it has come.

    Raises:
        InvalidDefinitions: there are errors.
    """
    with progress:
        desired = source.load()
    if has_errors(list(desired.diagnostics)):
        from reconciler.render import diagnostics as render

        color = wants_color(options().color, sys.stderr)
        checked = render.Checked(len(desired.files), desired.documents, desired.files, __version__)
        sys.stderr.write(render.render("text", desired.diagnostics, checked=checked, color=color))
        raise InvalidDefinitions("the definitions are not valid; nothing was planned", hint="run: reconciler validate")
    if not options().quiet:
        say_warnings(desired.diagnostics, options().color)
    if options().verbose:
        say_read(desired)
    return desired


def planned_with(run: Run, flags: PlanFlags, *, remember: bool = False) -> "Planned":
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


def asked_by(run: Run, flags: PlanFlags, *, remember: bool) -> "Asked":
    """What whoever acts asks a plan to be; see `asked_of`."""
    return asked_of(run, flags, actor_of_run(), named_actor(), remember=remember)


def preflight_of(run: Run, plan: Plan) -> "list[Verdict]":
    """What trying the connectors that change finds."""
    from reconciler.services.preflight import preflight

    with run.progress:
        return preflight(plan, run.store, run.secrets, open_tokens(run.settings, run.store, progress=run.progress))
