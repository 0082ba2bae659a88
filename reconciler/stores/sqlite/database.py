"""Where a store in SQLite is: a file of this machine, which need not be there."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.core.ports.store import Clock
from reconciler.errors import StoreLocked
from reconciler.stores.host import make_directory
from reconciler.stores.sql.database import Connection
from reconciler.stores.sqlite import file, schema
from reconciler.stores.sqlite.engine import SqliteConnection, in_memory

if TYPE_CHECKING:
    from reconciler.core.lease import Host


class SqliteDatabase(Struct, frozen=True):
    """One SQLite file; see `Database`.

    Attributes:
        host: gives what leases are judged by.
        lock_seconds: how long to wait for another run to end.
    """

    path: Path
    host: "Callable[[], Host]"
    clock: Clock
    lock_seconds: float

    @property
    def name(self) -> str:
        """As messages have it."""
        return str(self.path)

    def reader(self, first: object = None) -> SqliteConnection | None:
        """A connection that sees one state, whoever writes meanwhile; None where there is no store.

        Raises:
            StoreUnavailable: the file cannot be read or is not a store.
        """
        connection = file.connect_for_reading(self.path)
        if connection is not None:
            connection.execute("BEGIN")
        return connection

    def writer(self) -> SqliteConnection:
        """A connection that waits for nobody; the store is made when it is not there."""
        return file.connect_for_writing(self.path)

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that writes; an older store is brought up to date in it."""
        assert isinstance(connection, SqliteConnection)
        file.begin(connection)

    def notes(self) -> tuple[str, ...]:
        """Nothing that anybody has to know."""
        return ()

    def copy(self) -> SqliteConnection:
        """A copy in memory, brought to this version."""
        copy = in_memory()
        state = file.connect_for_reading(self.path)
        if state is None:
            file.create(copy, self.path)
        else:
            with closing(state):
                state.backup(copy)
            schema.migrate(copy)
        return copy

    def drop_traces(self, connection: Connection) -> None:
        """Empty the journal; see `file.drop_traces`."""
        assert isinstance(connection, SqliteConnection)
        file.drop_traces(connection)

    def scrub(self) -> bool:
        """Write the file anew without what is no longer used, and empty its journal.

        Raises:
            StoreLocked: another process is in the way.
        """
        with closing(self.writer()) as connection:
            connection.execute("VACUUM")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreLocked("another process reads the store")
        return True

    def confirm(self) -> None:
        """Nothing: what is not on the disk is not read either."""

    def make_place(self) -> None:
        """Make the folder of the store, with its .gitignore, before a key is made in it."""
        make_directory(self.path)

    def translated(self) -> AbstractContextManager[None]:
        """Failures as errors that say what to do; see `file.translated`."""
        return file.translated(self.path)
