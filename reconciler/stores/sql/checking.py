"""What an apply checks in its transaction: that nothing moved before it wrote, and that all is well after."""

import sqlite3
from collections.abc import Iterator, Sequence

from reconciler.core.enforcement import Basis
from reconciler.core.model import Key, Record
from reconciler.core.plan import Change
from reconciler.core.ports import Write
from reconciler.errors import ReconcilerError, RecordConflict, StoreUnavailable
from reconciler.kinds.canonical import readable
from reconciler.kinds.leaves import leaves
from reconciler.kinds.leaves import moved as moved_leaves
from reconciler.kinds.outcome import display_after
from reconciler.kinds.registry import address
from reconciler.stores.sql.reading import decoded

_CHUNK = 500


def check_unmoved(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """That every record to be changed is the one that was planned with.

    Raises:
        RecordConflict: some are not.
    """
    planned = {change.record.uid: (change, change.record) for change in changes if change.record}
    found: dict[str, tuple[str, str, int]] = {}
    for chunk, marks in _chunks(list(planned)):
        rows = connection.execute(f"SELECT uid, kind, name, version FROM records WHERE uid IN ({marks})", chunk)
        found |= {uid: (kind, name, version) for uid, kind, name, version in rows}
    moved: list[str] = []
    for uid, (change, record) in planned.items():
        if uid not in found:
            moved.append(f"{address(*record.key)} was deleted")
        elif found[uid] != (*record.key, record.version):
            moved += _moved_fields(connection, change, record)
    if moved:
        raise RecordConflict(
            "the plan is stale: live records moved after planning; nothing was changed",
            hint="run the command again",
            details=tuple(moved),
        )


def _moved_fields(connection: sqlite3.Connection, change: Change, record: Record) -> Iterator[str]:
    """A line for each field that moved, with the fingerprints of what was planned with and of what is there."""
    what = address(*record.key)
    row = connection.execute("SELECT live FROM documents WHERE uid = ?", (record.uid,)).fetchone()
    fields: tuple[str, ...] = ()
    if row is not None and change.before is not None:
        live, _ = readable(record.key.kind, decoded(row[0]))
        fields = moved_leaves(leaves(change.before), leaves(live.value))
    yield from (f"{what} {line}" for line in fields or ("was changed",))


def check_basis(connection: sqlite3.Connection, basis: Basis) -> None:
    """That the policies and groups are those that the plan was judged by, no more and no less.

    Raises:
        RecordConflict: they are not.
    """
    marks = ",".join("?" * len(basis.kinds))
    rows = connection.execute(f"SELECT kind, name, uid, version FROM records WHERE kind IN ({marks})", basis.kinds)
    moved = basis.records ^ {(Key(kind, name), uid, version) for kind, name, uid, version in rows}
    if moved:
        raise RecordConflict(
            "the plan is stale: policies or groups that it was judged by moved after planning; nothing was changed",
            hint="run the command again",
            details=tuple(f"{address(*key)} was changed" for key in sorted({key for key, _, _ in moved})),
        )


def check_references(connection: sqlite3.Connection, writes: Sequence[Write]) -> None:
    """That nothing refers to what is not there: neither what was written, nor to what was taken away.

    Raises:
        RecordConflict: something does.
    """
    dangling: set[tuple[Key, Key]] = set()
    select = "SELECT r.kind, r.name, f.kind, f.name FROM refs f JOIN records r USING (uid)"
    missing = "NOT EXISTS (SELECT 1 FROM records t WHERE t.kind = f.kind AND t.name = f.name)"
    for chunk, marks in _chunks([write.uid for write in writes]):
        rows = connection.execute(f"{select} WHERE f.uid IN ({marks}) AND {missing}", chunk)
        dangling |= {(Key(kind, name), Key(*target)) for kind, name, *target in rows}
    for change in (write.change for write in writes):
        record = change.record
        if record and (change.resource is None or change.key != record.key):  # else there is one at the address still
            rows = connection.execute(f"{select} WHERE f.kind = ? AND f.name = ? AND {missing}", record.key)
            dangling |= {(Key(kind, name), Key(*target)) for kind, name, *target in rows}
    if dangling:
        raise RecordConflict(
            "records would be referred to that are not in the store; nothing was changed",
            hint="run: reconciler plan",
            details=tuple(
                f"{address(*referrer)} refers to {address(*target)}" for referrer, target in sorted(dangling)
            ),
        )


def refusal(
    connection: sqlite3.Connection, writes: Sequence[Write], failure: sqlite3.IntegrityError
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
