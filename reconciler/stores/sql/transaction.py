"""One transaction on an SQL store, and waiting for that of another process."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from reconciler.errors import StoreLocked, StoreUnavailable
from reconciler.stores.sql.database import CommitUnknown, Connection, Database, Transient

_RETRY_SECONDS = 0.05
Done = TypeVar("Done")


@contextmanager
def reading(database: Database) -> Iterator[Connection | None]:
    """A connection that reads; None when there is no store.

    Raises:
        StoreUnavailable: it cannot be read, or is no store.
    """
    connection = database.reader()
    if connection is None:
        yield None
        return
    with closing(connection), database.translated():
        yield connection


@contextmanager
def writing(database: Database, lock_seconds: float) -> Iterator[Connection]:
    """A connection inside a transaction that is committed when the block ends well; the store is made where there is none.

    Args:
        lock_seconds: how long to wait for another process to end its own.

    Raises:
        StoreLocked: it did not end in that time.
        StoreUnavailable: the store cannot be written, or is none.
    """
    with closing(patiently(lambda: _begun(database), database, lock_seconds)) as connection, told_once(database):
        yield connection
        connection.commit()


@contextmanager
def told_once(database: Database) -> Iterator[None]:
    """Failures of what is not done again, and not asked after, as errors that say so.

    Raises:
        StoreLocked, StoreUnavailable: see `Database.translated`.
    """
    try:
        with database.translated():
            yield
    except Transient as failure:
        raise StoreUnavailable(f"the store {database.name} gave it up: {failure}", hint="run the command again") from failure  # fmt: skip
    except CommitUnknown as failure:
        message = f"the store {database.name} did not say whether it keeps what was written ({failure})"
        raise StoreUnavailable(message, hint="run the command again") from failure


def _begun(database: Database) -> Connection:
    connection = database.writer()
    try:
        database.begin(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def patiently(attempt: Callable[[], Done], database: Database, lock_seconds: float) -> Done:
    """What `attempt` gives, tried again as long as another process writes.

    Waits here and not in the engine, which Ctrl-C may not interrupt and which does not wait in every case.

    Raises:
        StoreLocked: another run did not end in that time.
        StoreUnavailable: the store cannot be written, or is none.
    """
    until = time.monotonic() + lock_seconds
    while True:
        try:
            with database.translated():
                return attempt()
        except Transient as failure:
            if time.monotonic() >= until:
                raise StoreUnavailable(f"the store {database.name} gave it up: {failure}", hint="run the command again") from failure  # fmt: skip
        except StoreLocked as failure:
            if time.monotonic() >= until:
                hint = "try again when it has ended, wait longer with --lock-timeout, or look: reconciler lock show"
                message = f"{failure.message}; waited {lock_seconds:g} s"
                raise StoreLocked(message, hint=hint, details=failure.details) from failure
        time.sleep(_RETRY_SECONDS)
