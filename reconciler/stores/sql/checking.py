"""What an apply checks in its transaction: that nothing moved before it wrote, and that all is well after."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence

from reconciler.core import conditions
from reconciler.core.conditions import Basis, Place
from reconciler.core.model import Key, Record
from reconciler.core.plan import Change
from reconciler.core.ports.runs import PlannedWrite
from reconciler.errors import ReconcilerError, RecordConflict, StoreUnavailable
from reconciler.kinds.canonical import display_after, leaves, readable, refs_after
from reconciler.kinds.canonical import moved as moved_leaves
from reconciler.kinds.registry import address
from reconciler.stores import refusals
from reconciler.stores.sql.reading import decoded

_CHUNK = 500


def check_unmoved(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """That every record to be changed is the one that was planned with.

    Raises:
        RecordConflict: some are not.
    """
    planned = {change.record.uid: change for change in changes if change.record}
    found: dict[str, Place] = {}
    for chunk, marks in _chunks(list(planned)):
        rows = connection.execute(f"SELECT uid, kind, name, version FROM records WHERE uid IN ({marks})", chunk)
        found |= {uid: (kind, name, str(version)) for uid, kind, name, version in rows}
    records = (change.record for change in planned.values() if change.record)
    if moved := conditions.moved_since(records, found):
        raise refusals.stale(
            line for record in moved for line in _moves(connection, planned[record.uid], record, found)
        )


def _moves(connection: sqlite3.Connection, change: Change, record: Record, found: Collection[str]) -> Iterator[str]:
    """A line for each field that moved, with the fingerprints of what was planned with and of what is there."""
    what = address(*record.key)
    if record.uid not in found:
        yield f"{what} was deleted"
        return
    row = connection.execute("SELECT live FROM documents WHERE uid = ?", (record.uid,)).fetchone()
    fields: tuple[str, ...] = ()
    if row is not None and change.before is not None:
        live, _ = readable(record.key.kind, decoded(row[0]))
        fields = moved_leaves(leaves(change.before), leaves(live.value))
    yield from (f"{what} {line}" for line in fields or ("was changed",))


def check_basis(connection: sqlite3.Connection, basis: Basis) -> None:
    """That the policies and groups are those that the plan was judged by.

    Raises:
        RecordConflict: they are not.
    """
    marks = ",".join("?" * len(basis.kinds))
    rows = connection.execute(f"SELECT kind, name, uid, version FROM records WHERE kind IN ({marks})", basis.kinds)
    found = ((Key(kind, name), uid, str(version)) for kind, name, uid, version in rows)
    if moved := conditions.basis_moved(basis, found):
        raise refusals.stale_basis(moved)


def check_references(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """That nothing refers to what is not there: neither what was written, nor to what was taken away.

    Raises:
        RecordConflict: something does.
    """
    pairs = [(change.key, target) for change in changes for target in refs_after(change)]
    select = "SELECT r.kind, r.name FROM refs f JOIN records r USING (uid) WHERE f.kind = ? AND f.name = ?"
    for change in changes:
        record = change.record
        if record and (change.resource is None or change.key != record.key):  # else there is one at the address still
            pairs += [(Key(*row), record.key) for row in connection.execute(select, record.key)]
    there = _there(connection, {target for _, target in pairs})
    if found := conditions.dangling(pairs, there):
        raise refusals.left_dangling(found)


def _there(connection: sqlite3.Connection, keys: Collection[Key]) -> set[Key]:
    """Those of the keys that there is a record of."""
    found: set[Key] = set()
    for kind in {key.kind for key in keys}:
        for chunk, marks in _chunks([key.name for key in keys if key.kind == kind]):
            rows = connection.execute(f"SELECT name FROM records WHERE kind = ? AND name IN ({marks})", (kind, *chunk))
            found |= {Key(kind, name) for (name,) in rows}
    return found


def refusal(
    connection: sqlite3.Connection, writes: Sequence[PlannedWrite], failure: sqlite3.IntegrityError
) -> ReconcilerError:
    """What a constraint of the store that was not kept means."""
    if "UNIQUE" not in str(failure):
        hint = "a trigger or a constraint that somebody added to the store does not allow it"
        return StoreUnavailable(f"the store refuses what is to be written: {failure}; nothing was changed", hint=hint)
    details = []
    for write in writes:
        change = write.change
        if change.resource is None:
            continue
        row = connection.execute(
            "SELECT kind, name, owner FROM records WHERE uid <> ? AND kind = ? AND (name = ? OR display = ?)",
            (write.uid, *change.key, display_after(change) or None),
        ).fetchone()
        if row:
            whose = f"the live {address(row[0], row[1])}, which belongs to {row[2] or 'nobody'}"
            details.append(f"{address(*change.key)} clashes with {whose}")
    if not details:
        return StoreUnavailable(f"the store refuses what is to be written: {failure}; nothing was changed", hint="see: reconciler store check")  # fmt: skip
    return RecordConflict(
        "a live record has the same name or display name; nothing was changed",
        hint="run: reconciler plan",
        details=tuple(details),
    )


def _chunks(items: Sequence[str]) -> Iterator[tuple[Sequence[str], str]]:
    """Parts of `items`, each with as many marks for parameters."""
    for start in range(0, len(items), _CHUNK):
        part = items[start : start + _CHUNK]
        yield part, ",".join("?" * len(part))
