"""Where a store in PostgreSQL is, and the connections to it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from msgspec.structs import replace
from psycopg import errors

from reconciler.core.lease import Host
from reconciler.errors import StoreUnavailable
from reconciler.stores.postgresql import schema
from reconciler.stores.postgresql.address import Address, for_writing, refuse_device, refuse_strangers, settle, weakness
from reconciler.stores.postgresql.certificate import refusal
from reconciler.stores.postgresql.connection import PostgresConnection
from reconciler.stores.postgresql.engine import PostgresEngine
from reconciler.stores.postgresql.failures import refused, translated
from reconciler.stores.postgresql.limits import Limits
from reconciler.stores.postgresql.pool import Pool, ServerHost
from reconciler.stores.postgresql.statements import quoted
from reconciler.stores.postgresql.wire import Wire
from reconciler.stores.sql.database import CommitUnknown, Transient

if TYPE_CHECKING:
    from reconciler.core.ports.state import DriverContext
    from reconciler.stores.sql.database import Connection, Engine, Query
    from reconciler.stores.sqlite.engine import SqliteConnection

_READING_SECONDS = 300.0  # a reader thinks between two queries, and is in nobody's way
_WRITING_SECONDS = 15.0  # less than what whoever lost the answer to a commit waits for the transaction to end
_LEAST_SECONDS = 0.1  # for locks: a time limit of 0 would be none
_SPARE_SECONDS = 2.0  # that an answer may be late, after the server has ended what took too long
_VERSION = "SELECT value FROM meta WHERE key = 'version'"
_LOCK = "SELECT key, value FROM meta WHERE key IN ('store', 'version') ORDER BY key FOR UPDATE"
"""All that write wait here for each other: readers and programs of others do not."""
_MARK = "SELECT pg_logical_emit_message(true, 'reconciler', '')"  # to be committed, and that is all
_SEALED = ("secrets", "quarantined_secrets", "tokens", "drifts")
_STANDBY = """
SELECT pg_is_in_recovery(), (SELECT value FROM meta WHERE key = 'revision'),
  to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
