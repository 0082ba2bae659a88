"""A whole store taken over into an empty one, of whatever engine: with its identities, history, secrets and tokens."""

from contextlib import closing

from msgspec import Struct

from reconciler.core.care import Copied, MadeWith
from reconciler.core.lease import Standing
from reconciler.core.ports.source import Sealer
from reconciler.core.progress import Interrupts
from reconciler.errors import RecordConflict, StoreLocked, StoreUnavailable
from reconciler.stores.sql import leases
from reconciler.stores.sql.chain import Chain
from reconciler.stores.sql.claim import described
from reconciler.stores.sql.columns import COLUMNS, SINCE
from reconciler.stores.sql.database import Connection, Database
from reconciler.stores.sql.seals import reseal
from reconciler.stores.sql.statements import ignored
from reconciler.stores.sql.transaction import writing

_TABLES = (
    "records", "documents", "applied", "refs", "secrets", "tokens", "drifts", "runs", "history", "declarations",
    "quarantine", "quarantined_secrets", "attempts", "notes", "held_tokens", "unfinished", "journal",
    "baselines", "declared", "claimed",
)  # fmt: skip
"""All but `meta` and `leases`: what others refer to comes first."""
_OF_EACH = ("writing", "writer", "version")
"""What a store notes of itself and does not pass on."""
_NOTED = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class Keys(Struct, frozen=True):
    """What opens the secrets of one store, and what seals those of the other."""

    old: Sealer
    new: Sealer
    made_with: MadeWith


def copy(source: Database, target: Database, keys: Keys | None, interrupts: Interrupts) -> Copied:
    """Copy a store in one transaction.

    Args:
        keys: None where nothing is sealed.

    Raises:
        StoreUnavailable: there is no store, or the copy cannot be written.
        StoreLocked: a run writes to one of them.
        RecordConflict: the target holds something already.
        KeyUnavailable: something cannot be opened.
    """
    reader = source.reader()
    if reader is None:
        raise StoreUnavailable(f"there is no store {source.name}", hint="check the URL")
    with closing(reader), source.translated(), reader.engine.as_present(reader) as present:
        _refuse_busy(present, source)
        with writing(target, target.lock_seconds) as connection:
            _refuse_filled(connection, target)
            counts = take_in(present, connection)
            if keys is not None and keys.old.key_check() != keys.new.key_check():
                with ignored(connection):
                    reseal(connection, keys.old, keys.new, keys.made_with)
            head = Chain(connection).head
            interrupts.hold()
    return Copied({noun: counts[table] for noun, table in _NOUNS.items()}, head)


_NOUNS = {"records": "records", "secrets": "secrets", "deleted records": "quarantine", "runs": "runs", "changes": "history"}  # fmt: skip


def take_in(source: Connection, target: Connection) -> dict[str, int]:
    """Copy all rows into tables that are empty; how many there were of each."""
    counts = {}
    with ignored(target):
        noted = dict(map(tuple, source.execute("SELECT key, value FROM meta")))
        target.executemany(_NOTED, [(key, value) for key, value in noted.items() if key not in _OF_EACH])
        version = int(noted.get("version", max(SINCE.values())))  # a file is read as one of the present version
        lacking = {table for table, since in SINCE.items() if since > version}
        for table in (table for table in _TABLES if table not in lacking):
            columns = tuple(COLUMNS[table])
            quoted = ", ".join(f'"{column}"' for column in columns)
            rows = source.execute(f"SELECT {quoted} FROM {table} ORDER BY 1").fetchall()
            counts[table] = len(rows)
            target.insert(table, columns, rows)
    return counts


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
