"""Plan what moved since the baseline, or everything."""

from collections.abc import Callable

from msgspec import Struct

from reconciler.core.baseline import KeepsBaselines, Memory, TracksChanges, Unprovable
from reconciler.core.plan import Plan
from reconciler.core.ports.source import Desired, Source
from reconciler.core.ports.store import Store
from reconciler.diagnostics import Diagnostic
from reconciler.errors import SourceUnavailable
from reconciler.services.narrowing import narrow
from reconciler.services.plan import make_plan
from reconciler.services.plan_options import PlanOptions
from reconciler.services.remembering import memory_of_all, memory_of_part
from reconciler.services.scope import scope_of
from reconciler.services.token_changes import KnownTokens

KnowTokens = Callable[[Desired], KnownTokens | None]
"""From what is declared to what the store holds of its tokens."""


class Planned(Struct, frozen=True):
    """A plan, and what is told and remembered beside it.

    Attributes:
        memory: None where the store is to remember nothing.
        files, records: how many were looked at.
        narrowed: whether those are what something moved of, and not all.
    """

    plan: Plan
    warnings: tuple[Diagnostic, ...]
    memory: Memory | None
    files: int
    records: int
    narrowed: bool = False


class Asked(Struct, frozen=True):
    """What both ways of planning take.

    Attributes:
        rules: stands for what definitions are judged by.
        tokens: None to leave access tokens alone.
        remember: whether the plan is going to be carried out.
    """

    options: PlanOptions
    rules: str
    tokens: KnowTokens | None
    remember: bool


def plan_part(source: Source, store: Store, asked: Asked) -> Planned:
    """Plan what moved since the baseline.

    Raises:
        Unprovable: everything has to be looked at; the message says why.
    """
    if not isinstance(source, TracksChanges) or not isinstance(store, KeepsBaselines):
        raise Unprovable("the store or the source does not keep track")
    if asked.options.secrets is not None:
        raise Unprovable("all secrets are looked at")
    moved = store.moved()
    if any(one.before is None or one.now is None or one.before.key != one.now.key for one in moved):
        raise Unprovable("records were made, removed or renamed outside of a run")
    options = asked.options
    parts, index = source.parts(), store.index(options.owner)
    try:
        found = narrow(parts, index, options.owner, asked.rules, options.now, tokens=asked.tokens is not None)
    except SourceUnavailable as failure:
        raise Unprovable(failure.message) from failure
    known = asked.tokens(found.desired) if asked.tokens else None
    plan = make_plan(found.desired, source, store, options, known, scope_of(found, index, moved))
    memory = None
    base = index.baseline()
    still = base is not None and not found.files and (base.trees, base.revision) == (parts.trees, found.revision)
    if asked.remember and not still:
        memory = _or_none(lambda: memory_of_part(plan, found, parts, asked.rules, options.now))
    return Planned(plan, found.desired.diagnostics, memory, len(found.files), len(found.live), narrowed=True)


def plan_all(desired: Desired, source: Source, store: Store, asked: Asked) -> Planned:
    """Plan everything. `desired` has no errors.

    Raises:
        SecretUnavailable: see `make_plan`.
    """
    options = asked.options
    known = asked.tokens(desired) if asked.tokens else None
    plan = make_plan(desired, source, store, options, known)
    memory = None
    if asked.remember and isinstance(source, TracksChanges) and isinstance(store, KeepsBaselines) and desired.resources:
        revision = store.index(options.owner).revision()
        memory = _or_none(lambda: memory_of_all(plan, desired, source, revision, asked.rules, options.now))
    return Planned(plan, desired.diagnostics, memory, len(desired.files), plan.owned)


def _or_none(make: Callable[[], Memory]) -> Memory | None:
    try:
        return make()
    except (Unprovable, SourceUnavailable):
        return None
