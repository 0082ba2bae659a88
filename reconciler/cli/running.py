"""What the commands that work with a live store have in common."""

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler import __version__
from reconciler.cli.output import open_progress, say, say_read, say_warning, say_warnings, wants_color
from reconciler.cli.said import options
from reconciler.core.overrides import Override
from reconciler.core.plan import Plan
from reconciler.core.ports.secrets import SecretBackend
from reconciler.core.ports.source import Desired, Source
from reconciler.core.ports.store import Store
from reconciler.core.progress import UNTOLD, Untold
from reconciler.core.references import Bounds
from reconciler.diagnostics import has_errors
from reconciler.errors import InvalidDefinitions, UsageError
from reconciler.settings import Overrides, Settings, without_far_key
from reconciler.wiring.run import (
    default_actor,
    load_settings,
    locate_root,
    now,
    open_secrets,
    open_source,
    open_state,
    open_store,
    open_tokens,
    pipeline_actor,
)

if TYPE_CHECKING:
    from reconciler.cli.progress import Bar
    from reconciler.core.preflight import Verdict
    from reconciler.services.planning import Asked, Planned
    from reconciler.services.token_changes import KnownTokens


class Run(Struct, frozen=True):
    """The parts of a run."""

    settings: Settings
    source: Source
    store: Store
    secrets: SecretBackend
    progress: "Bar | Untold"


class PlanFlags(Struct, frozen=True):
    """Options of `plan` and `apply`."""

    ref: str
    no_prune: bool
    adopt: bool
    max_deletes: str | None
    secrets: str | None
    tokens: str | None
    preflight: bool = False
    lock_timeout: float | None = None
    overrides: tuple[Override, ...] = ()
    full: bool = False
    approvals: tuple[str, ...] = ()


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
    settings = load_settings(root, overrides)
    if reading:
        settings = without_far_key(settings)
    if said.verbose:
        say(f"repository {root}, target {settings.target}, store {settings.store}, owner {settings.owner}")
    if flags is None:
        warn_lost(settings)
    progress = open_progress()
    return Run(
        settings,
        open_source(root, flags.ref if flags else "", cached=not said.no_cache, settled=True, progress=progress),
        open_store(settings, os.environ),
        open_secrets(settings, os.environ),
        progress,
    )


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


def load_desired(source: Source, progress: "Bar | Untold" = UNTOLD) -> Desired:
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


def asked_of(run: Run, flags: PlanFlags, *, remember: bool) -> "Asked":
    """What a plan is asked to be.

    Args:
        remember: whether the plan is going to be carried out.
    """
    from reconciler.kinds.rules import rules_digest
    from reconciler.services.access_objections import AccessLimits
    from reconciler.services.plan_options import PlanOptions
    from reconciler.services.planning import Asked

    checks = run.settings.check_secrets if remember else run.settings.plan_checks_secrets
    plan_options = PlanOptions(
        target=run.settings.target,
        owner=run.settings.owner,
        prune=not flags.no_prune,
        adopt=flags.adopt,
        max_deletes=run.settings.max_deletes,
        actor=actor_of_run(),
        now=now(),
        limits=AccessLimits(named_actor(), run.settings.max_access_loss, flags.approvals),
        overrides=flags.overrides,
        require_commit=run.settings.require_commit,
        bounds=Bounds(str(run.settings.root), run.settings.secrets_allowed),
        secrets=run.secrets if checks else None,
        progress=run.progress,
    )
    tokens = partial(_known_tokens, run) if run.settings.fetch_tokens else None
    return Asked(plan_options, rules_digest(), tokens, remember)


def planned_with(run: Run, flags: PlanFlags, *, remember: bool = False) -> "Planned":
    """Load, compare, order, judge: what moved since the baseline, or else everything.

    With notices of deleted records that wait to be purged, and of what an apply does besides.

    Args:
        remember: whether the plan is going to be carried out.
    """
    from reconciler.core.baseline import Unprovable
    from reconciler.services.planning import plan_all, plan_part

    asked = asked_of(run, flags, remember=remember)
    planned = None
    if not flags.full:
        try:
            planned = plan_part(run.source, run.store, asked)
        except Unprovable as reason:
            if options().verbose:
                say(f"looking at everything: {reason}")
        else:
            _say_part(planned)
    if planned is None:
        desired = load_desired(run.source, run.progress)
        with run.progress:
            planned = plan_all(desired, run.source, run.store, asked)
    notices = _notices(run, remember=remember)
    return replace(planned, plan=replace(planned.plan, notices=(*planned.plan.notices, *notices)))


def _say_part(planned: "Planned") -> None:
    if not options().quiet:
        say_warnings(planned.warnings, options().color)
    if options().verbose:
        say(f"looked at {planned.files} files and {planned.records} records, of which something moved")


def _notices(run: Run, *, remember: bool) -> tuple[str, ...]:
    from reconciler.services.waiting import waiting_notice

    settings = run.settings
    said = waiting_notice(run.store, settings.owner, settings.quarantine_days, now())
    if settings.check_secrets and not (remember or settings.plan_checks_secrets):
        return (
            *said,
            "an apply to this target compares the values of all secrets too; so does a plan with --secrets check",
        )
    return said


def _known_tokens(run: Run, desired: Desired) -> "KnownTokens | None":
    """What the store holds of tokens; None when no connector needs one, which saves loading what knows of them."""
    if not any(resource.needs_token for resource in desired.resources.values()):
        return None
    from reconciler.services.token_changes import KnownTokens

    return KnownTokens(open_tokens(run.settings, run.store).keeper.states(), now())


def preflight_of(run: Run, plan: Plan) -> "list[Verdict]":
    """What trying the connectors that change finds."""
    from reconciler.services.preflight import preflight

    with run.progress:
        return preflight(plan, run.store, run.secrets, open_tokens(run.settings, run.store, progress=run.progress))
