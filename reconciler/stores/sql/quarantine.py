"""Deleted records in the SQL store: kept with their sealed secrets and without tokens until they are purged."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.core.model import Bodies, Key, SecretState
from reconciler.core.ports.store import PlannedWrite
from reconciler.core.quarantine import Deleted, Revival
from reconciler.core.secret import SealedSecret
from reconciler.errors import RecordConflict
from reconciler.kinds.registry import KINDS, address
from reconciler.stores.sql.database import Connection
from reconciler.stores.sql.records import decoded
from reconciler.stores.sql.statements import chunks

DELETED = (
    "SELECT kind, name, uid, owner, deleted_at, run, (SELECT count(*) FROM quarantined_secrets s WHERE s.uid = q.uid),"
    " EXISTS (SELECT 1 FROM drifts d WHERE d.kind = q.kind AND d.name = q.name AND d.since > q.deleted_at"
    " AND NOT EXISTS (SELECT 1 FROM records r WHERE r.uid = d.uid)) FROM quarantine q ORDER BY run, kind, name"
)


def deleted(connection: Connection) -> list[Deleted]:
    """All that can be restored, in the order of their deletion."""
    rows = connection.execute(DELETED)
    return [
        Deleted(Key(kind, name), uid, owner, at, run, secrets, bool(outlived))
        for kind, name, uid, owner, at, run, secrets, outlived in rows
        if kind in KINDS
    ]


def bodies(connection: Connection, uids: Iterable[str]) -> dict[str, Bodies]:
    """What deleted records held, what was last applied, and the states of their secrets."""
    found: dict[str, Bodies] = {}
    for chunk, marks in chunks(connection, uids):
        states: dict[str, dict[str, SecretState]] = {}
        query = f"SELECT uid, address, reference, fingerprint FROM quarantined_secrets WHERE uid IN ({marks})"
        for uid, place, reference, printed in connection.execute(query, chunk):
            states.setdefault(uid, {})[place] = SecretState(reference, printed)
        query = f"SELECT uid, live, coalesce(applied, live) FROM quarantine WHERE uid IN ({marks})"
        for uid, live, applied in connection.execute(query, chunk):
            found[uid] = Bodies(decoded(live), decoded(applied), states.get(uid, {}))
    return found


def secrets(connection: Connection, uids: Iterable[str]) -> dict[str, Mapping[str, SealedSecret]]:
    """Sealed secrets of deleted records: uid to address to secret."""
    found: dict[str, dict[str, SealedSecret]] = {}
    for chunk, marks in chunks(connection, uids):
        query = (
            f"SELECT uid, address, reference, fingerprint, ciphertext FROM quarantined_secrets WHERE uid IN ({marks})"
        )
        for uid, *columns in connection.execute(query, chunk):
            found.setdefault(uid, {})[columns[0]] = SealedSecret(*columns)
    return dict(found)


def check_revivable(connection: Connection, writes: Sequence[PlannedWrite]) -> None:
    """That the deleted records which come back are those that were planned with.

    Raises:
        RecordConflict: some are not.
    """
    moved = []
    for write in writes:
        revival = write.change.revival
        if revival is None:
            continue
        if connection.execute("SELECT 1 FROM records WHERE uid = ?", (revival.uid,)).fetchone():
            moved.append(f"{address(*write.change.key)} is live again")
        elif _held_since(connection, revival) != (revival.run if revival.quarantined else None):
            moved.append(f"{address(*write.change.key)} was purged, or restored and deleted again")
    if moved:
        raise RecordConflict(
            "the plan is stale: deleted records moved after planning; nothing was changed",
            hint="run the command again",
            details=tuple(moved),
        )


def _held_since(connection: Connection, revival: Revival) -> int | None:
    row = connection.execute("SELECT run FROM quarantine WHERE uid = ?", (revival.uid,)).fetchone()
    return int(row[0]) if row else None


def check_held(connection: Connection, wanted: Sequence[Deleted]) -> None:
    """That the records to be purged are those that somebody looked at.

    Raises:
        RecordConflict: some are not.
    """
    held = dict(connection.execute("SELECT uid, run FROM quarantine"))
    moved = tuple(f"{address(*item.key)} was restored or purged" for item in wanted if held.get(item.uid) != item.run)
    if moved:
        raise RecordConflict("deleted records moved meanwhile; nothing was purged", hint="run the command again", details=moved)  # fmt: skip


def keep(connection: Connection, deletes: Sequence[PlannedWrite], run: int, now: str) -> None:
    """Move what is about to be deleted into quarantine. Names have been freed already, so they come from the changes.

    What was last applied is what `drifts` has of it, where others have written to the record since.
    """
    drop(connection, (write.uid for write in deletes))  # what an earlier life has left there
    connection.executemany(
        "INSERT INTO quarantine (uid, kind, name, owner, live, applied, deleted_at, run)"
        " SELECT r.uid, ?, ?, r.owner, coalesce(d.live, '{}'), coalesce(w.declared, w.body, a.body), ?, ? FROM records r"
        " LEFT JOIN documents d USING (uid) LEFT JOIN applied a USING (uid) LEFT JOIN drifts w USING (uid) WHERE r.uid = ?",
        ((*write.change.key, now, run, write.uid) for write in deletes),
    )
    connection.executemany(
        "INSERT INTO quarantined_secrets SELECT * FROM secrets WHERE uid = ?", ((write.uid,) for write in deletes)
    )


def drop(connection: Connection, uids: Iterable[str]) -> None:
    """Take records, with their sealed secrets, out of the quarantine."""
    connection.executemany("DELETE FROM quarantine WHERE uid = ?", ((uid,) for uid in uids))
