"""The writes of one apply, inside one transaction."""

import sqlite3
from collections.abc import Iterable, Sequence

from reconciler.core.model import Key
from reconciler.core.plan import Action, Change
from reconciler.core.ports import RunInfo, Write
from reconciler.errors import NotConverged, RecordConflict
from reconciler.kinds.canonical import encode, fingerprint
from reconciler.kinds.registry import KINDS

_CHUNK = 500


class SqlSession:
    """Carries out changes; the caller begins the transaction and commits it."""

    def __init__(self, connection: sqlite3.Connection, run: RunInfo, now: str) -> None:
        self._connection = connection
        self._run = run
        self._now = now

    def write(self, writes: Sequence[Write]) -> None:
        """Check the preconditions, write in order, and read back what was written."""
        self._check_unmoved([write.change for write in writes])
        run = self._record_run(len(writes))
        revision = self._next_revision()
        try:
            self._step_aside(writes)
            self._write_records(writes, revision)
            self._write_beside(writes, run)
            self._delete([write for write in writes if write.change.action is Action.DELETE])
        except sqlite3.IntegrityError as failure:
            raise self._conflict(writes, failure) from failure
        self._check_references([write.change for write in writes])
        self._check_written(writes)

    # before writing

    def _check_unmoved(self, changes: Sequence[Change]) -> None:
        planned = {change.record.uid: change for change in changes if change.record}
        found: dict[str, tuple[str, str, int]] = {}
        for chunk in _chunks(list(planned)):
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(
                f"SELECT uid, kind, name, version FROM records WHERE uid IN ({marks})", chunk
            )
            found |= {uid: (kind, name, version) for uid, kind, name, version in rows}
        moved = []
        for uid, change in planned.items():
            assert change.record is not None
            now = found.get(uid)
            if now is None:
                moved.append(f"{change.record.key.kind} {change.record.key.name} was deleted")
            elif now != (*change.record.key, change.record.version):
                moved.append(f"{change.record.key.kind} {change.record.key.name} was changed")
        if moved:
            raise RecordConflict(
                "live records moved after planning; nothing was changed", hint="plan again", details=tuple(moved)
            )

    def _record_run(self, changes: int) -> int:
        run = self._run
        cursor = self._connection.execute(
            "INSERT INTO runs (started, finished, actor, owner, target, git_commit, changes) VALUES (?,?,?,?,?,?,?)",
            (run.started, self._now, run.actor, run.owner, run.target, run.commit, changes),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _next_revision(self) -> int:
        self._connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
        row = self._connection.execute("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'").fetchone()
        return int(row[0])

    # writing

    def _step_aside(self, writes: Sequence[Write]) -> None:
        """Free the unique names of all changed records first, so that names can be swapped and passed on."""
        changed = [(write.uid,) for write in writes if write.change.record]
        self._connection.executemany(
            "UPDATE records SET name = '~' || uid, display = NULL, revision = NULL WHERE uid = ?", changed
        )

    def _write_records(self, writes: Sequence[Write], revision: int) -> None:
        created: list[tuple[object, ...]] = []
        updated: list[tuple[object, ...]] = []
        for write in writes:
            change = write.change
            if change.resource is None or change.body is None:
                continue
            printed = _printed(change)
            values = (
                *change.key,
                change.resource.display or None,
                self._run.owner,
                printed,
                change.resource.fingerprint,
            )
            (updated if change.record else created).append((*values, revision, self._now, write.uid))
        documents = [
            (_text(write.change), write.uid)
            for write in writes
            if write.change.body is not None and write.change.record
        ]
        self._connection.executemany(
            "INSERT INTO records (kind, name, display, owner, fingerprint, applied, revision, changed_at, uid)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            created,
        )
        self._connection.executemany(
            "INSERT INTO documents (live, uid) VALUES (?,?)",
            ((_text(write.change), write.uid) for write in writes if not write.change.record),
        )
        self._connection.executemany("UPDATE documents SET live = ? WHERE uid = ?", documents)
        self._connection.executemany(
            "UPDATE records SET kind = ?, name = ?, display = ?, owner = ?, fingerprint = ?, applied = ?, revision = ?,"
            " changed_at = ?, version = version + 1 WHERE uid = ?",
            updated,
        )

    def _write_beside(self, writes: Sequence[Write], run: int) -> None:
        """References, what was declared where that is not what was written, secrets and history."""
        kept = [write for write in writes if write.change.resource]
        existing = [(write.uid,) for write in kept if write.change.record]
        self._connection.executemany("DELETE FROM refs WHERE uid = ?", existing)
        self._connection.executemany(
            "INSERT INTO refs VALUES (?,?,?)",
            ((write.uid, *ref) for write in kept for ref in _refs(write.change)),
        )
        self._connection.executemany("DELETE FROM applied WHERE uid = ?", existing)
        self._connection.executemany(
            "INSERT INTO applied VALUES (?,?)",
            (
                (write.uid, write.change.resource.body.decode())
                for write in kept
                if write.change.resource and write.change.body is not write.change.resource.body
            ),
        )
        self._write_secrets(kept)
        self._connection.executemany(
            "INSERT INTO history (run, uid, kind, name, action, fingerprint, before) VALUES (?,?,?,?,?,?,?)",
            (self._history_row(write, run) for write in writes),
        )

    def _write_secrets(self, kept: Sequence[Write]) -> None:
        for write in kept:
            if write.change.record:
                addresses = [secret.address for secret in write.secrets]
                marks = ",".join("?" * len(addresses))
                self._connection.execute(
                    f"DELETE FROM secrets WHERE uid = ? AND address NOT IN ({marks})", (write.uid, *addresses)
                )
        self._connection.executemany(
            "INSERT INTO secrets VALUES (?,?,?,?,?) ON CONFLICT (uid, address) DO UPDATE SET"
            " reference = excluded.reference, fingerprint = excluded.fingerprint, ciphertext = excluded.ciphertext"
            " WHERE fingerprint <> excluded.fingerprint OR reference <> excluded.reference",
            (
                (write.uid, secret.address, secret.reference, secret.fingerprint, secret.ciphertext)
                for write in kept
                for secret in write.secrets
            ),
        )

    def _history_row(self, write: Write, run: int) -> tuple[object, ...]:
        change = write.change
        printed = _printed(change) if change.resource else ""
        return (run, write.uid, *change.key, change.action.value, printed, _encoded(change.before))

    def _delete(self, deletes: Sequence[Write]) -> None:
        self._connection.executemany("DELETE FROM records WHERE uid = ?", [(write.uid,) for write in deletes])

    # after writing

    def _check_references(self, changes: Sequence[Change]) -> None:
        """Nothing may refer to what this run took away."""
        gone = [change.key for change in changes if change.action is Action.DELETE]
        gone += [change.record.key for change in changes if change.action is Action.RENAME and change.record]
        dangling = []
        for key in gone:
            rows = self._connection.execute(
                "SELECT r.kind, r.name FROM refs f JOIN records r USING (uid) WHERE f.kind = ? AND f.name = ?"
                " AND NOT EXISTS (SELECT 1 FROM records t WHERE t.kind = f.kind AND t.name = f.name)",
                key,
            )
            dangling += [f"{kind} {name} still refers to {key.kind} {key.name}" for kind, name in rows]
        if dangling:
            raise RecordConflict(
                "records that would be deleted are in use; nothing was changed", details=tuple(dangling)
            )

    def _check_written(self, writes: Sequence[Write]) -> None:
        """Read back every record touched: it must be just what the plan says, so that a plan of it is empty."""
        expected = {write.uid: write.change for write in writes}
        for chunk in _chunks(list(expected)):
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(
                f"SELECT r.uid, r.kind, r.name, r.owner, r.fingerprint, d.live FROM records r LEFT JOIN documents d USING (uid)"
                f" WHERE r.uid IN ({marks})",
                chunk,
            )
            found = {row[0]: row[1:] for row in rows}
            for uid in chunk:
                _check_row(expected[uid], found.get(uid), self._run.owner)

    def _conflict(self, writes: Sequence[Write], failure: sqlite3.IntegrityError) -> RecordConflict:
        details = []
        for write in writes:
            resource = write.change.resource
            if resource is None:
                continue
            row = self._connection.execute(
                "SELECT kind, name FROM records WHERE uid <> ? AND kind = ? AND (name = ? OR display = ?)",
                (write.uid, resource.key.kind, resource.key.name, resource.display or None),
            ).fetchone()
            if row:
                details.append(f"{resource.key.kind} {resource.key.name} clashes with the live {row[0]} {row[1]}")
        return RecordConflict(
            "a live record has the same name or display name; nothing was changed",
            hint="rename the resource, or plan again if it is new",
            details=tuple(details) or (str(failure),),
        )


def _check_row(change: Change, row: tuple[object, ...] | None, owner: str) -> None:
    if change.body is None:
        if row is not None:
            raise _not_converged(change.key, "it is still there after its deletion")
        return
    if row is None:
        raise _not_converged(change.key, "it is not there after it was written")
    wanted = (*change.key, owner, _printed(change), _text(change))
    for name, want, found in zip(("kind", "name", "owner", "fingerprint", "body"), wanted, row, strict=True):
        if want != found:
            raise _not_converged(change.key, f"its {name} is not what was written")


def _not_converged(key: Key, reason: str) -> NotConverged:
    hint = "something else writes to the store, or a trigger changes what is written"
    return NotConverged(f"{key.kind} {key.name} did not converge: {reason}; nothing was kept", hint=hint)


def _text(change: Change) -> str:
    assert change.body is not None
    return change.body.decode()


def _refs(change: Change) -> Iterable[Key]:
    """What the body to be written refers to, which may be more than the resource does."""
    assert change.resource is not None
    if change.body is change.resource.body or change.after is None:
        return change.resource.refs
    return {Key(ref.kind, ref.name) for ref in KINDS[change.key.kind].references(change.after["spec"])}


def _printed(change: Change) -> str:
    assert change.body is not None and change.resource is not None
    return change.resource.fingerprint if change.body is change.resource.body else fingerprint(change.body)


def _encoded(content: dict[str, object] | None) -> str | None:
    return encode(content).decode() if content is not None else None


def _chunks(items: list[str]) -> Iterable[list[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
