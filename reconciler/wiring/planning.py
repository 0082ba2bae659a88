"""The parts of a run, and a plan made of them: for the command line and for the Python API alike."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.guards import Override
from reconciler.core.ports.source import Desired, SecretBackend, Source
from reconciler.core.ports.store import Store
from reconciler.core.progress import Shown
from reconciler.core.references import Bounds
from reconciler.settings import Overrides, Settings, without_far_key
from reconciler.wiring.run import load_settings, now, open_secrets, open_source, open_store, open_tokens

if TYPE_CHECKING:
    from reconciler.services.due_changes import KnownTokens
    from reconciler.services.plan import Asked, Planned


class Run(Struct, frozen=True):
    """The parts of a run."""

    settings: Settings
    source: Source
    store: Store
    secrets: SecretBackend
    progress: Shown


class PlanFlags(Struct, frozen=True):
    """How to plan, as whoever asks for it says."""

    ref: str = ""
    no_prune: bool = False
    adopt: bool = False
    max_deletes: str | None = None
    secrets: str | None = None
    tokens: str | None = None
    preflight: bool = False
    lock_timeout: float | None = None
    overrides: tuple[Override, ...] = ()
    full: bool = False
    approvals: tuple[str, ...] = ()


def settings_of(root: Path, given: Overrides, *, reading: bool) -> Settings:
    """The settings of a run.

    Args:
        reading: whether nothing is going to be written to the store; see `without_far_key`.

    Raises:
        InvalidDefinitions: the project file is wrong.
        UsageError: see `settle`.
    """
    settings = load_settings(root, given)
    return without_far_key(settings) if reading else settings


def run_of(settings: Settings, ref: str, progress: Shown, *, cached: bool) -> Run:
    """The parts of a run; nothing is opened before it is used.

    Args:
        ref: names the commit whose definitions are read, "" for the working tree.
        cached: whether what was read before may be used, and what is read be kept.

    Raises:
        UsageError: no driver for the store's URL.
    """
    source = open_source(settings.root, ref, cached=cached, settled=True, progress=progress)
    return Run(settings, source, open_store(settings, os.environ), open_secrets(settings, os.environ), progress)


def asked_of(run: Run, flags: PlanFlags, actor: str, named: str, *, remember: bool) -> "Asked":
    """What a plan is asked to be.

    Args:
        actor: whose plan it is said to be.
        named: the same, where somebody has named whoever acts, or "".
        remember: whether the plan is going to be carried out.
    """
    from reconciler.kinds.schemas import rules_digest
    from reconciler.services.access_objections import AccessLimits
    from reconciler.services.judgement import PlanOptions
    from reconciler.services.plan import Asked

    settings = run.settings
    checks = settings.check_secrets if remember else settings.plan_checks_secrets
    plan_options = PlanOptions(
        target=settings.target,
        owner=settings.owner,
        prune=not flags.no_prune,
        adopt=flags.adopt,
        max_deletes=settings.max_deletes,
        actor=actor,
        now=now(),
        limits=AccessLimits(named, settings.max_access_loss, flags.approvals),
        overrides=flags.overrides,
        require_commit=settings.require_commit,
        bounds=Bounds(str(settings.root), settings.secrets_allowed),
        secrets=run.secrets if checks else None,
        progress=run.progress,
    )
    tokens = partial(_known_tokens, run) if settings.fetch_tokens else None
    return Asked(plan_options, rules_digest(), tokens, remember)


def _known_tokens(run: Run, desired: Desired) -> "KnownTokens | None":
    """What the store holds of tokens; None when no connector needs one, which saves loading what knows of them."""
    if not any(resource.needs_token for resource in desired.resources.values()):
        return None
    from reconciler.services.due_changes import KnownTokens

    return KnownTokens(open_tokens(run.settings, run.store).keeper.states(), now())


def make(
    run: Run, asked: "Asked", load: Callable[[], Desired], tell: Callable[[str], None], *, full: bool = False
) -> "Planned":
    """Compare, order, judge: what moved since the baseline, or else everything.

    With notices of deleted records that wait to be purged, and of what an apply does besides.

    Args:
        load: gives all that is desired, without errors.
        tell: is told why everything has to be looked at.
        full: whether everything is looked at in any case.
    """
    from reconciler.services.judgement import waiting_notice

    planned = _planned(run, asked, load, tell, full=full)
    settings = run.settings
    said = waiting_notice(run.store, settings.owner, settings.quarantine_days, now())
    if settings.check_secrets and not (asked.remember or settings.plan_checks_secrets):
        said = (
            *said,
            "an apply to this target compares the values of all secrets too; so does a plan with --secrets check",
        )
    plan = replace(planned.plan, notices=(*planned.plan.notices, *said)) if said else planned.plan
    return replace(planned, plan=plan)


def _planned(
    run: Run, asked: "Asked", load: Callable[[], Desired], tell: Callable[[str], None], *, full: bool
) -> "Planned":
    from reconciler.core.baseline import Unprovable
    from reconciler.services.plan import plan_all, plan_part

    if not full:
        try:
            return plan_part(run.source, run.store, asked)
        except Unprovable as reason:
            tell(f"looking at everything: {reason}")
    desired = load()
    with run.progress:
        return plan_all(desired, run.source, run.store, asked)
