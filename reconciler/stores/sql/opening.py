"""One transaction on an SQLite store: for what is read or written beside the runs that hold the lease."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from reconciler.stores import sqlite


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that reads; None when there is no store.

    Raises:
        StoreUnavailable: the file cannot be read or is not a store.
    """
    connection = sqlite.connect_for_reading(path)
    if connection is None:
        yield None
        return
    with closing(connection), sqlite.translated(path):
        yield connection


@contextmanager
def writing(path: Path, lock_seconds: float) -> Iterator[sqlite3.Connection]:
    """A connection inside a transaction that is committed when the block ends well; the store is made where there is none.

    Args:
        lock_seconds: how long to wait for another process to end its own.

    Raises:
        StoreLocked: it did not end in that time.
        StoreUnavailable: the file cannot be written or is not a store.
    """
    with closing(sqlite.begin_writing(path, lock_seconds)) as connection, sqlite.translated(path):
        yield connection
        connection.execute("COMMIT")
