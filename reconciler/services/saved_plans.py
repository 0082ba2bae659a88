"""From a saved plan to one that can be carried out: the same changes to the same records, or none at all."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from reconciler.core.access import AccessTarget
from reconciler.core.baseline import Index, KeepsBaselines, Memory, Unprovable
from reconciler.core.diff import Origin
from reconciler.core.matching import Match
from reconciler.core.model import Bodies, Key, Record, owned_by
from reconciler.core.plan import UNWRITTEN, Change, Plan, fingerprint_of
from reconciler.core.ports.source import Past, Source
from reconciler.core.ports.store import Store
from reconciler.core.saved_plan import Precondition, SavedPlan, SavedStep
from reconciler.diagnostics import has_errors
from reconciler.errors import RecordConflict, SourceUnavailable, UsageError
from reconciler.kinds.access import live_target
from reconciler.kinds.canonical import fold, leaves, moved, readable
from reconciler.kinds.drift import paired
from reconciler.kinds.registry import KINDS, address
from reconciler.services.changes import NO_BODIES, Elsewhere, change_of, elsewhere_of
from reconciler.services.due_changes import add_fields, with_field
from reconciler.services.judgement import Around, PlanOptions, complete
from reconciler.services.plan import Asked, Planned, plan_all, plan_part
from reconciler.services.restore import undeleted
from reconciler.services.scope import refuse_lost
from reconciler.services.shifts import Covering

_AGAIN = "make and review a new plan"


def revive(saved: SavedPlan, store: Store, options: PlanOptions) -> Plan:
    """The plan as it was reviewed, judged by what is live now.

    Raises:
        RecordConflict: it has expired, or something that it touches or refers to moved since.
        UsageError: it is for another target, owner or store.
        GuardStopped: the store that it is for was lost.
    """
    _refuse_elsewhere(saved, store, options)
    if datetime.fromisoformat(options.now) >= datetime.fromisoformat(saved.expires):
        raise RecordConflict(f"the plan has expired: it was good until {saved.expires}", hint=_AGAIN)
    bodies = store.bodies(step.record.uid for step in saved.steps if step.record)
    live, mine, others = _concerned(saved, store, bodies, options.owner)
    _refuse_stale(saved, store, live, bodies)
    by_uid = {record.uid: record for record in live.values()}
    elsewhere = elsewhere_of(paired(store.moved()), store, options.owner, others=others)
    changes = [_change(step, by_uid, bodies, elsewhere, store, saved.created) for step in saved.steps]
    plan = complete(
        [change for change in changes if change],
        live,
        store,
        options,
        saved.revision,
        Around(lambda: Covering(_targets(saved, store)), mine, kept=saved.kept),
    )
    if fingerprint_of(plan) != saved.fingerprint:
        message = "the plan cannot be carried out as it was reviewed: other changes would come of it"
        raise RecordConflict(message, hint=f"it was made by version {saved.tool}; {_AGAIN}")
    return plan


def _concerned(
    saved: SavedPlan, store: Store, bodies: Mapping[str, Bodies], owner: str
) -> tuple[Mapping[Key, Record], Counter[str], bool]:
    """The live records that the plan can concern, how many of each kind the owner has, and whether others have some.

    Concerned is what it touches and refers to, who bears a display name of one that it leaves, and all policies and
    groups, by which it is judged.
    """
    if not isinstance(store, KeepsBaselines):
        every = store.records()
        mine = owned_by(every, owner)
        return every, mine, mine.total() < len(every)
    index = _index(store, owner)
    starts = index.identified(step.record.uid for step in saved.steps if step.record)
    keys = {record.key for record in starts} | {referred.key for referred in saved.refers}
    names = {(record.key.kind, record.display) for record in starts}
    for step in saved.steps:
        keys.add(step.key)
        for body in _may_leave(step, bodies):
            keys.update(Key(ref.kind, ref.name) for ref in KINDS[step.key.kind].references(body["spec"]))
            names.add((step.key.kind, fold(str(body["spec"].get("displayName", "")))))
    keys.update(index.namesakes(name for name in names if name[1]))
    found = index.records(keys, ("Group", "PermissionPolicy"))
    return {record.key: record for record in found}, Counter(index.owned()), index.has_others()


def _may_leave(step: SavedStep, bodies: Mapping[str, Bodies]) -> Iterator[dict[str, Any]]:
    """The bodies that what a step leaves is made of: the declared one, the live one, one that comes back."""
    if step.resource is not None:
        yield step.resource.content.value
    if step.written is not None:
        yield step.written.value
    if step.record is not None and step.record.uid in bodies:
        live, valid = readable(step.key.kind, bodies[step.record.uid].live)
        if valid:
            yield live.value


def _index(store: KeepsBaselines, owner: str) -> Index:
    return store.index(owner)


def _refuse_elsewhere(saved: SavedPlan, store: Store, options: PlanOptions) -> None:
    for what, planned, here in (("target", saved.target, options.target), ("owner", saved.owner, options.owner)):
        if planned != here:
            raise UsageError(f"the plan is for the {what} '{planned}', and not for '{here}'", hint="check --target, --store and -C")  # fmt: skip
    identity = store.identity()
    if saved.store and identity != saved.store:
        refuse_lost(store)
        raise UsageError("the plan is for another store", hint="check --target, --store and -C")


def _refuse_stale(saved: SavedPlan, store: Store, live: Mapping[Key, Record], bodies: Mapping[str, Bodies]) -> None:
    """Stop when a record moved that the plan touches, or one is gone that it refers to."""
    by_uid = {record.uid: record for record in live.values()}
    touched = {step.record.uid for step in saved.steps if step.record}
    deleted = {item.uid: item.run for item in store.deleted()} if any(step.revival for step in saved.steps) else {}
    lines: list[str] = []
    for step in saved.steps:
        if step.record is not None:
            lines += _moved(step.record, by_uid.get(step.record.uid), bodies)
        elif step.key in live and live[step.key].uid not in touched:
            lines.append(f"{address(*step.key)} was created")
        if step.revival is not None and step.revival.quarantined and deleted.get(step.revival.uid) != step.revival.run:
            lines.append(f"{address(*step.key)} was restored or purged")
    for referred in saved.refers:
        found = live.get(referred.key)
        if found is None or found.uid != referred.uid:
            lines.append(
                f"{address(*referred.key)}, which it refers to, {'is gone' if found is None else 'is another'}"
            )
    if lines:
        message = "the plan is stale: live records moved after planning; nothing was changed"
        raise RecordConflict(message, hint=_AGAIN, details=tuple(lines))


def _moved(planned: Precondition, found: Record | None, bodies: Mapping[str, Bodies]) -> Iterator[str]:
    what = address(*planned.key)
    if found is None:
        yield f"{what} was deleted"
        return
    if found.key != planned.key:
        yield f"{what} was renamed to {address(*found.key)}"
    if found.owner != planned.owner:
        yield f"{what} belongs to {found.owner or 'nobody'} now, not to {planned.owner or 'nobody'}"
    if found.fingerprint != planned.fingerprint:
        body = bodies.get(planned.uid, NO_BODIES).live
        fields = moved(planned.leaves, leaves(readable(found.key.kind, body)[0].value))
        yield from (f"{what} {line}" for line in fields or ("was changed",))
    elif found.applied != planned.applied:
        yield f"{what} was applied to by another run"


def _change(
    step: SavedStep,
    by_uid: Mapping[str, Record],
    bodies: Mapping[str, Bodies],
    elsewhere: Elsewhere,
    store: Store,
    created: str,
) -> Change | None:
    """The change anew, from the same record, declaration and time."""
    record = by_uid[step.record.uid] if step.record else None
    before = bodies.get(record.uid, NO_BODIES) if record else NO_BODIES
    tokens = tuple(field for field in step.unwritten if field.origin is Origin.TOKEN)
    secrets = tuple(field for field in step.unwritten if field.origin is Origin.SECRET)
    if step.revival is not None and step.resource is not None:
        past = {step.key: Past(step.revival.uid, step.written, step.revival)} if step.written is not None else None
        found = Match(step.action, step.resource, None, step.revival)
        return next(replace(change, notes=step.notes) for change in undeleted([found], store, past, created))
    change = change_of(Match(step.action, step.resource, record), before, elsewhere, created)
    if step.resource is not None and record is not None:
        if secrets:
            change = add_fields(change, step.resource, record, secrets, store)
        for field in tokens:
            change = with_field(change, step.resource, record, field)
    return replace(change, notes=step.notes) if change else None


def _targets(saved: SavedPlan, store: Store) -> Iterator[AccessTarget]:
    """What permissions can be about after the plan."""
    touched = {step.record.key for step in saved.steps if step.record}
    for found in store.search(None, None):
        key = Key(found.kind, found.name)
        if key not in touched:
            yield live_target(key, found.content)
    for step in saved.steps:
        if step.resource is not None:
            yield live_target(step.key, step.resource.content.value)


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
    return all(field.origin in UNWRITTEN for field in change.fields)


def _write(change: Change) -> tuple[object, ...]:
    record = change.record.uid if change.record else change.revival.uid if change.revival else None
    declared = change.resource.fingerprint if change.resource else None
    return change.action, change.key, record, change.body, declared
