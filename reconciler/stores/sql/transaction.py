"""An SQLite store by its place, one transaction on it, and rows in bulk."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from reconciler.core.ports.store import Clock
from reconciler.stores import sqlite

if TYPE_CHECKING:
    from reconciler.core.lease import Host


class StoreFile(Struct, frozen=True):
    """One SQLite file; it need not be there.

    Attributes:
        host: gives what leases are judged by.
        lock_seconds: how long to wait for another run to end.
    """

    path: Path
    host: "Callable[[], Host]"
    clock: Clock
    lock_seconds: float


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


_ROWS = 50  # with the widest table still below the smallest limit on parameters that SQLite has been built with


def insert(connection: sqlite3.Connection, into: str, width: int, rows: Iterable[tuple[object, ...]], conflict: str = "") -> None:  # fmt: skip
    """Insert rows, many with each statement: to begin one costs more than to insert a row.

    Args:
        into: the table, with its columns where they are named.
        width: how many columns each row has.
        conflict: the clause on conflicts.
    """
    one = f"({','.join('?' * width)})"
    many = f"INSERT INTO {into} VALUES {','.join([one] * _ROWS)} {conflict}"
    waiting = iter(rows)
    while part := list(islice(waiting, _ROWS)):
        if len(part) == _ROWS:
            connection.execute(many, tuple(chain.from_iterable(part)))
        else:
            connection.executemany(f"INSERT INTO {into} VALUES {one} {conflict}", part)


Item = TypeVar("Item")
_MOST = 400  # pairs of parameters stay below the smallest limit that SQLite has been built with


def chunks(items: Iterable[Item]) -> Iterator[tuple[list[Item], str]]:
    """Parts of `items` that one statement can name, each with as many marks for parameters."""
    waiting = iter(items)
    while part := list(islice(waiting, _MOST)):
        yield part, marks(part)


def marks(items: Collection[object]) -> str:
    """As many marks for parameters."""
    return ",".join("?" * len(items))
