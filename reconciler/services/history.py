"""What a record was, version by version, and an earlier state as a source."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.diff import FieldChange, Origin, diff
from reconciler.core.history import DRIFT, Body, KeepsHistory, Row, RunEntry, Trail, Version
from reconciler.core.model import Content, Key, Resource
from reconciler.core.plan import Revision
from reconciler.core.ports.source import Desired
from reconciler.errors import UsageError
from reconciler.kinds.canonical import fingerprint, make_resource, readable
from reconciler.kinds.merge import is_secret_value
from reconciler.kinds.registry import KINDS, address


def versions(history: KeepsHistory, key: Key) -> list[Version]:
    """Every version of the records that bear, or ever bore, an address; the oldest first.

    Raises:
        UsageError: there never was one.
    """
    trails = history.trails_named(key)
    if not trails:
        raise UsageError(f"the store does not know {address(*key)}", hint="see what it knows with: reconciler get")
    runs = {run.id: run for run in history.runs(ids=[row.run for trail in trails for row in trail.rows])}
    steps = sorted((step for trail in trails for step in _steps(trail)), key=lambda step: step.order)
    found: list[Version] = []
    last: dict[str, Version] = {}
    held: dict[str, Version] = {}
    for number, step in enumerate(steps, 1):
        uid = step.trail.uid
        before = held.get(uid) if step.row is not None and step.row.action == "restore" else last.get(uid)
        version = _version(number, step, before, runs)
        last[uid] = version
        if version.body is not None:
            held[uid] = version
        found.append(version)
    return found


def difference(before: Version, after: Version) -> tuple[FieldChange, ...]:
    """What differs between two versions, whichever they are.

    Raises:
        UsageError: of one of them the store does not know what it held, or it held nothing.
    """
    for version in (before, after):
        if not version.known:
            raise UsageError(f"what version {version.number} held is not known", hint="choose another one")
        if version.body is None:
            raise UsageError(f"version {version.number} holds nothing, as the record was gone; there is nothing to compare", hint="choose another one")  # fmt: skip
    return tuple(_fields(before.body or {}, after.body or {}, Origin.GIT))


class _Step(Struct, frozen=True):
    """A change, or what others did (then `row` is None), with what it left.

    Attributes:
        order: sequence number of the change, or of the one that found it.
    """

    trail: Trail
    order: tuple[int, int]
    row: Row | None
    key: Key
    time: str
    body: Body | None
    known: bool


def _steps(trail: Trail) -> Iterator[_Step]:
    """The changes of a record, and between them what others did."""
    rows = trail.rows
    if not rows or rows[0].before is not None:  # somebody else had made it
        first = rows[0] if rows else None
        key, body = (
            (Key(first.key.kind, first.was or first.key.name), first.before) if first else (trail.live or _NOWHERE)
        )
        since = (first.drifted_at if first else trail.drift.since if trail.drift else "") or ""
        yield _Step(trail, (first.seq if first else _END, -1), None, key, since, body, known=True)
    for position, row in enumerate(rows):
        after = rows[position + 1] if position + 1 < len(rows) else None
        yield from _row_steps(trail, row, after)


_NOWHERE: tuple[Key, Body | None] = (Key("Connector", ""), None)
_END = 2**63


def _row_steps(trail: Trail, row: Row, after: Row | None) -> Iterator[_Step]:
    """What a row left, and what others made of it before the next one."""
    if not row.fingerprint:
        yield _Step(trail, (row.seq, 0), row, row.key, "", None, known=True)
        return
    if after is not None:
        found: tuple[Key, Body | None] | None = (Key(after.key.kind, after.was or after.key.name), after.before)
        since, left = after.drifted_at, after.drifted_from
        order = (after.seq, -1)
    else:
        found = trail.live
        since, left = (trail.drift.since, trail.drift.body) if trail.drift else (None, None)
        order = (_END, -1)
    if since is None and found is not None and found[0] == row.key and _is(row, found[1]):
        yield _Step(trail, (row.seq, 0), row, row.key, "", found[1], known=True)
        return
    yield _Step(trail, (row.seq, 0), row, row.key, "", left, known=left is not None)
    yield _Step(
        trail, order, None, found[0] if found else row.key, since or "", found[1] if found else None, known=True
    )


def _is(row: Row, body: Body | None) -> bool:
    """Whether a body is the one that a row left."""
    if body is None:
        return False
    return fingerprint(readable(row.key.kind, body)[0].body) == row.fingerprint


def _version(number: int, step: _Step, before: Version | None, runs: dict[int, RunEntry]) -> Version:
    run = runs.get(step.row.run) if step.row else None
    body = None if step.body is None else readable(step.key.kind, step.body)[0].value
    fields: tuple[FieldChange, ...] = ()
    if before is not None and before.known and step.known and before.body is not None and body is not None:
        fields = tuple(_fields(before.body, body, Origin.GIT if step.row else Origin.DRIFT))
    was = before.key.name if before is not None and before.key.name != step.key.name else None
    return Version(
        number,
        step.trail.uid,
        step.key,
        was,
        step.row.action if step.row else DRIFT,
        run.finished if run else step.time,
        run,
        body,
        step.known,
        fields,
    )


def _fields(before: dict[str, Any], after: dict[str, Any], origin: Origin) -> Iterator[FieldChange]:
    for path, old, new in diff(before, after, is_secret_value):
        secret = is_secret_value(path, old) or is_secret_value(path, new)
        yield FieldChange(path, old, new, origin, secret)


def version_numbered(found: Sequence[Version], number: int) -> Version:
    """One of the versions.

    Raises:
        UsageError: there is none of that number.
    """
    if not 1 <= number <= len(found):
        raise UsageError(f"there is no version {number}", hint=f"there are versions 1 to {len(found)}")
    return found[number - 1]


class PastState(Struct, frozen=True):
    """What records were, and where that is known from.

    Attributes:
        notices: what whoever goes back to it should know.
    """

    desired: Desired
    known_from: Revision
    notices: tuple[str, ...] = ()

    def load(self) -> Desired:
        """The records as resources."""
        return self.desired

    def revision(self) -> Revision:
        """Where the state is known from."""
        return self.known_from


def resource_of(key: Key, body: Mapping[str, Any], known_from: str) -> Resource:
    """What a canonical body declares.

    Args:
        known_from: stands where definitions have their file.
    """
    metadata = {**body.get("metadata", {}), "name": key.name}
    made = make_resource({"metadata": metadata, "spec": body["spec"]}, KINDS[key.kind], known_from, 0)
    return replace(made, stored=Content(made.body), left_out=())  # it held what it held: nothing was forgotten
