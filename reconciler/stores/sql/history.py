"""Reads the history of the SQL store."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from reconciler.core.history import Body, Drift, Futile, Row, RunEntry, Trail
from reconciler.core.lease import holder_of
from reconciler.core.model import Key
from reconciler.stores.sql.database import Connection, Database
from reconciler.stores.sql.records import decoded, known_key
from reconciler.stores.sql.statements import chunks


class SqlHistory:
    """What one store remembers. One that is not there remembers nothing."""

    def __init__(self, database: Database) -> None:
        """Open nothing yet."""
        self._database = database
        self._connection: Connection | None = None
        self._opened = False

    def runs(self, *, ids: Iterable[int] | None = None, since: str = "", limit: int | None = None) -> list[RunEntry]:
        """Runs, the latest first: those named, or those that ended at `since` or later."""
        with self._reading() as connection:
            if connection is None:
                return []
            wanted = _run_ids(connection, since, limit) if ids is None else sorted(set(ids), reverse=True)
            return [run for part, marks in chunks(connection, wanted) for run in _runs(connection, part, marks)]

    def futile(self, *, since: str = "", limit: int | None = None) -> list[Futile]:
        """Runs that changed nothing, the latest first: those that began at `since` or later."""
        with self._reading() as connection:
            if connection is None:
                return []
            rows = connection.execute(
                "SELECT started, finished, verb, actor, holder, owner, target, git_commit, outcome FROM attempts"
                " WHERE run IS NULL AND started >= ? ORDER BY id DESC LIMIT ?",
                (since, _LAST if limit is None else limit),
            )
            return [
                Futile(started, finished, verb, actor, holder_of(holder).host, *rest)
                for started, finished, verb, actor, holder, *rest in rows
            ]

    def last_run(self, time: str) -> int:
        """Id of the last run that had ended by a time; 0 for none."""
        with self._reading() as connection:
            if connection is None:
                return 0
            row = connection.execute("SELECT coalesce(max(id), 0) FROM runs WHERE finished <= ?", (time,)).fetchone()
            return int(row[0])

    def trails_of(self, kinds: Sequence[str]) -> list[Trail]:
        """All records of some kinds, also those that are gone."""
        marks = ",".join("?" * len(kinds))
        with self._reading() as connection:
            return _trails(connection, f"kind IN ({marks})", kinds) if connection else []

    def trails_named(self, key: Key) -> list[Trail]:
        """The records that bear, or ever bore, an address; in the order of their first change."""
        with self._reading() as connection:
            if connection is None:
                return []
            query = "SELECT uid FROM history WHERE kind = ? AND name = ? UNION SELECT uid FROM records WHERE kind = ? AND name = ?"
            uids = [uid for (uid,) in connection.execute(query, (*key, *key))]
            found = [trail for uid in uids for trail in _trails(connection, "uid = ?", (uid,))]
        return sorted(found, key=lambda trail: trail.rows[0].seq if trail.rows else _LAST)

    def declarations(self, run: int) -> dict[tuple[str, int], Body]:
        """What runs up to this one declared of a record, where that is not what they wrote: by uid and run."""
        with self._reading() as connection:
            if connection is None:
                return {}
            rows = connection.execute("SELECT uid, run, body FROM declarations WHERE run <= ?", (run,))
            return {(uid, number): decoded(body) for uid, number, body in rows}

    def close(self) -> None:
        """Release the store."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._opened = None, False

    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        if not self._opened:
            self._connection = self._database.reader()
            self._opened = True
        with self._database.translated():
            yield self._connection


_LAST = 2**63 - 1


def _run_ids(connection: Connection, since: str, limit: int | None) -> list[int]:
    query = "SELECT id FROM runs WHERE finished >= ? ORDER BY id DESC LIMIT ?"
    return [found for (found,) in connection.execute(query, (since, _LAST if limit is None else limit))]


def _runs(connection: Connection, ids: Sequence[int], marks: str) -> Iterator[RunEntry]:
    counts: dict[int, dict[str, int]] = {}
    for run, action, count in connection.execute(
        f"SELECT run, action, count(*) FROM history WHERE run IN ({marks}) GROUP BY run, action", ids
    ):
        counts.setdefault(run, {})[action] = count
    heads: dict[int, bytes] = dict(connection.execute(f"SELECT id, hash FROM runs WHERE id IN ({marks})", ids))
    last = f"SELECT max(seq) FROM history WHERE run IN ({marks}) GROUP BY run"
    heads |= dict(connection.execute(f"SELECT run, hash FROM history WHERE seq IN ({last})", ids))
    for run, started, finished, actor, owner, target, commit, verb, outcome, plan, *lists in connection.execute(
        "SELECT id, started, finished, actor, owner, target, git_commit, verb, outcome, plan, overrides, approvals"
        f" FROM runs WHERE id IN ({marks}) ORDER BY id DESC",
        ids,
    ):
        hash_ = heads.get(run)
        yield RunEntry(
            run, started, finished, actor, owner, target, commit, counts.get(run, {}),
            hash_.hex() if isinstance(hash_, bytes) else "",
            verb, outcome, plan or "",
            *(tuple(map(str, decoded(listed))) if listed else () for listed in lists),
        )  # fmt: skip


def _trails(connection: Connection, where: str, values: Sequence[str]) -> list[Trail]:
    rows: dict[str, list[Row]] = {}
    query = (
        "SELECT uid, seq, run, kind, name, action, fingerprint, before, was, drifted_at, drifted_from FROM history"
        f" WHERE {where} ORDER BY seq"
    )
    for uid, seq, run, kind, name, action, printed, before, was, at, left in connection.execute(query, values):
        row = Row(seq, run, known_key(kind, name), action, printed, _body(before), was, at, _body(left))
        rows.setdefault(uid, []).append(row)
    live = {
        uid: (known_key(kind, name), decoded(body))
        for uid, kind, name, body in connection.execute(
            "SELECT uid, kind, name, coalesce(d.live, '{}') FROM records LEFT JOIN documents d USING (uid)"
            f" WHERE {where}",
            values,
        )
    }
    uids = [*rows, *(uid for uid in live if uid not in rows)]
    drifts = _drifts(connection)
    return [Trail(uid, rows.get(uid, ()), live.get(uid), drifts.get(uid)) for uid in uids]


def _drifts(connection: Connection) -> dict[str, Drift]:
    found = connection.execute("SELECT uid, since, body FROM drifts")
    return {uid: Drift(since, _body(body)) for uid, since, body in found}


def _body(text: str | None) -> Body | None:
    return None if text is None else decoded(text)
