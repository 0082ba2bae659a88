"""Secrets in the SQL store: sealed as they are written."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence

from reconciler.core.model import encode
from reconciler.core.ports.runs import PlannedWrite
from reconciler.core.ports.source import Sealer
from reconciler.core.secret import SealedSecret
from reconciler.stores.sql.bulk import insert


def write_secrets(connection: sqlite3.Connection, writes: Sequence[PlannedWrite], seals: Callable[[], Sealer]) -> None:
    """Seal what is given, keep what comes back, and drop what the records have no more. One that stays is not written.

    Args:
        seals: gives what seals; not called where there is nothing to seal.
    """
    connection.executemany(
        "DELETE FROM secrets WHERE uid = ? AND address NOT IN (SELECT value FROM json_each(?))",
        ((write.uid, encode(list(write.states())).decode()) for write in writes if write.change.record),
    )
    insert(
        connection,
        "secrets",
        5,
        ((uid, one.address, one.reference, one.fingerprint, one.ciphertext) for uid, one in _sealed(writes, seals)),
        "ON CONFLICT (uid, address) DO UPDATE SET reference = excluded.reference,"
        " fingerprint = excluded.fingerprint, ciphertext = excluded.ciphertext"
        " WHERE fingerprint <> excluded.fingerprint OR reference <> excluded.reference",
    )


def _sealed(writes: Sequence[PlannedWrite], seals: Callable[[], Sealer]) -> Iterator[tuple[str, SealedSecret]]:
    for write in writes:
        for given in write.secrets:
            yield write.uid, seals().seal(write.uid, given.address, given.reference, given.value)
        for kept in write.kept:
            yield write.uid, kept
