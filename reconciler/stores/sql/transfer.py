"""A whole store taken over into an empty one, of whatever engine: with its identities, history, secrets and tokens."""

from collections.abc import Iterator, Sequence
from contextlib import closing

from reconciler.core.care import Copied, Copying
from reconciler.core.lease import Standing
from reconciler.core.ports.store import RunInfo
from reconciler.errors import RecordConflict, StoreLocked, StoreUnavailable
from reconciler.stores.sql import attempts, leases
from reconciler.stores.sql.audit import audit_open
from reconciler.stores.sql.columns import COLUMNS
from reconciler.stores.sql.database import Connection, Database, Values, ignored
from reconciler.stores.sql.lease import described
from reconciler.stores.sql.session import SqlSession
from reconciler.stores.sql.transaction import writing

_TABLES = (
    "records", "documents", "applied", "refs", "secrets", "tokens", "drifts", "runs", "history", "declarations",
    "quarantine", "quarantined_secrets", "attempts", "baselines", "declared", "claimed",
)  # fmt: skip
"""All but `meta` and `leases`: what others refer to comes first."""
_OF_EACH = ("writing", "writer", "version")
"""What a store notes of itself and does not pass on."""
_NOTED = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def copy(source: Database, target: Database, copying: Copying, run: RunInfo) -> Copied:
    """Copy a store in one transaction, and note in the copy's history that it is one.

    What was sealed with the source's key is sealed anew.

    Raises:
        StoreUnavailable: there is no store, something is broken in it, or the copy cannot be written.
        StoreLocked: a run writes to one of them.
        RecordConflict: the target holds something already.
        KeyUnavailable: something cannot be opened.
    """
    reader = source.reader()
    if reader is None:
        raise StoreUnavailable(f"there is no store {source.name}", hint="check the URL")
    with closing(reader), source.translated(), reader.engine.as_present(reader) as present:
        _refuse_broken(present, source)
        _refuse_busy(present, source)
        with writing(target, target.lock_seconds) as connection:
            _refuse_filled(connection, target)
            counts = take_in(present, connection)
            now = target.clock()
            session = SqlSession(connection, run, now)
            secrets, tokens = session.rekey(copying.rekeying) if copying.rekeying else session.note()
            attempt = attempts.begin(connection, run, target.host().holder(), now)
            attempts.end(connection, attempt, "applied", now, session.run_id)
    return Copied(counts, secrets, tokens, session.head)


def take_in(source: Connection, target: Connection) -> dict[str, int]:
    """Copy all rows into tables that are empty; how many there were of each."""
    counts = {}
    with ignored(target):
        kept = [row for row in source.execute("SELECT key, value FROM meta") if row[0] not in _OF_EACH]
        target.executemany(_NOTED, kept)
        for table in _TABLES:
            columns = tuple(COLUMNS[table])
            quoted = ", ".join(f'"{column}"' for column in columns)
            rows = source.execute(f"SELECT {quoted} FROM {table} ORDER BY 1").fetchall()
            counts[table] = len(rows)
            target.insert(table, columns, _typed(columns, rows))
    return counts


def _typed(columns: Sequence[str], rows: Sequence[Values]) -> Iterator[Values]:
    """The rows with yes and no as such: in SQLite they are numbers."""
    if "odd" not in columns:
        yield from rows
        return
    place = columns.index("odd")
    for row in rows:
        yield (*row[:place], bool(row[place]), *row[place + 1 :])


def _refuse_broken(source: Connection, database: Database) -> None:
    if faults := audit_open(source).faults:
        raise StoreUnavailable(
            f"the store {database.name} is broken, so it was not copied",
            hint="see: reconciler store check; what can be mended mends: reconciler store check --repair",
            details=tuple(fault.message for fault in faults),
        )


def _refuse_busy(source: Connection, database: Database) -> None:
    host = database.host()
    for lease in leases.read_all(source):
        if lease.standing(host) is Standing.HELD:
            raise StoreLocked(f"the store {database.name} is locked by a run", details=described(lease, host))


def _refuse_filled(target: Connection, database: Database) -> None:
    for table in ("records", "runs", "quarantine"):
        if target.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
            message = f"the store {database.name} holds something already; nothing was copied"
            raise RecordConflict(message, hint="copy to a store that is empty, or not there yet")
