"""What the store may remember after a saved plan: its commit is planned anew, and has to give the same plan."""

from msgspec.structs import replace

from reconciler.core.baseline import Memory, Unprovable
from reconciler.core.diff import Origin
from reconciler.core.plan import Change, Plan
from reconciler.core.ports.source import Source
from reconciler.core.ports.store import Store
from reconciler.diagnostics import has_errors
from reconciler.errors import SourceUnavailable, UsageError
from reconciler.services.planning import Asked, Planned, plan_all, plan_part

_UNWRITTEN = frozenset((Origin.SECRET, Origin.TOKEN))


def memory_of_saved(plan: Plan, source: Source, store: Store, asked: Asked) -> Memory | None:
    """What holds once `plan` is carried out; None where that cannot be told.

    Args:
        plan: as it was saved.
        source: the definitions of its commit.
        asked: how it was made. Secrets and tokens are left out, as a memory is not about them.
    """
    if plan.revision.past or plan.revision.dirty or not plan.revision.commit:
        return None
    try:
        planned = _planned(
            source, store, replace(asked, options=replace(asked.options, secrets=None), tokens=None, remember=True)
        )
    except (SourceUnavailable, UsageError):  # this clone does not have the commit
        return None
    if planned is None or planned.plan.confirmed or _writes(planned.plan) != _writes(plan):
        return None
    return planned.memory


def _planned(source: Source, store: Store, asked: Asked) -> Planned | None:
    try:
        return plan_part(source, store, asked)
    except Unprovable:
        desired = source.load()
        return None if has_errors(list(desired.diagnostics)) else plan_all(desired, source, store, asked)


def _writes(plan: Plan) -> set[tuple[object, ...]]:
    """What a plan leaves in the records, and what it declares of them."""
    return {_write(change) for change in plan.changes if not change.fields or not _is_unwritten(change)}


def _is_unwritten(change: Change) -> bool:
    return all(field.origin in _UNWRITTEN for field in change.fields)


def _write(change: Change) -> tuple[object, ...]:
    record = change.record.uid if change.record else change.revival.uid if change.revival else None
    declared = change.resource.fingerprint if change.resource else None
    return change.action, change.key, record, change.body, declared
