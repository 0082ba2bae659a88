"""Tell drift from the store alone, and what git should declare of a record that drifted."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from reconciler.core.diff import MISSING, FieldChange, Origin, at, diff, origin, put, same
from reconciler.core.drift import DriftReport, Moved, Sides
from reconciler.core.model import Content, Key, Resource, content_of
from reconciler.core.ports.store import Store
from reconciler.errors import UsageError
from reconciler.kinds.canonical import canonical
from reconciler.kinds.drift import drifted, is_protected, paired
from reconciler.kinds.merge import effective, is_secret_value, revoked_since
from reconciler.kinds.policies import has_expired
from reconciler.kinds.registry import KINDS, address


class DriftQuery(Struct, frozen=True):
    """What to look at.

    Attributes:
        owner: whose records.
        keys: these alone, whoever they belong to; empty for all.
        everybody: whether the records of others are asked for too.
        now: RFC 3339.
    """

    target: str
    owner: str
    keys: Sequence[Key]
    everybody: bool
    now: str


def find_drift(store: Store, query: DriftQuery) -> DriftReport:
    """The records that are not what was last applied. Only those that somebody else has written to are read.

    Raises:
        UsageError: the store knows nothing of one that is asked for.
    """
    moved = paired(store.moved())
    around = {one.uid for one in moved}
    moved += [one for one in store.taken_over(query.owner) if one.uid not in around]
    _refuse_unknown(store, query.keys, moved)
    found = [(one, result) for one in moved if (result := drifted(one, query.now))]
    wanted = [result for one, result in found if _is_wanted(one, query)]
    others = 0 if query.keys or query.everybody else len(found) - len(wanted)
    in_order = tuple(sorted(wanted, key=lambda item: item.key))
    return DriftReport(query.target, "" if query.everybody else query.owner, in_order, others)


def _is_wanted(moved: Moved, query: DriftQuery) -> bool:
    if query.keys:
        return any(key in query.keys for key in _keys(moved))
    sides = (moved.before, moved.now)
    return query.everybody or any(side is not None and side.owner == query.owner for side in sides)


def _keys(moved: Moved) -> Iterator[Key]:
    yield from (side.key for side in (moved.before, moved.now) if side)


def _refuse_unknown(store: Store, keys: Sequence[Key], moved: Sequence[Moved]) -> None:
    known = {key for one in moved for key in _keys(one)}
    for key in keys:
        if key not in known and next(iter(store.search(*key)), None) is None:
            raise UsageError(f"the store does not know {address(*key)}", hint="list what it holds with: reconciler get")


_MEMBERS = ("spec", "members")


class Merged(Struct):
    """What came of the fields of one record.

    Attributes:
        value: what git should declare.
        taken: fields that live values were taken over for, git's value before.
        conflicts: fields that git has moved too.
        pending: how many fields git alone has moved.
    """

    kind: str
    value: dict[str, Any]
    taken: list[FieldChange] = field(default_factory=list)
    conflicts: list[Sides] = field(default_factory=list)
    pending: int = 0

    def content(self) -> Content:
        """The canonical content to declare."""
        return content_of(canonical(self.value, KINDS[self.kind]))


def merge(
    resource: Resource, live: dict[str, Any], applied: dict[str, Any] | None, *, theirs: bool, now: str
) -> Merged:
    """Take the live values of the fields that drifted over into what git declares.

    Args:
        live: canonical.
        applied: what was last declared; without it nobody can tell who moved what, and git did.
        theirs: whether to take them over, too, where git has moved.
        now: the time, RFC 3339.
    """
    kind, desired = resource.key.kind, resource.content.value
    if kind == "PermissionPolicy":
        applied = revoked_since(applied, live, now)
    protect = is_protected(live) and not resource.unprotects
    wanted = effective(kind, desired, live, applied, now, protect=protect)
    fields = [
        FieldChange(path, old, new, origin(old, new, at(applied, path) if applied is not None else old))
        for path, old, new in diff(live, wanted, is_secret_value)
    ]
    merged = Merged(kind, desired)
    modes = [at(body, (*_MEMBERS, "mode")) for body in (desired, live)]
    additive = modes == ["additive", "additive"]
    for found in _as_whole(fields, desired, live, applied) if modes[0] != modes[1] else fields:
        if additive and found.path[:2] == _MEMBERS:
            continue
        last, ours = at(applied, found.path) if applied is not None else MISSING, at(desired, found.path)
        moved = not same(last, ours)  # what is left to the live side does not count here
        if found.origin is Origin.BOTH and moved and not theirs:
            secret = is_secret_value(found.path, ours) or is_secret_value(found.path, found.before)
            merged.conflicts.append(Sides(found.path, last, ours, found.before, secret))
        elif found.origin in (Origin.DRIFT, Origin.BOTH):
            _take(merged, found, desired, live)
        else:
            merged.pending += 1
    if additive:
        for name in ("users", "groups"):
            _take_members(merged, name, desired, live, applied)
    if merged.kind == "PermissionPolicy":
        merged.value = {**merged.value, "spec": _with_ended(merged.value["spec"], desired["spec"], now)}
    return merged


def _as_whole(
    fields: Sequence[FieldChange], desired: dict[str, Any], live: dict[str, Any], applied: dict[str, Any] | None
) -> Iterator[FieldChange]:
    """The fields with all that concerns members as one: in another mode the lists mean something else."""
    yield from (found for found in fields if found.path[:2] != _MEMBERS)
    ours, theirs = at(desired, _MEMBERS), at(live, _MEMBERS)
    if ours is not MISSING and any(found.path[:2] == _MEMBERS for found in fields):
        last = at(applied, _MEMBERS) if applied is not None else MISSING
        yield FieldChange(_MEMBERS, theirs, ours, origin(theirs, ours, last))


def _take(merged: Merged, found: FieldChange, desired: dict[str, Any], live: dict[str, Any]) -> None:
    path, value = found.path, found.before
    before = at(desired, path)
    merged.value = put(merged.value, path, value, live)
    secret = is_secret_value(path, before) or is_secret_value(path, value)
    merged.taken.append(FieldChange(path, before, value, found.origin, secret))


def _take_members(
    merged: Merged, name: str, desired: dict[str, Any], live: dict[str, Any], applied: dict[str, Any] | None
) -> None:
    """Of those who were declared before, leave out who is no member any more."""
    path = (*_MEMBERS, name)
    ours, theirs, before = (
        [] if (found := at(body, path)) is MISSING else found for body in (desired, live, applied or {})
    )
    kept = [member for member in ours if member in theirs or member not in before]
    if kept != ours:
        merged.value = put(merged.value, path, kept, live)
        merged.taken.append(FieldChange(path, ours, kept, Origin.DRIFT))
    merged.pending += any(member not in theirs for member in kept)


def _with_ended(spec: dict[str, Any], declared: dict[str, Any], now: str) -> dict[str, Any]:
    """With the grants that git still declares and that have ended: they are not live, but nobody took them."""
    grants, before = list(spec.get("grants", [])), declared.get("grants", [])
    moment = datetime.fromisoformat(now)
    for place, grant in enumerate(before):
        if has_expired(grant, moment) and grant not in grants:
            above = [index for index, kept in enumerate(grants) if kept in before[:place]]
            grants.insert(above[-1] + 1 if above else 0, grant)
    return {**spec, "grants": grants} if grants else spec