"""
_ABSENT = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedColumn)


class PostgresDatabase:
    """One schema of one database; see `Database`."""

    def __init__(self, address: Address, context: "DriverContext") -> None:
        """Connect to nothing yet."""
        self.name = address.name
        self.lock_seconds = context.lock_seconds
        self._address = address
        self._context = context
        self._limits = Limits(address.schema, max(_LEAST_SECONDS, context.lock_seconds), address.seconds, _WRITING_SECONDS)  # fmt: skip
        self._found: int | None = None
        self._met_standby = False

    # connecting

    @cached_property
    def _parameters(self) -> Mapping[str, str]:
        if not self._context.trusted:
            refuse_strangers(self._address, self._context.environment)
        refuse_device(self._address)
        return settle(self._address, self._context.environment)

    @cached_property
    def _writers(self) -> Pool:
        return Pool(lambda: self._connect(for_writing(self._parameters)))

    @cached_property
    def _readers(self) -> Pool:
        """The same, unless readers may be sent to a standby, and this run only reads."""
        parameters = self._parameters
        if self._context.writes or for_writing(parameters) == parameters:
            return self._writers
        return Pool(lambda: self._connect(parameters))

    def _connect(self, parameters: Mapping[str, str]) -> Wire:
        password = self._context.password
        secret = {} if password is None else {"password": password().reveal()}
        limits = self._limits
        silence = limits.lock_seconds + limits.seconds + _SPARE_SECONDS
        try:
            wire = Wire({**parameters, **secret}, silence)
        except psycopg.Error as failure:
            why = refusal(parameters) if "certificate verify failed" in str(failure) else ""
            raise refused(failure, self.name, why) from failure
        self._met_standby |= wire.is_standbys
        if wire.encoding != "UTF8":
            found = wire.encoding
            wire.close()
            raise StoreUnavailable(
                f"the database of the store {self.name} has the encoding {found}, which cannot keep every text",
                hint="make one that can: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            )
        return wire

    # time

    def host(self) -> Host:
        """This machine, with the server's clock."""
        return ServerHost(self._now)

    def clock(self) -> str:
        """The server's time."""
        now = datetime.fromtimestamp(self._now(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _now(self) -> float:
        now = self._writers.now() or self._readers.now()
        if not now:
            with closing(self._connection(self._readers)) as connection, self.translated():
                connection.execute("SELECT 1").fetchone()
            now = self._readers.now()
        return now

    # transactions

    def reader(self, first: "Callable[[Engine], Iterable[Query]] | None" = None) -> PostgresConnection | None:
        """A connection that sees one state, whoever writes meanwhile; None where there is no store.

        Args:
            first: gives what is answered with the first wait.

        Raises:
            StoreUnavailable: there is no connection, or something else is in the schema.
        """
        connection = self._connection(self._readers)
        try:
            with self.translated():
                connection.begin(replace(self._limits, idle_seconds=_READING_SECONDS), reads=True)
                connection.prefetch([(_VERSION, ()), *(first(connection.engine) if first else ())])
                try:
                    self._note_version(connection.execute(_VERSION).fetchall())
                except _ABSENT:
                    connection.rollback()
                    if self._examine(connection) is None:
                        connection.close()
                        return None
                    raise
        except BaseException:
            connection.close()
            raise
        return connection

    def writer(self) -> PostgresConnection:
        """A connection that has begun nothing; the store is made where there is none."""
        connection = self._connection(self._writers)
        try:
            with self.translated():
                if self._found is None:
                    self._examine(connection)
                if self._found is None or self._found < schema.VERSION:
                    self.make(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def begin(self, connection: "Connection") -> None:
        """Begin a transaction that writes, together with what is asked next: one of ours is under way at a time."""
        assert isinstance(connection, PostgresConnection)
        connection.begin(self._limits)
        connection.open_with(_LOCK, lambda rows: self._note_version([row[1:] for row in rows if row[0] == "version"]))

    def copy(self) -> "SqliteConnection":
        """A copy in memory, which needs no server: what is tried out on it locks nothing."""
        from reconciler.stores.sql.transfer import take_in
        from reconciler.stores.sqlite import file
        from reconciler.stores.sqlite.engine import in_memory

        copy = in_memory()
        file.create(copy, Path(":memory:"))
        reader = self.reader()
        if reader is not None:
            with closing(reader), self.translated():
                copy.execute("BEGIN")
                take_in(reader, copy)
                copy.commit()
        return copy

    def drop_traces(self, connection: "Connection") -> None:
        """Nothing: the server overwrites in its own time what nobody sees any more, and its journal keeps it for longer."""

    def scrub(self) -> bool:
        """Have tables that hold what is sealed written anew; whether the role may do that, and nobody is in the way."""
        wire = self._writers.take()
        with self.translated():
            tables = ", ".join(f"{quoted(self._address.schema)}.{table}" for table in _SEALED)
            done = wire.send(f"VACUUM (FULL, SKIP_LOCKED) {tables}".encode())
            wire.wait()
            self._writers.give_back(wire)
        return not done.was_warned

    def confirm(self) -> None:
        """Have a commit acknowledged: the server has then sent on, or written, all that was committed before it."""
        with closing(self._connection(self._writers)) as connection, self.translated():
            connection.begin(self._limits)
            connection.execute(_MARK).fetchone()
            connection.commit()

    def make_place(self) -> None:
        """Nothing: no key is kept beside it."""

    def translated(self) -> AbstractContextManager[None]:
        """Failures as errors that say what to do; see `failures`."""
        return translated(self.name)

    def notes(self) -> tuple[str, ...]:
        """What whoever reads a plan has to know: how the server is reached, and that it may be behind."""
        return tuple(filter(None, (weakness(self._address, self._context.environment), self._behind())))

    def _behind(self) -> str:
        """That what was read is a standby's, and as of when; "" where it cannot be."""
        can_be = self._met_standby or self._readers is not self._writers
        if not can_be or (reader := self.reader()) is None:
            return ""
        with closing(reader), self.translated():
            is_standby, revision, at = reader.execute(_STANDBY).fetchone()
        if not is_standby:
            return ""
        since = f"from {at}" if at else "from before it started"
        return f"read from a standby, which may be behind: it has revision {revision} of the store, and its last change is {since}"  # fmt: skip

    def database(self) -> str:
        """The name of the database that the schema is in."""
        with closing(self._connection(self._readers)) as connection, self.translated():
            return str(connection.execute("SELECT current_database()").fetchone()[0])

    def close(self) -> None:
        """Close what is kept open."""
        self._writers.close()
        self._readers.close()

    def _connection(self, pool: Pool) -> PostgresConnection:
        return PostgresConnection(PostgresEngine(), pool, self._limits)

    # the store itself

    def make(self, connection: PostgresConnection) -> None:
        """Make the store where there is none, or bring an older one up to date; one process does it at a time.

        Raises:
            StoreUnavailable: something else is in the schema, or the role may not do that.
        """
        schema.persistently(lambda: self._make(connection))

    def _make(self, connection: PostgresConnection) -> None:
        connection.begin(self._limits)
        try:
            schema.lock_for_ddl(connection, self._address.schema)
            found = schema.examine(connection, self._address.schema)
            if found is None:
                schema.create(connection)
            else:
                schema.migrate(connection, found)
            connection.commit()
        except errors.InsufficientPrivilege as failure:
            what = "there is no store" if self._found is None else "the store is of an older version"
            raise StoreUnavailable(f"{what} at {self.name}, and this role may not make one ({failure})", hint="have the owner of the database do it: reconciler store init") from failure  # fmt: skip
        except (CommitUnknown, errors.LockNotAvailable) as failure:  # what became of it is seen at the next try
            raise Transient("another process makes it, or uses its tables") from failure
        finally:
            connection.rollback()
        self._found = schema.VERSION

    def _examine(self, connection: PostgresConnection) -> int | None:
        connection.begin(self._limits, reads=True)
        try:
            self._found = schema.examine(connection, self._address.schema)
        finally:
            connection.rollback()
        return self._found

    def _note_version(self, rows: Sequence[Sequence[object]]) -> None:
        """Stop where the store is a newer version's, or none at all."""
        version = str(rows[0][0]) if rows else ""
        if not version.isdecimal():
            raise StoreUnavailable(f"the schema of {self.name} is no reconciler store", hint="name another schema in the store's URL: ?schema=NAME")  # fmt: skip
        if int(version) > schema.VERSION:
            raise StoreUnavailable(
                f"the store {self.name} was written by a newer reconciler (store version {version}, this one knows {schema.VERSION})",
                hint="install the newer reconciler",
            )
        self._found = int(version)
