"""What an apply checks in its transaction: that nothing moved before it wrote, and that all is as planned after."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from reconciler.core import conditions
from reconciler.core.conditions import Basis, Held, Place
from reconciler.core.model import Key, Record
from reconciler.core.plan import Change
from reconciler.core.ports.store import PlannedWrite
from reconciler.core.progress import Progress
from reconciler.errors import ReconcilerError, RecordConflict, StoreUnavailable
from reconciler.kinds.canonical import display_after, fingerprint_after, leaves, readable, refs_after
from reconciler.kinds.canonical import moved as moved_leaves
from reconciler.kinds.registry import address
from reconciler.stores import drivers
from reconciler.stores.sql import observed
from reconciler.stores.sql.amendments import LAST_REVISION
from reconciler.stores.sql.chain import QUERIES
from reconciler.stores.sql.columns import KEY_CHECK
from reconciler.stores.sql.database import Connection, Query
from reconciler.stores.sql.records import Drifts, decoded, flat, pairs_of, referrers, referring
from reconciler.stores.sql.statements import chunks, marks


def foresee(connection: Connection, writes: Sequence[PlannedWrite], basis: Basis | None) -> None:
    """Have asked at once what is asked before anything is written, where that is not much."""
    uids = [write.change.record.uid for write in writes if write.change.record]
    if not connection.engine.nearby or len(uids) > connection.engine.most:
        return
    asked: list[Query] = [(observed.BESIDE, ()), (KEY_CHECK, ())]
    asked += [of_basis(basis)] if basis is not None else []
    asked += locking(connection, uids) if uids else []
    asked += [*QUERIES, (Drifts.QUERY, ()), (connection.engine.triggers, ()), (LAST_REVISION, ())]
    connection.prefetch(asked)


def check_unmoved(connection: Connection, changes: Sequence[Change]) -> None:
    """That every record to be changed is the one that was planned with.

    Raises:
        RecordConflict: some are not.
    """
    planned = {change.record.uid: change for change in changes if change.record}
    found: dict[str, Place] = {}
    for chunk, _ in chunks(connection, planned):
        *others, query = locking(connection, chunk)
        for one in others:
            connection.execute(*one)
        found |= {uid: (kind, name, str(version)) for uid, kind, name, version in connection.execute(*query)}
    records = (change.record for change in planned.values() if change.record)
    if moved := conditions.moved_since(records, found):
        raise drivers.stale(line for record in moved for line in _moves(connection, planned[record.uid], record, found))


def locking(connection: Connection, uids: Sequence[str]) -> list[Query]:
    """What locks records until the transaction ends, and gives them."""
    lock, some = connection.engine.for_update, marks(uids)
    records: Query = (f"SELECT uid, kind, name, version FROM records WHERE uid IN ({some}) ORDER BY uid {lock}", uids)
    if not lock:
        return [records]
    # others write bodies first, and their triggers the records
    return [(f"SELECT uid FROM documents WHERE uid IN ({some}) ORDER BY uid {lock}", uids), records]


def _moves(connection: Connection, change: Change, record: Record, found: Collection[str]) -> Iterator[str]:
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


def check_basis(connection: Connection, basis: Basis) -> None:
    """That the policies and groups are those that the plan was judged by.

    Raises:
        RecordConflict: they are not.
    """
    rows = connection.execute(*of_basis(basis))
    found = ((Key(kind, name), uid, str(version)) for kind, name, uid, version in rows)
    if moved := conditions.basis_moved(basis, found):
        raise drivers.stale_basis(moved)


def of_basis(basis: Basis) -> Query:
    """What `check_basis` asks."""
    return f"SELECT kind, name, uid, version FROM records WHERE kind IN ({marks(basis.kinds)})", basis.kinds


def check_references(connection: Connection, changes: Sequence[Change]) -> None:
    """That nothing refers to what is not there: neither what was written, nor to what was taken away.

    Raises:
        RecordConflict: something does.
    """
    pairs = [(change.key, target) for change in changes for target in refs_after(change)]
    left = _left(changes)
    pairs += referrers(connection, left)
    there: set[Key] = set()
    for part, _ in chunks(connection, _targets(pairs, left)):
        there |= {Key(*row) for row in connection.execute(*_there(connection, part))}
    if found := conditions.dangling(pairs, there):
        raise drivers.left_dangling(found)


def _left(changes: Sequence[Change]) -> list[Key]:
    """The addresses at which there is no record any more, unless another one has come there."""
    moved = (
        change for change in changes if change.record and (change.resource is None or change.key != change.record.key)
    )
    return [change.record.key for change in moved if change.record]


def _targets(pairs: Iterable[tuple[Key, Key]], left: Iterable[Key]) -> list[Key]:
    return sorted({target for _, target in pairs} | set(left))


def _there(connection: Connection, keys: Sequence[Key]) -> Query:
    """A query of those of the keys that there is a record of, which stays."""
    found = "SELECT r.kind, r.name FROM wanted CROSS JOIN records r ON r.kind = k AND r.name = n"
    return f"WITH wanted (k, n) AS ({pairs_of(keys)}) {found} {connection.engine.for_share}", flat(keys)


def foresee_written(connection: Connection, writes: Sequence[PlannedWrite]) -> None:
    """Have asked at once what `check_references` and `check_written` are going to ask, where that is not much."""
    changes = [write.change for write in writes]
    left = _left(changes)
    targets = _targets([(change.key, target) for change in changes for target in refs_after(change)], left)
    if max(len(left), len(targets), len(writes)) <= connection.engine.most:
        asked = [referring(left)] if left else []
        asked += [_there(connection, targets)] if targets else []
        asked += [_held([write.uid for write in writes])] if writes else []
        connection.prefetch(asked)


def refusal(connection: Connection, writes: Sequence[PlannedWrite], failure: Exception) -> ReconcilerError:
    """What a constraint of the store that was not kept means."""
    if not connection.engine.is_taken(failure):
        hint = "a trigger or a constraint that somebody added to the store does not allow it"
        return StoreUnavailable(
            f"the store refuses what is to be written: {connection.engine.said(failure)}; nothing was changed",
            hint=hint,
        )
    details = []
    written = {write.uid for write in writes}
    for write in writes:
        change = write.change
        if change.resource is None:
            continue
        rows = connection.execute(
            "SELECT kind, name, owner, uid FROM records WHERE uid <> ? AND kind = ? AND (name = ? OR display = ?)",
            (write.uid, *change.key, display_after(change) or None),
        )
        for row in (row for row in rows.fetchall() if row[3] not in written):
            whose = f"the live {address(row[0], row[1])}, which belongs to {row[2] or 'nobody'}"
            details.append(f"{address(*change.key)} clashes with {whose}")
    if not details:
        return StoreUnavailable(f"the store refuses what is to be written: {connection.engine.said(failure)}; nothing was changed", hint="see: reconciler store check")  # fmt: skip
    return RecordConflict(
        "a live record has the same name or display name; nothing was changed",
        hint="run: reconciler plan",
        details=tuple(details),
    )


def are_ours_alone(connection: Connection) -> bool:
    """Whether nobody has added a trigger, taken one away or altered one."""
    return connection.engine.found_triggers(connection) == connection.engine.own_triggers()


_PICTURED = ("spec", "kind", "name", "unique name", "owner", "declaration", "references", "secrets", "applied fingerprint")  # fmt: skip

Others = dict[str, tuple[Any, ...]]
"""By uid all that the store holds of records that the plan does not touch."""


def others(connection: Connection, writes: Sequence[PlannedWrite]) -> Others | None:
    """What must stay as it is; None where nothing but this session can write, as nobody added a trigger."""
    if are_ours_alone(connection):
        return None
    touched = {write.uid for write in writes}
    return {uid: tuple(rest) for uid, *rest in _pictures(connection) if uid not in touched}


def _pictures(connection: Connection) -> Iterable[tuple[Any, ...]]:
    return connection.execute(f"SELECT r.uid, {connection.engine.picture} FROM records r ORDER BY r.kind, r.name")


def check_written(
    connection: Connection,
    writes: Sequence[PlannedWrite],
    owner: str,
    before: Others | None,
    progress: Progress,
) -> None:
    """Read back every record touched: it must be just what the plan says, so that a plan of it is empty.

    Args:
        before: what `others` said before anything was written.

    Raises:
        NotConverged: one is not, or another one was changed along with it.
    """
    changes = {write.uid: write.change for write in writes}
    checked = 0
    progress.tell("checking", checked, len(changes))
    for chunk, _ in chunks(connection, changes):
        rows = connection.execute(*_held(chunk))
        found = {uid: Held(tuple(columns), live) for uid, *columns, live in rows}
        planned = {uid: _planned(changes[uid], owner) for uid in chunk}
        for uid, what in conditions.unlike(planned, found):
            raise drivers.not_converged(
                changes[uid].key, drivers.unlike(what, changes[uid].body, found[uid].body if uid in found else None)
            )
        checked += len(chunk)
        progress.tell("checking", checked, len(changes))
    if before is not None:
        _check_beside(connection, writes)
        _check_others(before, {uid: tuple(rest) for uid, *rest in _pictures(connection)}, changes)


def _held(uids: Sequence[str]) -> Query:
    columns = "r.uid, r.kind, r.name, r.owner, coalesce(r.display, ''), r.fingerprint, r.applied, d.live"
    return f"SELECT {columns} FROM records r LEFT JOIN documents d USING (uid) WHERE r.uid IN ({marks(uids)})", uids


def _planned(change: Change, owner: str) -> tuple[str, ...] | None:
    """What the plan says of the record; see `core.convergence`."""
    if change.resource is None:
        return None
    return (*change.key, owner, display_after(change), fingerprint_after(change), change.resource.fingerprint)


def _check_beside(connection: Connection, writes: Sequence[PlannedWrite]) -> None:
    """References, the declaration and secrets, which only a trigger can have made others than those written."""
    for write in writes:
        change = write.change
        if change.resource is None:
            continue
        refs = {(kind, name) for kind, name in connection.execute("SELECT kind, name FROM refs WHERE uid = ?", (write.uid,))}  # fmt: skip
        if refs != set(refs_after(change)):
            raise drivers.not_converged(
                change.key, "the references that the store keeps of it are not what was planned"
            )
        (declared,) = connection.execute("SELECT (SELECT body FROM applied WHERE uid = ?)", (write.uid,)).fetchone()
        kept = None if change.written is None else change.resource.body.decode()
        if declared != kept:
            raise drivers.not_converged(
                change.key, "the declaration that the store keeps of it is not what was planned"
            )
        rows = connection.execute("SELECT address, reference, fingerprint FROM secrets WHERE uid = ?", (write.uid,))
        wanted = {(place, one.reference, one.fingerprint) for place, one in write.states().items()}
        differing = wanted.symmetric_difference(rows)
        if differing:
            raise drivers.not_converged(change.key, f"{drivers.listed(sorted({place for place, *_ in differing}))} is not what was planned")  # fmt: skip


def _check_others(before: Others, now: Others, planned: Collection[str]) -> None:
    for uid in conditions.moved_along(before, now, planned):
        old, new = before.get(uid), now.get(uid)
        key = Key(*(old or new or ())[1:3])
        if old is None or new is None:
            raise drivers.not_converged(key, f"it was {'deleted' if old else 'created'} along with it, and is not in the plan")  # fmt: skip
        if old[0] is not None and new[0] is not None and old[0] != new[0]:
            raise drivers.not_converged(key, f"{drivers.differing(old[0], new[0])}, and it is not in the plan")
        names = [name for name, was, found in zip(_PICTURED, old, new, strict=True) if was != found]
        raise drivers.not_converged(key, f"its {drivers.listed(names)} was changed along with it, and it is not in the plan")  # fmt: skip
